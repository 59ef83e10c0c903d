/* simd.h -- loops that are compiled for several instruction sets.
 * SPDX-License-Identifier: MIT
 *
 * The program is built for any x86-64. A function marked SIMD is compiled three times, for AVX-512, for AVX2 and for
 * the least, and the dynamic linker takes the best that the machine has. What it calls must be inlined. Sanitizers have
 * not started yet when the linker chooses; there, and with other compilers and machines, it is an ordinary function. */
#ifndef BASE_SIMD_H
#define BASE_SIMD_H

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) &&                           \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SIMD
#endif

/* Before a loop whose number i depends on numbers i alone, though it may write where it reads. */
#if defined(__clang__)
#define SIMD_EACH _Pragma("clang loop vectorize(assume_safety)")
#else
#define SIMD_EACH _Pragma("GCC ivdep")
#endif

#endif
