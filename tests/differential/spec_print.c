/* SPDX-License-Identifier: GPL-2.0-only */
/* The spec in the rule language, and what little of its meaning both printers need. */
#include "spec.h"

#include <stdlib.h>
#include <string.h>

static void print_address(uint8_t family, const uint32_t word[4], struct buffer *buffer)
{
	struct address address = { .family = family };
	char text[ADDRESS_TEXT_MAX];

	memcpy(address.word, word, sizeof(address.word));
	address_print(&address, text);
	buffer_puts(buffer, text);
}

static void print_address_element(const struct spec_element *element, struct buffer *buffer)
{
	unsigned bits = element->family == FW_INET ? 32 : 128;

	print_address(element->family, element->first, buffer);
	if (element->length == 255) {
		buffer_putc(buffer, '-');
		print_address(element->family, element->last, buffer);
	} else if (element->length < bits) {
		buffer_printf(buffer, "/%u", element->length);
	}
}

static void print_flags(uint64_t flags, struct buffer *buffer)
{
	for (int bit = 0; bit < 8; bit++)
		if (flags >> bit & 1)
			buffer_putc(buffer, "FSRPAUEW"[bit]);
}

static void print_mac(uint64_t mac, struct buffer *buffer)
{
	for (int shift = 40; shift >= 0; shift -= 8)
		buffer_printf(buffer, "%s%02x", shift < 40 ? ":" : "",
			      (unsigned)(mac >> shift & 0xff));
}

static void print_number(enum match_kind kind, uint64_t number, struct buffer *buffer)
{
	if (kind == MATCH_SOURCE_MAC || kind == MATCH_DESTINATION_MAC)
		print_mac(number, buffer);
	else
		buffer_printf(buffer, kind == MATCH_ETHERTYPE ? "0x%04llx" : "%llu",
			      (unsigned long long)number);
}

static void print_element(enum match_kind kind, const struct spec_element *element,
			  struct buffer *buffer)
{
	if (element->set >= 0) {
		buffer_printf(buffer, "@s%d", element->set);
	} else if (element->name) {
		buffer_printf(buffer, "\"%s\"", element->name);
	} else if (kind == MATCH_SOURCE || kind == MATCH_DESTINATION) {
		print_address_element(element, buffer);
	} else if (kind == MATCH_FLAGS) {
		print_flags(element->low, buffer);
		buffer_putc(buffer, '/');
		print_flags(element->high, buffer);
	} else {
		print_number(kind, element->low, buffer);
		if (element->low == element->high)
			return;
		buffer_putc(buffer, '-');
		print_number(kind, element->high, buffer);
	}
}

static void print_elements(const struct spec_match *match, struct buffer *buffer)
{
	if (match->negated)
		buffer_puts(buffer, "not ");
	if (match->count == 1) {
		print_element(match->kind, &match->elements[0], buffer);
		return;
	}
	for (size_t i = 0; i < match->count; i++) {
		buffer_puts(buffer, i ? ", " : "{ ");
		print_element(match->kind, &match->elements[i], buffer);
	}
	buffer_puts(buffer, " }");
}

/* `port` stands right behind the addresses, if there are any. */
static enum match_kind joined_port(enum match_kind kind)
{
	switch (kind) {
	case MATCH_SOURCE:
		return MATCH_SOURCE_PORT;
	case MATCH_DESTINATION:
		return MATCH_DESTINATION_PORT;
	default:
		return MATCH_KINDS;
	}
}

static bool stands_behind_addresses(const struct spec_rule *rule, enum match_kind kind)
{
	return (kind == MATCH_SOURCE_PORT && spec_find_match(rule, MATCH_SOURCE)) ||
	       (kind == MATCH_DESTINATION_PORT && spec_find_match(rule, MATCH_DESTINATION));
}

/* ICMP and ICMPv6 stand as keywords, because `type` wants them before it; tcp and udp likewise. */
static const char *protocol_keyword(const struct spec_match *match)
{
	if (match->negated || match->count != 1 ||
	    match->elements[0].low != match->elements[0].high)
		return NULL;
	switch (match->elements[0].low) {
	case 1:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 58:
		return "icmp6";
	default:
		return NULL;
	}
}

static void print_match(const struct spec_rule *rule, const struct spec_match *match,
			struct buffer *buffer)
{
	static const char *const words[MATCH_KINDS] = {
		[MATCH_INTERFACE] = "on",
		[MATCH_PROTOCOL] = "proto",
		[MATCH_SOURCE] = "from",
		[MATCH_SOURCE_PORT] = "from port",
		[MATCH_DESTINATION] = "to",
		[MATCH_DESTINATION_PORT] = "to port",
		[MATCH_FLAGS] = "flags",
		[MATCH_ICMP_TYPE] = "type",
		[MATCH_ICMP_CODE] = "code",
		[MATCH_FRAGMENT] = "fragment",
		[MATCH_LENGTH] = "length",
		[MATCH_TTL] = "ttl",
		[MATCH_DSCP] = "dscp",
		[MATCH_VLAN] = "vlan",
		[MATCH_ETHERTYPE] = "ethertype",
		[MATCH_SOURCE_MAC] = "smac",
		[MATCH_DESTINATION_MAC] = "dmac",
	};
	const char *word = words[match->kind];
	const struct spec_match *port = spec_find_match(rule, joined_port(match->kind));

