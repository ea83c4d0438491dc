/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference evaluator: rules one after the other, the first that matches decides. Plain on
 * purpose: it is what the compiler, the classifier and the kernel programs are checked against,
 * so it shares no code with them but the model and the packet.
 */
#ifndef FWCTL_ANALYSIS_EVALUATE_H
#define FWCTL_ANALYSIS_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "language/model.h"

#define EVALUATE_DEFAULT SIZE_MAX

struct evaluation {
	size_t rule; /* index in the block, or EVALUATE_DEFAULT */
	enum fw_action action;
	size_t counted[FW_MAX_COUNTED]; /* `count` rules met before, in order */
	size_t counted_count;
};

/*
 * `interface` is the name that `on` is compared with; NULL matches no name. A packet is taken to
 * be within every limit, so `drop ... limit`, which drops only what is over it, goes on. Whether
 * an address is in a live set stands in the packet. `counted` holds the first FW_MAX_COUNTED.
 */
void evaluate(const struct ruleset *ruleset, enum fw_hook hook, const struct fw_packet *packet,
	      const char *interface, struct evaluation *ret_evaluation);

/* Does a rule that matches end the search? Not if it counts, or drops only what is over a limit. */
bool rule_decides(const struct rule *rule);

/* NULL if the rule matches, else the first of its matches that does not. A rule that is not for
 * the packet's family fails with a match of kind MATCH_FAMILY. */
const struct match *rule_failing_match(const struct rule *rule, const struct fw_packet *packet,
				       const char *interface);

#endif
