/* SPDX-License-Identifier: GPL-2.0-only */
/* A diff for people and for programs. */
#ifndef FWCTL_ANALYSIS_DIFF_PRINT_H
#define FWCTL_ANALYSIS_DIFF_PRINT_H

#include <jansson.h>

#include "analysis/diff.h"
#include "base/buffer.h"

struct diff_input {
	const struct ruleset *old_ruleset;
	const struct ruleset *new_ruleset;
	const struct diff_report *report;
};

/* Nothing differs at all, and the comparison is whole: not even what is not compared. */
bool diff_is_same(const struct diff_report *report);

void diff_print(const struct diff_input *input, struct buffer *buffer);

/*
 * One object, owned by the caller. Keys are only ever added:
 *	same	    true: no packet is judged differently, the comparison is whole, and nothing
 *		    differs besides
 *	complete    false: it stopped early; `undecided` says at how many pairs of rules
 *	undecided
 *	regions     [{hook, change, packet, old: {rule, action, file, line}, new: {...}}]
 *	not_compared what differs besides, of "interface", "option", "live set"
 * `change` is verdict, limit or state; `rule` is a label, canonical text or "default"; file and
 * line are null of defaults and built-in rules.
 */
json_t *diff_json(const struct diff_input *input);

#endif
