/* rng.h -- seeded random numbers: xoshiro256** (Blackman & Vigna 2018), seeded through SplitMix64.
 * SPDX-License-Identifier: MIT
 *
 * Everything random in this project comes from one of these, so that the same seed gives the same run. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* Different streams of one seed are independent sequences. */
void rng_init(struct rng *r, uint64_t seed, uint64_t stream);

uint64_t rng_u64(struct rng *r);

/* Uniform in [0, n), without modulo bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);

/* Uniform in [0, 1), 53 bits. */
double rng_uniform(struct rng *r);

/* Standard normal (Box-Muller, one value a call, no state kept). */
double rng_normal(struct rng *r);

/* A random permutation of 0..n-1 (Fisher-Yates). */
void rng_permutation(struct rng *r, uint32_t *order, size_t n);

#endif
