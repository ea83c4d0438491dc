/* SPDX-License-Identifier: GPL-2.0-only */
/* Places a group's records in its hash table. */
#ifndef FWCTL_COMPILER_PLACE_H
#define FWCTL_COMPILER_PLACE_H

#include "compiler/groups.h"
#include "fw/groups.h"

/* Masks of a group as the reader applies them. */
void group_masks(const struct base *base, const uint8_t port_bits[2], enum fw_family family,
		 struct fw_group *ret_masks);

/* What a piece is found by; `masks` has shift and seed too. */
void group_piece_key(const struct piece *piece, const struct fw_group *masks, enum fw_family family,
		     struct fw_group_key *ret_key);

/* struct fw_group `shift` for so many buckets, a power of two. */
uint32_t group_shift(size_t buckets);

/*
 * Chooses size and seed and fills `place`. Pieces for which there is no room in any table of
 * bounded size are taken out of the group: returns how many, in *ret_left (owned).
 */
size_t place_group(struct group *group, const struct pieces *pieces, enum fw_family family,
		   uint32_t **ret_left);

#endif
