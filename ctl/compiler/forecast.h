/* SPDX-License-Identifier: GPL-2.0-only */
/* What compiled rules will cost, for `fwctl check`: told by the compiler, not measured. */
#ifndef FWCTL_COMPILER_FORECAST_H
#define FWCTL_COMPILER_FORECAST_H

#include "compiler/compile.h"
#include "compiler/cost.h"

#define FORECAST_RULES 8

/* One hook and family that has rules. */
struct forecast_part {
	enum fw_hook hook;
	enum fw_family family;
	enum compile_form form; /* COMPILE_TERMS or COMPILE_GROUPS */
	size_t bits;		/* terms, or groups ("tuples") */
	size_t source_classes;
	size_t destination_classes;
	size_t service_classes;
	size_t longest_chain; /* COMPILE_GROUPS: records of one key */
	size_t candidates;    /* that the worst packet leaves */
	bool exact;	      /* false: there may be packets with more */
	struct cost typical;
	struct cost worst;
	double typical_ns; /* over parsing and counting, on the machine of docs/classifier.md */
	double worst_ns;
	uint32_t
		rules[FORECAST_RULES]; /* indexes: rules the worst packet has to be compared with */
	size_t rule_count;
	bool by_counted; /* rules: those that go on which it meets */
};

struct forecast {
	struct forecast_part parts[FW_HOOKS * FW_FAMILIES];
	size_t count;
	size_t image_bytes;
	uint32_t features[FW_HOOKS]; /* FW_NEEDS_*, ... of fw/image.h */
};

/* The worst packet costs more than 10 times the typical one: say so. */
bool forecast_part_is_uneven(const struct forecast_part *part);

/* Compiles, and says what came of it. Errors as from compile(). */
int forecast_make(const struct compile_input *input, struct forecast *ret_forecast,
		  char **ret_error);

#endif