	if (stands_behind_addresses(rule, match->kind))
		return;
	if (match->kind == MATCH_PROTOCOL && protocol_keyword(match)) {
		buffer_printf(buffer, " %s", protocol_keyword(match));
		return;
	}
	buffer_printf(buffer, " %s", word);
	if (match->kind == MATCH_FRAGMENT)
		return;
	buffer_putc(buffer, ' ');
	print_elements(match, buffer);
	if (!port)
		return;
	buffer_puts(buffer, " port ");
	print_elements(port, buffer);
}

static const char *action_word(enum fw_action action)
{
	static const char *const words[FW_ACTIONS] = { "pass", "drop", "reject", "count" };

	return words[action];
}

void spec_print_rule(const struct spec_rule *rule, struct buffer *buffer)
{
	buffer_puts(buffer, action_word(rule->action));
	if (rule->family)
		buffer_puts(buffer, rule->family == FW_INET ? " inet" : " inet6");
	for (size_t i = 0; i < rule->match_count; i++)
		print_match(rule, &rule->matches[i], buffer);
	if (rule->labelled)
		buffer_printf(buffer, " label r%u", rule->number);
}

void spec_print(const struct spec *spec, struct buffer *buffer)
{
	static const char *const hooks[FW_HOOKS] = { "ingress", "egress" };

	buffer_printf(buffer, "option essential %s\n", spec->essential ? "on" : "off");
	if (spec->malformed_pass)
		buffer_puts(buffer, "option malformed pass\n");
	for (int i = 0; i < SPEC_SETS; i++) {
		if (!spec->sets[i].count)
			continue;
		buffer_printf(buffer, "set s%d {", i);
		for (size_t n = 0; n < spec->sets[i].count; n++) {
			buffer_puts(buffer, n ? ", " : " ");
			print_element(MATCH_SOURCE, &spec->sets[i].elements[n], buffer);
		}
		buffer_puts(buffer, " }\n");
	}
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct spec_block *block = &spec->blocks[hook];

		buffer_printf(buffer, "%s default %s {\n", hooks[hook],
			      action_word(block->default_action));
		for (size_t i = 0; i < block->count; i++) {
			buffer_putc(buffer, '\t');
			spec_print_rule(&block->rules[i], buffer);
			buffer_putc(buffer, '\n');
		}
		buffer_puts(buffer, "}\n");
	}
}

const struct spec_match *spec_find_match(const struct spec_rule *rule, enum match_kind kind)
{
	for (size_t i = 0; i < rule->match_count; i++)
		if (rule->matches[i].kind == kind)
			return &rule->matches[i];
	return NULL;
}

size_t spec_addresses(const struct spec *spec, const struct spec_match *match, uint8_t family,
		      const struct spec_element **ret, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < match->count; i++) {
		const struct spec_element *element = &match->elements[i];
		const struct spec_set *set = element->set >= 0 ? &spec->sets[element->set] : NULL;
		size_t items = set ? set->count : 1;

		for (size_t n = 0; n < items && count < size; n++) {
			const struct spec_element *item = set ? &set->elements[n] : element;

			if (item->family == family)
				ret[count++] = item;
		}
	}
	return count;
}

/* Literal addresses decide the family; a set may hold either. */
static unsigned address_families(const struct spec_match *match)
{
	unsigned families = 0;

	for (size_t i = 0; i < match->count; i++)
		families |= match->elements[i].set < 0 ? FAMILY_BIT(match->elements[i].family)
						       : FAMILY_IP;
	return families;
}

unsigned spec_rule_families(const struct spec *spec, const struct spec_rule *rule)
{
	unsigned families = rule->family ? FAMILY_BIT(rule->family) : FAMILY_ANY;

	(void)spec;
	for (size_t i = 0; i < rule->match_count; i++) {
		const struct spec_match *match = &rule->matches[i];

		switch (match->kind) {
		case MATCH_INTERFACE:
		case MATCH_VLAN:
		case MATCH_ETHERTYPE:
		case MATCH_SOURCE_MAC:
		case MATCH_DESTINATION_MAC:
			break;
		case MATCH_SOURCE:
		case MATCH_DESTINATION:
			families &= address_families(match);
			break;
		case MATCH_ICMP_TYPE:
		case MATCH_ICMP_CODE:
			families &=
				FAMILY_BIT(spec_find_match(rule, MATCH_PROTOCOL)->elements[0].low ==
							   FW_PROTOCOL_ICMP
						   ? FW_INET
						   : FW_INET6);
			break;
		default:
			families &= FAMILY_IP;
		}
	}
	return families;
}

void spec_free(struct spec *spec)
{
	for (int hook = 0; hook < FW_HOOKS; hook++)
		free(spec->blocks[hook].rules);
	*spec = (struct spec){ 0 };
}

void spec_copy(const struct spec *from, struct spec *ret_spec)
{
	*ret_spec = *from;
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct spec_block *block = &from->blocks[hook];
		struct spec_rule *rules = calloc(block->count + 1, sizeof(*rules));

		if (!rules)
			abort();
		if (block->count)
			memcpy(rules, block->rules, block->count * sizeof(*rules));
		ret_spec->blocks[hook].rules = rules;
	}
}
