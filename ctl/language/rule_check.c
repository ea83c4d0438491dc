/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with a rule as a whole: modifiers that only make sense with another part of it. */
#include "language/parser.h"

#define TCP	6
#define TCP_SYN 0x02
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_ECN 0xc0 /* a SYN may carry these besides */

static bool is_for_tcp_alone(const struct rule *rule)
{
	const struct match *match = rule_find_match(rule, MATCH_PROTOCOL);

	return match && !match->negated && match->ranges.count == 1 &&
	       match->ranges.items[0].low == TCP && match->ranges.items[0].high == TCP;
}

static bool flags_allow(const struct rule *rule, uint8_t flags)
{
	const struct match *match = rule_find_match(rule, MATCH_FLAGS);

	return !match || ((flags & match->flags.mask) == match->flags.set) != match->negated;
}

static void syncookie_check(struct parser *parser, enum fw_hook hook, const struct rule *rule)
{
	if (rule->action != FW_PASS)
		parser_error(parser, &rule->at, NULL, "only a pass rule answers with SYN cookies");
	else if (hook == FW_EGRESS)
		parser_error(parser, &rule->at, "it belongs to the ingress rule for these SYNs",
			     "an egress rule cannot answer with SYN cookies");
	else if (!is_for_tcp_alone(rule))
		parser_error(parser, &rule->at, "as in: pass tcp to port 80 syncookie",
			     "'syncookie' is for rules that name tcp, and no other protocol");
	else if (!flags_allow(rule, TCP_SYN) && !flags_allow(rule, TCP_SYN | TCP_ECN))
		parser_error(parser, &rule->at, NULL,
			     "'syncookie' does nothing here: the rule's flags exclude a SYN");
	else if (rule->keep_state && !flags_allow(rule, TCP_ACK) &&
		 !flags_allow(rule, TCP_ACK | TCP_PSH))
		parser_error(parser, &rule->at,
			     "without `flags`, other segments of no flow are not recorded either",
			     "the rule's flags exclude the acknowledgement of a cookie, by which "
			     "'syncookie keep state' records a flow");
}

void rule_check(struct parser *parser, enum fw_hook hook, const struct rule *rule)
{
	if (rule->keep_state && rule->action != FW_PASS)
		parser_error(parser, &rule->at, NULL, "only a pass rule keeps state");
	if (rule->syncookie)
		syncookie_check(parser, hook, rule);
}
