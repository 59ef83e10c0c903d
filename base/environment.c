/* environment.c -- what OpenBLAS and OpenMP read from the environment when they are loaded.
 * SPDX-License-Identifier: MIT */
#include "base/environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* OpenBLAS 0.3.21 knows no CPU newer than itself and falls back to its slowest kernels, so it is told. */
static const char *core_type(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		return "SkylakeX";
	if (__builtin_cpu_supports("avx2"))
		return "Haswell";
#endif
	return NULL;
}

static bool set_missing(void)
{
	const char *wanted[][2] = { { "OMP_NUM_THREADS", "1" }, { "OPENBLAS_NUM_THREADS", "1" },
		{ "OPENBLAS_CORETYPE", core_type() } };
	bool changed = false;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (wanted[i][1] && !getenv(wanted[i][0]))
			changed = !setenv(wanted[i][0], wanted[i][1], 0) || changed;
	return changed;
}

/* valgrind knows no AVX-512, and follows no exec. */
static bool under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");
	return getenv("RUNNING_ON_VALGRIND") || (preload && strstr(preload, "vgpreload"));
}

/* By the program's own path, so that ps shows its name; when that fails it is only slower. */
static void execute_again(char **argv)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return;
	self[n] = '\0';
	execv(self, argv);
}

void environment_complete(char **argv)
{
	if (!under_valgrind() && set_missing())
		execute_again(argv);
}
