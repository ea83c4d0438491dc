/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/evaluate.h"

#include <fnmatch.h>

static bool is_ip(const struct fw_packet *packet)
{
	return packet->family == FW_INET || packet->family == FW_INET6;
}

static bool ranges_hold(const struct match *match, uint64_t value)
{
	for (size_t i = 0; i < match->ranges.count; i++)
		if (value >= match->ranges.items[i].low && value <= match->ranges.items[i].high)
			return true;
	return false;
}

static bool names_hold(const struct match *match, const char *interface)
{
	for (size_t i = 0; i < match->names.count; i++)
		if (!fnmatch(match->names.patterns[i], interface, 0))
			return true;
	return false;
}

static bool addresses_hold(const struct address_list *list, const struct fw_packet *packet,
			   const uint32_t address[4], uint64_t live_sets)
{
	if (list->any || ranges_contain(&list->ranges, packet->family, address))
		return true;
	for (size_t i = 0; i < list->set_count; i++) {
		const struct set *set = list->sets[i];

		if (set->kind == SET_LIVE && (live_sets >> set->live_index & 1))
			return true;
		if (set->kind != SET_LIVE && ranges_contain(&set->ranges, packet->family, address))
			return true;
	}
	return false;
}

/* Has the packet what the match asks about? If not, neither it nor its negation matches. */
static bool packet_has(enum match_kind kind, const struct fw_packet *packet, const char *interface)
{
	switch (kind) {
	case MATCH_INTERFACE:
		return interface != NULL;
	case MATCH_SOURCE_PORT:
	case MATCH_DESTINATION_PORT:
		return packet->has & FW_HAS_PORTS;
	case MATCH_FLAGS:
		return packet->has & FW_HAS_FLAGS;
	case MATCH_ICMP_TYPE:
	case MATCH_ICMP_CODE:
		return packet->has & FW_HAS_ICMP;
	case MATCH_STATE:
		return packet->state != 0;
	case MATCH_VLAN:
		return packet->vlan != FW_NO_VLAN;
	case MATCH_SOURCE_MAC:
	case MATCH_DESTINATION_MAC:
		return packet->has & FW_HAS_MAC;
	case MATCH_FAMILY:
	case MATCH_ETHERTYPE:
		return true;
	default:
		return is_ip(packet);
	}
}

/* The match as written, but for its `not`, of a packet that has what it asks about. */
static bool match_holds(const struct match *match, const struct fw_packet *packet,
			const char *interface)
{
	switch (match->kind) {
	case MATCH_INTERFACE:
		return names_hold(match, interface);
	case MATCH_FAMILY:
		return packet->family == match->family;
	case MATCH_PROTOCOL:
		return ranges_hold(match, packet->protocol);
	case MATCH_SOURCE:
		return addresses_hold(&match->addresses, packet, packet->source,
				      packet->source_sets);
	case MATCH_SOURCE_PORT:
		return ranges_hold(match, packet->source_port);
	case MATCH_DESTINATION:
		return addresses_hold(&match->addresses, packet, packet->destination,
				      packet->destination_sets);
	case MATCH_DESTINATION_PORT:
		return ranges_hold(match, packet->destination_port);
	case MATCH_FLAGS:
		return (packet->tcp_flags & match->flags.mask) == match->flags.set;
	case MATCH_ICMP_TYPE:
		return ranges_hold(match, packet->icmp_type);
	case MATCH_ICMP_CODE:
		return ranges_hold(match, packet->icmp_code);
	case MATCH_STATE:
		return packet->state & match->states;
	case MATCH_FRAGMENT:
		return packet->has & FW_IS_FRAGMENT;
	case MATCH_LENGTH:
		return ranges_hold(match, packet->length);
	case MATCH_TTL:
		return ranges_hold(match, packet->ttl);
	case MATCH_DSCP:
		return ranges_hold(match, packet->dscp);
	case MATCH_VLAN:
		return ranges_hold(match, packet->vlan);
	case MATCH_ETHERTYPE:
		return ranges_hold(match, packet->ethertype);
	case MATCH_SOURCE_MAC:
		return ranges_hold(match, packet->source_mac);
	case MATCH_DESTINATION_MAC:
		return ranges_hold(match, packet->destination_mac);
	case MATCH_KINDS:
		break;
	}
	return false;
}

const struct match *rule_failing_match(const struct rule *rule, const struct fw_packet *packet,
				       const char *interface)
{
	static const struct match wrong_family = { .kind = MATCH_FAMILY };

	if (!(rule->families & FAMILY_BIT(packet->family))) {
		const struct match *family = rule_find_match(rule, MATCH_FAMILY);

		return family ? family : &wrong_family;
	}
	for (size_t i = 0; i < rule->match_count; i++) {
		const struct match *match = &rule->matches[i];

		if (!packet_has(match->kind, packet, interface) ||
		    match_holds(match, packet, interface) == match->negated)
			return match;
	}
	return NULL;
}

bool rule_decides(const struct rule *rule)
{
	if (rule->action == FW_COUNT)
		return false;
	return rule->action == FW_PASS || !rule->limit;
}

void evaluate(const struct ruleset *ruleset, enum fw_hook hook, const struct fw_packet *packet,
	      const char *interface, struct evaluation *ret_evaluation)
{
	const struct block *block = &ruleset->blocks[hook];
	struct evaluation evaluation = {
		.rule = EVALUATE_DEFAULT,
		.action = block->present ? block->default_action : FW_PASS,
	};

	for (size_t i = 0; i < block->count; i++) {
		const struct rule *rule = &block->rules[i];

		if (rule_failing_match(rule, packet, interface))
			continue;
		if (rule_decides(rule)) {
			evaluation.rule = i;
			evaluation.action = rule->action;
			break;
		}
		if (rule->action == FW_COUNT && evaluation.counted_count < FW_MAX_COUNTED)
			evaluation.counted[evaluation.counted_count++] = i;
	}
	*ret_evaluation = evaluation;
}
