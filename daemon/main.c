/* main.c -- pared: the options, the configuration, the daemon.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/daemon.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char default_config[] = "/etc/pared/pared.json";

static void print_usage(FILE *f)
{
	fprintf(f, "usage: pared [-n] [-c FILE]\n"
		   "  -c FILE  the configuration, %s unless given\n"
		   "  -n       check the configuration and exit\n"
		   "  -h       this text\n"
		   "  -V       the version\n", default_config);
}

struct options {
	const char *config;
	bool only_check, help, version;
};

static bool read_options(int argc, char **argv, struct options *o)
{
	for (int c; (c = getopt(argc, argv, "c:nhV")) != -1;) {
		switch (c) {
		case 'c': o->config = optarg; break;
		case 'n': o->only_check = true; break;
		case 'h': o->help = true; break;
		case 'V': o->version = true; break;
		default: return false;
		}
	}
	if (optind < argc)
		fprintf(stderr, "pared: %s: not expected\n", argv[optind]);
	return optind == argc;
}

static int run(struct config *c)
{
	static struct daemon d;
	struct errinfo e;
	d.config = *c;
	log_set_level(c->log_level);
	if (!daemon_run(&d, &e))
		return 0;
	log_error("%s", e.msg);
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct options o = { .config = default_config };
	struct config c;
	struct errinfo e;
	environment_complete(argv);
	if (!read_options(argc, argv, &o)) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (o.help) {
		print_usage(stdout);
		return 0;
	}
	if (o.version) {
		puts("pared " VERSION);
		return 0;
	}
	if (config_load(o.config, &c, &e)) {
		fprintf(stderr, "pared: %s\n", e.msg);
		return EXIT_FAILED;
	}
	int status = 0;
	if (config_check(&c, &e)) {
		fprintf(stderr, "pared: %s: %s\n", o.config, e.msg);
		status = EXIT_FAILED;
	} else if (o.only_check) {
		printf("%s: fine\n", o.config);
	} else {
		status = run(&c);
	}
	config_fini(&c);
	return status;
}
