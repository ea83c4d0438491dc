/* SPDX-License-Identifier: GPL-2.0-only */
/* A disagreement between judges, and how it is made small enough to look at. */
#ifndef DIFFERENTIAL_SHRINK_H
#define DIFFERENTIAL_SHRINK_H

#include "judge.h"

struct disagreement {
	enum judge judge; /* who disagrees with the reference, or JUDGE_LOAD */
	enum fw_hook hook;
	struct spec spec; /* owned: spec_free() */
	struct frame frame;
	char *error; /* JUDGE_LOAD: what was said; owned */
};

/* Asks everyone about one frame on the rules that are loaded. */
int judge_all(struct bench *bench, enum fw_hook hook, const struct frame *frame,
	      struct opinion ret[JUDGES]);

/*
 * Drops rules, matches, elements and bytes as long as the same judge still disagrees. Gives up the
 * search, not the result, after two minutes.
 */
void shrink(struct bench *bench, struct disagreement *disagreement);

/* Rules, packet, and what each judge said. */
void disagreement_print(struct bench *bench, const struct disagreement *disagreement,
			struct buffer *buffer);
void disagreement_free(struct disagreement *disagreement);

#endif
