/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers to slots of hash tables. */
#ifndef FWCTL_COMPILER_HASH_H
#define FWCTL_COMPILER_HASH_H

#include <stdint.h>

/* A 64-bit mix: each bit of the input moves about half of the bits of the output. */
static inline uint64_t hash_mix(uint64_t value)
{
	value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
	value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
	return value ^ value >> 32;
}

#endif
