/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers that a seed decides wholly (splitmix64), so that every run can be had again. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t mixed = random->state += 0x9e3779b97f4a7c15ULL;

	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
	return mixed ^ (mixed >> 31);
}

/* 0 to count - 1. */
static inline uint32_t random_below(struct random *random, uint64_t count)
{
	return (uint32_t)(random_next(random) % count);
}

/* Both ends included. */
static inline uint64_t random_between(struct random *random, uint64_t low, uint64_t high)
{
	uint64_t count = high - low + 1;

	return count ? low + random_next(random) % count : random_next(random);
}

/* True in one of `count` cases. */
static inline bool random_one_in(struct random *random, uint32_t count)
{
	return random_below(random, count) == 0;
}

#define random_pick(random, array) \
	((array)[random_below(random, sizeof(array) / sizeof((array)[0]))])

#endif
