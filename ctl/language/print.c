/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule as its canonical text: one way to write it, numbers for ports, the order of the model. */
#include "language/parser.h"

static const char *const match_words[MATCH_KINDS] = {
	[MATCH_INTERFACE] = "on",      [MATCH_PROTOCOL] = "proto",
	[MATCH_SOURCE] = "from",       [MATCH_SOURCE_PORT] = "from port",
	[MATCH_DESTINATION] = "to",    [MATCH_DESTINATION_PORT] = "to port",
	[MATCH_FLAGS] = "flags",       [MATCH_ICMP_TYPE] = "type",
	[MATCH_ICMP_CODE] = "code",    [MATCH_STATE] = "state",
	[MATCH_FRAGMENT] = "fragment", [MATCH_LENGTH] = "length",
	[MATCH_TTL] = "ttl",	       [MATCH_DSCP] = "dscp",
	[MATCH_VLAN] = "vlan",	       [MATCH_ETHERTYPE] = "ethertype",
	[MATCH_SOURCE_MAC] = "smac",   [MATCH_DESTINATION_MAC] = "dmac",
};

static const char *const action_words[FW_ACTIONS] = {
	[FW_PASS] = "pass",
	[FW_DROP] = "drop",
	[FW_REJECT] = "reject",
	[FW_COUNT] = "count",
};

const char *action_name(enum fw_action action)
{
	return action_words[action];
}

const char *match_name(const struct match *match)
{
	if (match->kind == MATCH_FAMILY)
		return match->family == FW_INET ? "inet" : "inet6";
	return match_words[match->kind];
}

void text_print_quoted(const char *text, struct buffer *buffer)
{
	size_t length = strlen(text);

	if (text_is_name(text, length) && keyword_find(text, length) == KEYWORD_NONE)
		buffer_add(buffer, text, length);
	else
		buffer_printf(buffer, "\"%s\"", text);
}

static void print_mac(uint64_t mac, struct buffer *buffer)
{
	for (int shift = 40; shift >= 0; shift -= 8)
		buffer_printf(buffer, "%02x%s", (unsigned)(mac >> shift & 0xff), shift ? ":" : "");
}

static void print_flags(const struct range *range, struct buffer *buffer)
{
	char text[16];

	flags_print((uint8_t)range->low, text);
	buffer_puts(buffer, text);
	buffer_putc(buffer, '/');
	flags_print((uint8_t)range->high, text);
	buffer_puts(buffer, text);
}

/* The names that single values of a kind are printed with, or NULL. */
static const struct name_list *value_names(enum match_kind kind, bool icmp6)
{
	switch (kind) {
	case MATCH_PROTOCOL:
		return &names_protocols;
	case MATCH_ICMP_TYPE:
		return icmp6 ? &names_icmp6_types : &names_icmp_types;
	case MATCH_DSCP:
		return &names_dscp;
	case MATCH_ETHERTYPE:
		return &names_ethertypes;
	case MATCH_STATE:
		return &names_states;
	default:
		return NULL;
	}
}

static void print_number(enum match_kind kind, uint64_t value, struct buffer *buffer)
{
	if (kind == MATCH_SOURCE_MAC || kind == MATCH_DESTINATION_MAC)
		print_mac(value, buffer);
	else if (kind == MATCH_ETHERTYPE)
		buffer_printf(buffer, "0x%04x", (unsigned)value);
	else
		buffer_number(buffer, value);
}

static void print_value(enum match_kind kind, bool icmp6, const struct range *range,
			struct buffer *buffer)
{
	const struct name_list *names = value_names(kind, icmp6);
	const char *name = names ? name_of(names, (uint32_t)range->low) : NULL;

	if (kind == MATCH_FLAGS)
		print_flags(range, buffer);
	else if (name)
		buffer_puts(buffer, name);
	else
		print_number(kind, range->low, buffer);
}

static void print_address(const struct element *element, struct buffer *buffer)
{
	char text[ADDRESS_TEXT_MAX];

	address_print(&element->address.low, text);
	buffer_puts(buffer, text);
	if (element->kind == ELEMENT_PREFIX) {
		buffer_putc(buffer, '/');
		buffer_number(buffer, element->address.prefix_length);
	} else if (element->kind == ELEMENT_SPAN) {
		address_print(&element->address.high, text);
		buffer_putc(buffer, '-');
		buffer_puts(buffer, text);
	}
}

