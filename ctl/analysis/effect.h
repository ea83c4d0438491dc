/* SPDX-License-Identifier: GPL-2.0-only */
/* What rules do to a packet that they match, compared: lint and diff must mean the same by it. */
#ifndef FWCTL_ANALYSIS_EFFECT_H
#define FWCTL_ANALYSIS_EFFECT_H

#include <string.h>

#include "language/model.h"

static inline bool limits_equal(const struct limit *a, const struct limit *b)
{
	if (!a || !b)
		return a == b;
	return a->unit == b->unit && a->rate == b->rate && a->seconds == b->seconds &&
	       a->burst == b->burst && a->per == b->per;
}

/* The same verdict, and the same done besides, but for the log and the counter. */
static inline bool effects_equal(const struct rule *a, const struct rule *b)
{
	return a->action == b->action && a->keep_state == b->keep_state &&
	       a->syncookie == b->syncookie && limits_equal(a->limit, b->limit);
}

static inline bool logs_equal(const struct rule *a, const struct rule *b)
{
	return a->log == b->log && (!a->log || a->log_sample == b->log_sample);
}

/* A verdict and nothing else, as a default gives it. */
static inline bool effect_is_plain(const struct rule *rule)
{
	return !rule->keep_state && !rule->syncookie && !rule->limit && !rule->log;
}

#endif
