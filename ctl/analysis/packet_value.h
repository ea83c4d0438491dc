/* SPDX-License-Identifier: GPL-2.0-only */
/* The two sides of a match that failed: what the rule asks for, and what the packet has. */
#ifndef FWCTL_ANALYSIS_PACKET_VALUE_H
#define FWCTL_ANALYSIS_PACKET_VALUE_H

#include "analysis/packet_text.h"
#include "base/buffer.h"
#include "language/model.h"

/* Adds what the packet has there: "198.51.100.1", "SA", "no ports". */
void packet_value_print(const struct met_packet *met, enum match_kind kind, struct buffer *buffer);

/* Adds one of the packet's addresses. */
void packet_address_print(const struct fw_packet *packet, const uint32_t word[4],
			  struct buffer *buffer);

/* Adds the match as the rule has it: "from @blocklist"; of a family that nobody wrote, which. */
void match_text_print(const struct rule *rule, const struct match *match, struct buffer *buffer);

#endif
