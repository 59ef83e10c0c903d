/* environment.h -- what OpenBLAS and OpenMP read from the environment when they are loaded, before main.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

/* Sets what is missing and executes the program once more; the second time nothing is missing, and it returns. One
 * thread, for a machine is filled with workers; and the kernels of the processor at hand, for OpenBLAS mistakes new
 * processors for very old ones. To be called first in main. */
void environment_complete(char **argv);

#endif
