/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of one packet, and why: by the reference evaluator, so that it needs neither root
 * nor a kernel. A packet is met while no limit is exceeded and no flow is recorded, unless its
 * text says `state`, and with the elements that the rule file gives to live sets.
 */
#ifndef FWCTL_ANALYSIS_EXPLAIN_H
#define FWCTL_ANALYSIS_EXPLAIN_H

#include <jansson.h>

#include "analysis/evaluate.h"
#include "analysis/packet_text.h"
#include "base/buffer.h"

struct explanation {
	size_t number; /* of the packet, from 1 */
	struct met_packet met;
	enum fw_reason reason; /* FW_OK, or why it is malformed */
	enum fw_verdict verdict;
	struct evaluation evaluation; /* if the reason is FW_OK */
	/* With --kernel: what the real program says, and if that is "same", "differs",
	 * "not-asked" or "failed"; else NULL. */
	const char *kernel;
	const char *kernel_text;
};

/* What `fwctl explain` was asked for. */
struct explain_options {
	bool numbered; /* of several packets: with their numbers */
	bool why;      /* what of each rule before did not match */
};

/* `ret_explanation` comes with number, met and reason; the rest is set. */
void explain(const struct ruleset *ruleset, struct explanation *ret_explanation);

/* Lines for people. */
void explanation_print(const struct ruleset *ruleset, const struct explanation *explanation,
		       const struct explain_options *options, struct buffer *buffer);

/*
 * One object, owned by the caller. Keys are only ever added:
 *	packet, hook, verdict, rule, file, line, reason, interface, note, text, action,
 *	counted, recorded
 * and with `why` an array of {rule, file, line, match, packet}, with --kernel `kernel` and
 * `kernel-text`. `rule` is null of a malformed
 * packet, "default" if no rule decided; `file` and `line` are null of built-in rules too.
 */
json_t *explanation_json(const struct ruleset *ruleset, const struct explanation *explanation,
			 const struct explain_options *options);

#endif
