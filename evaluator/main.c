/* main.c -- the program pare-worker: its environment, its verbs.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "evaluator/command.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "inspect", command_inspect },
	{ "eval", command_eval },
	{ "prune", command_prune },
	{ "train", command_train },
	{ "work", command_work },
};

#define VERBS "inspect, eval, prune, train or work"

static const char usage[] =
	"usage: pare-worker VERB ...\n"
	"\n"
	"  inspect MODEL [--json]\n"
	"      show a network's layers, its groups of channels, and what is frozen and why\n"
	"  eval MODEL --data PATH [--split test|train] [--images N] [--mean M,...] [--std S,...] [--size H,W,C]\n"
	"        [--json]\n"
	"      accuracy and loss on a folder of data (IDX, NPY or CIFAR files with their usual names, or pictures by\n"
	"      class), an .npz archive, or the data of a job file; pixels are scaled to [0, 1], then (x - M) / S a\n"
	"      channel (default 0 and 1)\n"
	"  prune MODEL (--ratio R | --keep FILE | --target METRIC<=BOUND) -o OUT [--criterion NAME] [--seed N]\n"
	"        [--data PATH [--recalibrate N] [--mean M,...] [--std S,...] [--size H,W,C]] [--json]\n"
	"      remove the fraction R of the channels, or what FILE says by group, or as little as the bound asks for\n"
	"      (\"macs<=50%\", of params, macs or bytes), and write the smaller network; with --recalibrate set the\n"
	"      batch-norm statistics anew from N training images. NAME is l1, l2, fpgm, bn, activation, taylor, obd\n"
	"      or random\n"
	"  train MODEL -o OUT --data PATH [--settings FILE] [--epochs E] [--teacher MODEL] [--recalibrate N]\n"
	"        [--seed N] [--mean M,...] [--std S,...] [--size H,W,C] [--json]\n"
	"      train a network on the training images, from the weights it has; FILE is JSON, a rung's \"train\" in a\n"
	"      job; with --teacher it also learns what that network answers\n"
	"  work --url URL --name NAME --cache DIR [--cache-mb N] [--token-file FILE] [--supervised PID] [--once]\n"
	"      evaluate candidates for a daemon: unix:/run/pared/pared.sock or http://HOST:PORT\n"
	"\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 success, 1 failure, 2 wrong usage; of work also 3: a trial passed a limit.\n";

int main(int argc, char **argv)
{
	environment_complete(argv);
	const char *verb = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(verb, verbs[i].name))
			return verbs[i].run(argc, argv);
	if (!strcmp(verb, "--help") || !strcmp(verb, "-h"))
		return fputs(usage, stdout) < 0 || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (!strcmp(verb, "--version"))
		return puts("pare-worker " VERSION) < 0 || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (*verb)
		fprintf(stderr, "pare-worker: '%.80s': unknown verb, expected " VERBS "\n", verb);
	else
		fputs("pare-worker: no verb, expected " VERBS " (see pare-worker --help)\n", stderr);
	return EXIT_USAGE;
}
