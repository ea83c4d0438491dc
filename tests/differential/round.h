/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole batches of packets against one rule file. */
#ifndef DIFFERENTIAL_ROUND_H
#define DIFFERENTIAL_ROUND_H

#include "shrink.h"

#define TALLY_SKIPS 16

/* What has been compared, and how often nft was not asked, by reason. */
struct tally {
	uint64_t rounds;
	uint64_t too_large; /* rule files that the compiler refused for their size */
	uint64_t packets;
	uint64_t compared; /* by all four */
	uint64_t malformed;
	uint64_t decided; /* by a rule, not by the default */
	struct {
		const char *why;
		uint64_t count;
	} skips[TALLY_SKIPS];
};

void tally_print(const struct tally *tally);

/* Judges the frames, on the rules that are loaded. True, or false and who disagreed on which. */
bool batch_agrees(struct bench *bench, enum fw_hook hook, const struct frame *frames, size_t count,
		  struct tally *tally, struct disagreement *ret_found);

/* Seed and number decide a round; `largest` bounds the rules of a block. */
struct round {
	uint64_t seed;
	uint64_t number;
	size_t largest;
};

/* One round. False if the judges disagree: then the shrunk case has been printed. */
bool round_run(struct bench *bench, const struct round *round, struct tally *tally);

/* The other way round: true if they disagree, on what is left in *ret_found as it is. */
bool round_find(struct bench *bench, const struct round *round, struct tally *tally,
		struct disagreement *ret_found);

/* Exit status. */
int prove(struct bench *bench, uint64_t seed);
int captures_run(struct bench *bench, uint64_t seed, const char *directory);

#endif
