/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which rules of two blocks are the same and in the same order. A packet whose judges are both
 * such rules is judged alike: the first of them that it matches comes first in both. So only the
 * others need be looked at.
 */
#ifndef FWCTL_ANALYSIS_ALIGN_H
#define FWCTL_ANALYSIS_ALIGN_H

#include "analysis/space.h"

enum diff_side {
	DIFF_OLD,
	DIFF_NEW,
	DIFF_SIDES,
};

/* layers[side][family]. Sets *ret_changed[side][rule] for the rules that have no counterpart. */
void blocks_align(const struct layer layers[DIFF_SIDES][FW_FAMILIES],
		  bool *const ret_changed[DIFF_SIDES]);

#endif
