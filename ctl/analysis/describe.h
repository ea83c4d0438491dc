/* SPDX-License-Identifier: GPL-2.0-only */
/* How lint and diff name rules and packets to people. */
#ifndef FWCTL_ANALYSIS_DESCRIBE_H
#define FWCTL_ANALYSIS_DESCRIBE_H

#include "base/buffer.h"
#include "language/model.h"

/* A rule, EVALUATE_DEFAULT for the default, or a packet at a hook. */
struct subject {
	const struct ruleset *ruleset;
	enum fw_hook hook;
	size_t rule;
};

/*
 * Adds "'ssh' (line 12)", "'pass tcp to port 22' (rules.d/a.conf:3)", "the default (drop)". The
 * file is named unless it is `near`.
 */
void describe_rule(const struct subject *subject, const struct location *near,
		   struct buffer *buffer);

/* Adds the packet as packet_text.h has it, and which live sets its addresses are in. */
void describe_packet(const struct subject *subject, const struct fw_packet *packet,
		     const char *interface, struct buffer *buffer);

#endif
