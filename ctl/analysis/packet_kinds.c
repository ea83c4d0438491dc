/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/packet_kinds.h"

#include "analysis/evaluate.h"
#include "fw/answer.h"
#include "fw/flow_track.h"

#define KINDS_MATCHES 5
#define A_HOST	      0x20010db8U /* in both families */

/* The matches of a rule that tell kinds of packets, as a rule. */
struct kinds {
	struct rule rule;
	struct match matches[KINDS_MATCHES];
	bool (*wanted)(const struct fw_packet *packet, bool pickup);
	bool pickup;
};

static void kinds_make(struct kinds *kinds, const struct rule *rule)
{
	static const enum match_kind told[KINDS_MATCHES] = {
		MATCH_ETHERTYPE, MATCH_PROTOCOL, MATCH_FLAGS, MATCH_ICMP_TYPE, MATCH_FRAGMENT,
	};

	kinds->rule = *rule;
	kinds->rule.matches = kinds->matches;
	kinds->rule.match_count = 0;
	for (size_t i = 0; i < KINDS_MATCHES; i++) {
		const struct match *match = rule_find_match(rule, told[i]);

		if (match)
			kinds->matches[kinds->rule.match_count++] = *match;
	}
}

static bool kind_is_wanted(const struct kinds *kinds, const struct fw_packet *packet)
{
	return !rule_failing_match(&kinds->rule, packet, NULL) &&
	       kinds->wanted(packet, kinds->pickup);
}

/* All TCP flags, or all ICMP types; else there is just one. */
static bool any_of_protocol(const struct kinds *kinds, struct fw_packet packet)
{
	uint8_t icmp = packet.family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6;

	if (packet.has & FW_IS_FRAGMENT)
		return kind_is_wanted(kinds, &packet);
	if (packet.protocol == FW_PROTOCOL_TCP)
		packet.has |= FW_HAS_PORTS | FW_HAS_FLAGS;
	else if (packet.protocol == icmp)
		packet.has |= FW_HAS_ICMP;
	else
		return kind_is_wanted(kinds, &packet);
	for (unsigned value = 0; value <= UINT8_MAX; value++) {
		packet.tcp_flags = packet.icmp_type = (uint8_t)value;
		if (kind_is_wanted(kinds, &packet))
			return true;
	}
	return false;
}

static bool any_of_rule(struct kinds *kinds, const struct rule *rule)
{
	kinds_make(kinds, rule);
	for (enum fw_family family = FW_INET; family <= FW_INET6; family++) {
		struct fw_packet packet = {
			.family = family,
			.ethertype = family == FW_INET ? FW_ETHERTYPE_IPV4 : FW_ETHERTYPE_IPV6,
			.source = { A_HOST, 0, 0, 1 },
			.destination = { A_HOST, 0, 0, 2 },
			.state = FW_STATE_NEW,
		};

		for (unsigned i = 0; i < 2 * 256; i++) {
			packet.protocol = (uint8_t)(i / 2);
			packet.has = i % 2 ? FW_IS_FRAGMENT : 0;
			if (any_of_protocol(kinds, packet))
				return true;
		}
	}
	return false;
}

static bool begins_flow(const struct fw_packet *packet, bool pickup)
{
	struct fw_flow_name name;

	if (!fw_flow_name(packet, 0, &name))
		return false;
	return name.may_open ||
	       (pickup && packet->has & FW_HAS_FLAGS && fw_tcp_flags_are_sane(packet->tcp_flags) &&
		!(packet->tcp_flags & (FW_TCP_SYN | FW_TCP_RST)));
}

uint8_t packet_states(const struct fw_packet *packet)
{
	uint8_t icmp = packet->family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6;
	__u32 answers;

	if (packet->family == FW_OTHER)
		return FW_STATE_NEW;
	if (packet->protocol != icmp)
		return FW_STATE_NEW | FW_STATE_ESTABLISHED;
	/* It has the state of the first one. */
	if (packet->has & FW_IS_FRAGMENT)
		return FW_STATE_NEW | FW_STATE_ESTABLISHED | FW_STATE_RELATED;
	if (fw_icmp_is_error(packet->family, packet->icmp_type))
		return FW_STATE_NEW | FW_STATE_RELATED;
	return fw_icmp_query(packet->family, packet->icmp_type, &answers)
		       ? FW_STATE_NEW | FW_STATE_ESTABLISHED
		       : FW_STATE_NEW;
}

static bool is_answered(const struct fw_packet *packet, bool pickup)
{
	(void)pickup;
	return fw_answer_to(packet) != FW_ANSWER_NONE;
}

bool rule_may_record(const struct rule *rule, bool pickup)
{
	struct kinds kinds = { .wanted = begins_flow, .pickup = pickup };

	return any_of_rule(&kinds, rule);
}

/* Literal addresses only, and none of them a single host's. */
static bool is_for_groups(const struct rule *rule)
{
	const struct match *match = rule_find_match(rule, MATCH_DESTINATION);
	const struct address_list *list = match ? &match->addresses : NULL;

	if (!match || match->negated || list->any || list->set_count)
		return false;
	/* Sorted: the lowest tells. */
	return (!list->ranges.inet_count || list->ranges.inet[0].low >= 0xe0000000U) &&
	       (!list->ranges.inet6_count || list->ranges.inet6[0].low[0] >= 0xff000000U);
}

bool rule_may_be_answered(const struct rule *rule)
{
	struct kinds kinds = { .wanted = is_answered };

	return !is_for_groups(rule) && any_of_rule(&kinds, rule);
}
