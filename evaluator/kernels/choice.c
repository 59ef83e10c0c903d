/* choice.c -- which kernel a convolution runs by.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/choice.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evaluator/kernels/dnn.h"
#include "evaluator/kernels/choice_timing.h"
#include "evaluator/kernels/winograd.h"
#include "evaluator/kernels/winograd_step.h"

enum { FEW_CHANNELS = 8, FEW_TILES = 16, TAPS = 9, KEY = 256, MOST_BYTES = 4 << 20 };

static const char *const directions[CHOICE_DIRECTIONS] = { "forward", "data", "weights" };

/* The file and the line that it begins with; the kernel that is being measured. */
static char file[PATH_MAX], machine[KEY];
static enum { NOT_FORCED, FORCED_DIRECT, FORCED_WINOGRAD } forced;

/* ---- by shape ---- */

/* Measured on a Zen 5 with AVX-512: with eight channels or fewer the transforms cost what the products save. Filters
 * are four times as large once they are transformed: with few tiles, reading them is what takes the time. */
static bool pays_by_shape(const struct view *x, const struct view *y)
{
	if (x->dim[1] <= FEW_CHANNELS || y->dim[1] <= FEW_CHANNELS)
		return false;
	int64_t rows = (y->dim[2] + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
	int64_t columns = (y->dim[3] + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
	/* Tiles reach over the edge: what is left of the gain of 4 must be 2. */
	bool wasteful = TAPS * y->dim[2] * y->dim[3] < 2 * WINOGRAD_NUMBERS * rows * columns;
	return !wasteful && x->dim[0] * rows * columns >= FEW_TILES;
}

/* ---- the file ---- */

/* What the choices hold for. */
static void describe_machine(void)
{
	char line[KEY], name[128] = "?";
	FILE *f = fopen("/proc/cpuinfo", "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "model name : %127[^\n]", name) == 1)
			break;
	if (f)
		fclose(f);
	const dnnl_version_t *v = dnnl_version();
	snprintf(machine, sizeof machine, "pared kernels 1, %s, oneDNN %d.%d.%d\n", name, v->major, v->minor, v->patch);
}

/* All of it, malloc'ed; NULL when that fails. */
static char *read_all(int fd)
{
	struct stat s;
	if (fstat(fd, &s) || s.st_size > MOST_BYTES)
		return NULL;
	char *text = malloc((size_t)s.st_size + 1);
	ssize_t got = text ? pread(fd, text, (size_t)s.st_size, 0) : -1;
	if (got < 0) {
		free(text);
		return NULL;
	}
	text[got] = '\0';
	return text;
}

static bool append(int fd, const char *line)
{
	return lseek(fd, 0, SEEK_END) >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line);
}

/* The text behind a first line that names this machine; anything else is thrown away. */
static char *read_choices(int fd)
{
	char *text = read_all(fd);
	if (text && strncmp(text, machine, strlen(machine))) {
		free(text);
		text = ftruncate(fd, 0) || !append(fd, machine) ? NULL : read_all(fd);
	}
	/* What was written when a worker was killed is ended, so that the next line begins one. */
	if (text && text[strlen(text) - 1] != '\n' && !append(fd, "\n")) {
		free(text);
		text = NULL;
	}
	return text;
}

/* Looks for "key winograd" or "key direct", as a whole line. */
static bool find(const char *text, const char *key, bool *ret)
{
	char lines[2][KEY + 16];
	const char *at[2];
	for (int i = 0; i < 2; i++) {
		snprintf(lines[i], sizeof lines[i], "\n%s %s\n", key, i ? "winograd" : "direct");
		at[i] = strstr(text, lines[i]);
	}
	if (at[0] || at[1])
		*ret = !at[0] || (at[1] && at[1] < at[0]);
	return at[0] || at[1];
}

/* ---- measuring ---- */

static double measure(const struct choice_shape *t, bool winograd)
{
	forced = winograd ? FORCED_WINOGRAD : FORCED_DIRECT;
	double seconds = choice_seconds(t);
	forced = NOT_FORCED;
	return seconds;
}

/* Looks into the file, measures what isn't there and writes it down; false when the file can't be used. */
static bool choose(int fd, const char *key, const struct choice_shape *t, bool *ret)
{
	char line[KEY + 16], *text = read_choices(fd);
	bool found = text && find(text, key, ret);
	if (text && !found) {
		double direct = measure(t, false), winograd = measure(t, true);
		if (direct > 0 && winograd > 0) {
			*ret = winograd < direct;
			snprintf(line, sizeof line, "%s %s\n", key, *ret ? "winograd" : "direct");
			found = append(fd, line);
		}
	}
	free(text);
	return found;
}

static bool ask_file(const char *key, const struct choice_shape *t, bool *ret)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool found = !flock(fd, LOCK_EX) && choose(fd, key, t, ret);
	close(fd);
	return found;
}

enum err choice_open(const char *path, struct errinfo *e)
{
	int fd = strlen(path) < sizeof file ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: the choices of kernels cannot be kept there: %s", path, strerror(errno));
	close(fd);
	snprintf(file, sizeof file, "%s", path);
	describe_machine();
	return ERR_OK;
}

void choice_close(void)
{
	file[0] = '\0';
}

bool choice_is_being_made(void)
{
	return forced != NOT_FORCED;
}

bool choice_is_winograd(enum choice_direction d, const struct window *w, const struct view *filters,
	const struct view *x, const struct view *y)
{
	char key[KEY];
	bool winograd;
	if (!winograd_can(w, filters))
		return false;
	if (forced)
		return forced == FORCED_WINOGRAD;
	const int64_t *in = x->dim, *out = y->dim;
	snprintf(key, sizeof key, "%s %lldx%lldx%lldx%lld %lldx%lldx%lldx%lld %lld %lld", directions[d],
		(long long)in[0], (long long)in[1], (long long)in[2], (long long)in[3], (long long)out[0],
		(long long)out[1], (long long)out[2], (long long)out[3], (long long)w->begin[0],
		(long long)w->begin[1]);
	struct choice_shape t = { d, w, x, y };
	return *file && ask_file(key, &t, &winograd) ? winograd : pays_by_shape(x, y);
}
