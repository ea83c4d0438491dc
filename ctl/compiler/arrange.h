/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chains are pieces with one key. A bucket holds few, so the longer ones are told apart: first by
 * ports that are exact, then by ranges.
 */
#ifndef FWCTL_COMPILER_ARRANGE_H
#define FWCTL_COMPILER_ARRANGE_H

#include "compiler/pieces.h"

/*
 * Sets `bits` and `share` of all pieces, so that no more than `records` have the same key; drops
 * those that never match first; adds pieces that are cut out of others. Returns how many pieces
 * had one key before.
 */
size_t pieces_arrange(struct pieces *pieces, size_t records);

/*
 * Overlapping pieces that differ in the range of one port only, in the order of their terms, are
 * replaced by disjoint ones that say the same: two cuts a piece at most. cut.c.
 */
void pieces_cut(struct pieces *pieces, const uint32_t *numbers, size_t count, int side,
		uint32_t share);

#endif
