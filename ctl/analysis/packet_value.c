/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/packet_value.h"

#include <string.h>

#include "language/names.h"
#include "language/parser.h"

static const char *const family_names[FW_FAMILIES] = {
	[FW_OTHER] = "no IP header",
	[FW_INET] = "an IPv4 header",
	[FW_INET6] = "an IPv6 header",
};

/* The value as the language writes it. */
static void print_range(enum match_kind kind, const struct fw_packet *packet, uint64_t value,
			struct buffer *buffer)
{
	const struct element element = {
		.kind = ELEMENT_VALUE,
		.range = { .low = value, .high = value },
	};

	element_print(kind, packet->family == FW_INET6, &element, buffer);
}

void packet_address_print(const struct fw_packet *packet, const uint32_t word[4],
			  struct buffer *buffer)
{
	struct address address = { .family = packet->family };
	char text[ADDRESS_TEXT_MAX];

	memcpy(address.word, word, sizeof(address.word));
	address_print(&address, text);
	buffer_puts(buffer, text);
}

static void print_flags(const struct fw_packet *packet, struct buffer *buffer)
{
	char text[16];

	flags_print(packet->tcp_flags, text);
	buffer_puts(buffer, packet->tcp_flags ? text : "no flags set");
}

/* What a packet of this sort has not at all; NULL if it has it. */
static const char *find_absent(const struct met_packet *met, enum match_kind kind)
{
	const struct fw_packet *packet = &met->packet;

	switch (kind) {
	case MATCH_FAMILY:
	case MATCH_ETHERTYPE:
		return NULL;
	case MATCH_INTERFACE:
		return met->interface[0] ? NULL : "no interface named";
	case MATCH_VLAN:
		return packet->vlan != FW_NO_VLAN ? NULL : "no tag";
	case MATCH_SOURCE_MAC:
	case MATCH_DESTINATION_MAC:
		return packet->has & FW_HAS_MAC ? NULL : "no link-layer header";
	case MATCH_SOURCE_PORT:
	case MATCH_DESTINATION_PORT:
		return packet->has & FW_HAS_PORTS ? NULL : "no ports";
	case MATCH_FLAGS:
		return packet->has & FW_HAS_FLAGS ? NULL : "no TCP header";
	case MATCH_ICMP_TYPE:
	case MATCH_ICMP_CODE:
		return packet->has & FW_HAS_ICMP ? NULL : "no ICMP header";
	case MATCH_STATE:
		return packet->state ? NULL : "no state";
	case MATCH_FRAGMENT:
		return "no fragment offset";
	default:
		return packet->family != FW_OTHER ? NULL : "no IP header";
	}
}

void packet_value_print(const struct met_packet *met, enum match_kind kind, struct buffer *buffer)
{
	const struct fw_packet *packet = &met->packet;
	const uint64_t values[MATCH_KINDS] = {
		[MATCH_PROTOCOL] = packet->protocol,
		[MATCH_SOURCE_PORT] = packet->source_port,
		[MATCH_DESTINATION_PORT] = packet->destination_port,
		[MATCH_ICMP_TYPE] = packet->icmp_type,
		[MATCH_ICMP_CODE] = packet->icmp_code,
		[MATCH_STATE] = packet->state,
		[MATCH_LENGTH] = packet->length,
		[MATCH_TTL] = packet->ttl,
		[MATCH_DSCP] = packet->dscp,
		[MATCH_VLAN] = packet->vlan,
		[MATCH_ETHERTYPE] = packet->ethertype,
		[MATCH_SOURCE_MAC] = packet->source_mac,
		[MATCH_DESTINATION_MAC] = packet->destination_mac,
	};
	const char *absent = find_absent(met, kind);

	if (absent)
		buffer_puts(buffer, absent);
	else if (kind == MATCH_INTERFACE)
		buffer_puts(buffer, met->interface);
	else if (kind == MATCH_FAMILY)
		buffer_puts(buffer, family_names[packet->family]);
	else if (kind == MATCH_SOURCE)
		packet_address_print(packet, packet->source, buffer);
	else if (kind == MATCH_DESTINATION)
		packet_address_print(packet, packet->destination, buffer);
	else if (kind == MATCH_FLAGS)
		print_flags(packet, buffer);
	else
		print_range(kind, packet, values[kind], buffer);
}

static const char *families_text(uint8_t families)
{
	if ((families & FAMILY_IP) == FAMILY_IP)
		return "inet or inet6";
	return families & FAMILY_BIT(FW_INET) ? "inet" : "inet6";
}

/* A rule of one match, printed without its action. ICMP types have names by their protocol. */
void match_text_print(const struct rule *rule, const struct match *match, struct buffer *buffer)
{
	bool of_icmp = match->kind == MATCH_ICMP_TYPE || match->kind == MATCH_ICMP_CODE;
	const struct match *protocol = rule_find_match(rule, MATCH_PROTOCOL);
	_cleanup_buffer_ struct buffer text = { 0 };
	struct match matches[2];
	struct rule single = { .action = FW_PASS, .matches = matches };

	if (match->kind == MATCH_FAMILY && !rule_find_match(rule, MATCH_FAMILY)) {
		buffer_puts(buffer, families_text(rule->families));
		return;
	}
	if (of_icmp && protocol)
		matches[single.match_count++] = *protocol;
	matches[single.match_count++] = *match;
	rule_print(&single, &text);
	buffer_puts(buffer, buffer_text(&text) + strlen("pass "));
}