void element_print(enum match_kind kind, bool icmp6, const struct element *element,
		   struct buffer *buffer)
{
	switch (element->kind) {
	case ELEMENT_ANY:
		buffer_puts(buffer, "any");
		break;
	case ELEMENT_VALUE:
		print_value(kind, icmp6, &element->range, buffer);
		break;
	case ELEMENT_RANGE:
		print_number(kind, element->range.low, buffer);
		buffer_putc(buffer, '-');
		print_number(kind, element->range.high, buffer);
		break;
	case ELEMENT_ADDRESS:
	case ELEMENT_PREFIX:
	case ELEMENT_SPAN:
		print_address(element, buffer);
		break;
	case ELEMENT_DEFINE:
		buffer_putc(buffer, '$');
		buffer_puts(buffer, element->name);
		break;
	case ELEMENT_SET:
		buffer_putc(buffer, '@');
		buffer_puts(buffer, element->name);
		break;
	case ELEMENT_NAME:
		if (kind == MATCH_INTERFACE)
			text_print_quoted(element->name, buffer);
		else
			buffer_puts(buffer, element->name);
		break;
	case ELEMENT_STRING:
		buffer_printf(buffer, "\"%s\"", element->name);
		break;
	}
}

void element_list_print(enum match_kind kind, bool icmp6, const struct element_list *list,
			struct buffer *buffer)
{
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			buffer_add(buffer, ", ", 2);
		element_print(kind, icmp6, &list->items[i], buffer);
	}
}

/* [not] one | [not] { one, ... }; states that are not negated need no braces. */
static void print_list(const struct match *match, bool icmp6, struct buffer *buffer)
{
	bool braces = match->written.count != 1 && (match->kind != MATCH_STATE || match->negated);

	if (match->negated)
		buffer_puts(buffer, "not ");
	if (braces)
		buffer_add(buffer, "{ ", 2);
	element_list_print(match->kind, icmp6, &match->written, buffer);
	if (braces)
		buffer_add(buffer, " }", 2);
}

/* A protocol that has a name of its own in the language needs no proto before it. */
static bool is_plain_protocol(const struct match *match)
{
	const struct element *element = match->written.items;

	return match->kind == MATCH_PROTOCOL && !match->negated && match->written.count == 1 &&
	       element->kind == ELEMENT_VALUE &&
	       name_of(&names_protocols, (uint32_t)element->range.low);
}

static void print_match(const struct rule *rule, const struct match *match, bool icmp6,
			struct buffer *buffer)
{
	bool source = match->kind == MATCH_SOURCE_PORT;

	buffer_putc(buffer, ' ');
	if (match->kind == MATCH_FAMILY) {
		buffer_puts(buffer, match_name(match));
		return;
	}
	if (source || match->kind == MATCH_DESTINATION_PORT) {
		if (!rule_find_match(rule, source ? MATCH_SOURCE : MATCH_DESTINATION))
			buffer_puts(buffer, source ? "from " : "to ");
		buffer_puts(buffer, "port");
	} else if (!is_plain_protocol(match)) {
		buffer_puts(buffer, match_name(match));
	}
	if (match->kind == MATCH_FRAGMENT)
		return;
	if (!is_plain_protocol(match))
		buffer_putc(buffer, ' ');
	print_list(match, icmp6, buffer);
}

static void print_limit(const struct limit *limit, struct buffer *buffer)
{
	buffer_printf(buffer, " limit %s", limit->rate_text);
	if (limit->burst_text)
		buffer_printf(buffer, " burst %s", limit->burst_text);
	if (limit->per != LIMIT_ALL)
		buffer_printf(buffer, " per %s",
			      limit->per == LIMIT_SOURCE ? "source" : "destination");
}

#define PROTOCOL_ICMP6 58

void rule_print(const struct rule *rule, struct buffer *buffer)
{
	const struct match *protocol = rule_find_match(rule, MATCH_PROTOCOL);
	bool icmp6 = protocol && protocol->ranges.count &&
		     protocol->ranges.items[0].low == PROTOCOL_ICMP6;

	buffer_puts(buffer, action_words[rule->action]);
	for (size_t i = 0; i < rule->match_count; i++)
		print_match(rule, &rule->matches[i], icmp6, buffer);
	if (rule->keep_state)
		buffer_puts(buffer, " keep state");
	if (rule->syncookie)
		buffer_puts(buffer, " syncookie");
	if (rule->limit)
		print_limit(rule->limit, buffer);
	if (rule->log)
		buffer_puts(buffer, " log");
	if (rule->log && rule->log_sample > 1)
		buffer_printf(buffer, " sample 1/%u", rule->log_sample);
	if (rule->label) {
		buffer_puts(buffer, " label ");
		buffer_puts(buffer, rule->label);
	}
}
