/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The spec in the words of nftables. The rule that decides is told by the packet's mark: bits 0-11
 * are its number in the block plus one (NFT_DEFAULT for the default), one bit above them is set for
 * each `count` rule met, bit 31 for a fragment after the first. A decided packet is forwarded to
 * the device where the harness listens, whatever the verdict.
 *
 * A rule becomes one line a family, or a line for every frame if it names nothing of the network
 * layer. Fragments are told apart by a line of our own, because the netdev hook reads ports out of
 * later ones.
 */
#include "nft.h"

#include <stdio.h>
#include <string.h>

#define MAX_ELEMENTS (SPEC_ELEMENTS * SPEC_SET_ELEMENTS)

struct printer {
	const struct spec *spec;
	const struct spec_rule *rule;
	enum fw_family family; /* of the line */
	struct buffer *buffer;
};

static void print_words(struct buffer *buffer, uint8_t family, const uint32_t word[4])
{
	struct address address = { .family = family };
	char text[ADDRESS_TEXT_MAX];

	memcpy(address.word, word, sizeof(address.word));
	address_print(&address, text);
	buffer_puts(buffer, text);
}

/* False: no packet of the family can match. Not one element of it, negated, is no condition. */
static bool print_addresses(const struct printer *printer, const struct spec_match *match)
{
	const struct spec_element *elements[MAX_ELEMENTS];
	size_t count = spec_addresses(printer->spec, match, (uint8_t)printer->family, elements,
				      MAX_ELEMENTS);
	struct buffer *buffer = printer->buffer;

	if (!count)
		return match->negated;
	buffer_printf(buffer, " %s %s%s {", printer->family == FW_INET ? "ip" : "ip6",
		      match->kind == MATCH_SOURCE ? "saddr" : "daddr", match->negated ? " !=" : "");
	for (size_t i = 0; i < count; i++) {
		buffer_puts(buffer, i ? ", " : " ");
		print_words(buffer, elements[i]->family, elements[i]->first);
		if (elements[i]->length == 255) {
			buffer_putc(buffer, '-');
			print_words(buffer, elements[i]->family, elements[i]->last);
		} else {
			buffer_printf(buffer, "/%u", elements[i]->length);
		}
	}
	buffer_puts(buffer, " }");
	return true;
}

static void print_number(struct buffer *buffer, enum match_kind kind, uint64_t number)
{
	if (kind != MATCH_SOURCE_MAC && kind != MATCH_DESTINATION_MAC) {
		buffer_printf(buffer, "%llu", (unsigned long long)number);
		return;
	}
	for (int shift = 40; shift >= 0; shift -= 8)
		buffer_printf(buffer, "%s%02x", shift < 40 ? ":" : "",
			      (unsigned)(number >> shift & 0xff));
}

/*
 * `what` is in the ranges of the match, each made less by `offset`. False as above. Behind a `not`
 * also a single number is a range: nft 1.0.6 makes one comparison out of two on neighbouring
 * fields, and then `!= a` and `!= b` is "not both".
 */
static bool print_numbers(const struct printer *printer, const struct spec_match *match,
			  const char *what, uint64_t offset)
{
	struct buffer *buffer = printer->buffer;
	size_t count = 0;

	for (size_t i = 0; i < match->count; i++) {
		const struct spec_element *element = &match->elements[i];
		uint64_t low = element->low > offset ? element->low - offset : 0;

		if (element->high < offset)
			continue;
		if (count++)
			buffer_puts(buffer, ", ");
		else
			buffer_printf(buffer, " %s%s { ", what, match->negated ? " !=" : "");
		print_number(buffer, match->kind, low);
		if (element->high - offset == low && !match->negated)
			continue;
		buffer_putc(buffer, '-');
		print_number(buffer, match->kind, element->high - offset);
	}
	if (!count)
		return match->negated;
	buffer_puts(buffer, " }");
	return true;
}

static bool print_interfaces(const struct printer *printer, const struct spec_match *match)
{
	buffer_printf(printer->buffer, " iifname%s {", match->negated ? " !=" : "");
	for (size_t i = 0; i < match->count; i++)
		buffer_printf(printer->buffer, "%s\"%s\"", i ? ", " : " ", match->elements[i].name);
	buffer_puts(printer->buffer, " }");
	return true;
}

#define NOT_LATER_FRAGMENT " meta mark and 0x80000000 == 0"
#define IS_LATER_FRAGMENT  " meta mark and 0x80000000 != 0"

/* Protocols whose header begins with ports: TCP, UDP, DCCP, SCTP, UDP-Lite. */
static bool print_ports(const struct printer *printer, const struct spec_match *match)
{
	buffer_puts(printer->buffer, NOT_LATER_FRAGMENT " meta l4proto { 6, 17, 33, 132, 136 }");
	return print_numbers(printer, match,
			     match->kind == MATCH_SOURCE_PORT ? "th sport" : "th dport", 0);
}

static bool print_icmp(const struct printer *printer, const struct spec_match *match)
{
	const char *what = match->kind == MATCH_ICMP_TYPE ? "icmp type" : "icmp code";

	if (printer->family == FW_INET6)
		what = match->kind == MATCH_ICMP_TYPE ? "icmpv6 type" : "icmpv6 code";
	buffer_puts(printer->buffer, NOT_LATER_FRAGMENT);
	return print_numbers(printer, match, what, 0);
}

/* As a byte of the header: `tcp flags` may not stand beside another protocol, even if in vain. */
static bool print_flags(const struct printer *printer, const struct spec_match *match)
{
	const struct spec_element *flags = &match->elements[0];

	buffer_printf(printer->buffer,
		      NOT_LATER_FRAGMENT " meta l4proto 6 @th,104,8 & %llu == %llu",
		      (unsigned long long)flags->high, (unsigned long long)flags->low);
	return true;
}

/* Of any type that Linux takes for a tag, and not VID 0, which is only a priority. */
static bool print_vlan(const struct printer *printer, const struct spec_match *match)
{
	buffer_puts(printer->buffer, " @ll,96,16 { 0x8100, 0x88a8 } @ll,112,16 & 0x0fff != 0");
	return print_numbers(printer, match, "@ll,112,16 & 0x0fff", 0);
}

static bool print_match(const struct printer *printer, const struct spec_match *match)
{
	bool inet = printer->family == FW_INET;

	switch (match->kind) {
	case MATCH_INTERFACE:
		return print_interfaces(printer, match);
	case MATCH_PROTOCOL:
		return print_numbers(printer, match, "meta l4proto", 0);
	case MATCH_SOURCE:
	case MATCH_DESTINATION:
		return print_addresses(printer, match);
	case MATCH_SOURCE_PORT:
	case MATCH_DESTINATION_PORT:
		return print_ports(printer, match);
	case MATCH_FLAGS:
		return print_flags(printer, match);
	case MATCH_ICMP_TYPE:
	case MATCH_ICMP_CODE:
		return print_icmp(printer, match);
	case MATCH_FRAGMENT:
		buffer_puts(printer->buffer, IS_LATER_FRAGMENT);
		return true;
	case MATCH_LENGTH:
		return print_numbers(printer, match, inet ? "ip length" : "ip6 length",
				     inet ? 0 : 40);
	case MATCH_TTL:
		return print_numbers(printer, match, inet ? "ip ttl" : "ip6 hoplimit", 0);
	case MATCH_DSCP:
		return print_numbers(printer, match, inet ? "ip dscp" : "ip6 dscp", 0);
	case MATCH_VLAN:
		return print_vlan(printer, match);
	case MATCH_ETHERTYPE:
		return print_numbers(printer, match, "meta protocol", 0);
	case MATCH_SOURCE_MAC:
		return print_numbers(printer, match, "ether saddr", 0);
	case MATCH_DESTINATION_MAC:
		return print_numbers(printer, match, "ether daddr", 0);
	default:
		return false;
	}
}

/* One line of nft for the rule and a family; nothing if it cannot match there. */
static void print_line(const struct spec *spec, const struct spec_rule *rule, enum fw_family family,
		       const char *end, struct buffer *buffer)
{
	struct buffer line = { 0 };
	struct printer printer = { spec, rule, family, &line };
	bool possible = true;

	if (family)
		buffer_printf(&line, " meta protocol %s", family == FW_INET ? "ip" : "ip6");
	for (size_t i = 0; i < rule->match_count && possible; i++)
		if (rule->matches[i].kind != MATCH_ETHERTYPE)
			possible = print_match(&printer, &rule->matches[i]);
	/* Last: behind an ethertype that is not IP, nft refuses `ip length`. */
	if (possible && spec_find_match(rule, MATCH_ETHERTYPE))
		possible = print_match(&printer, spec_find_match(rule, MATCH_ETHERTYPE));
	if (possible)
		buffer_printf(buffer, "\t\t%s %s\n", buffer_text(&line), end);
	buffer_free(&line);
}

static void print_rule(const struct spec *spec, const struct spec_rule *rule, const char *end,
		       struct buffer *buffer)
{
	unsigned families = spec_rule_families(spec, rule);

	if (families & FAMILY_BIT(FW_OTHER)) {
		print_line(spec, rule, FW_OTHER, end, buffer);
		return;
	}
	if (families & FAMILY_BIT(FW_INET))
		print_line(spec, rule, FW_INET, end, buffer);
	if (families & FAMILY_BIT(FW_INET6))
		print_line(spec, rule, FW_INET6, end, buffer);
}

static void print_block(const struct spec *spec, enum fw_hook hook, struct buffer *buffer)
{
	const struct spec_block *block = &spec->blocks[hook];
	unsigned counts = 0;

	buffer_printf(buffer,
		      "\tchain hook%d {\n\t\ttype filter hook ingress device %s priority 0\n"
		      "\t\tmeta protocol ip @nh,48,16 & 0x1fff != 0 meta mark set 0x80000000\n"
		      "\t\tmeta protocol ip6 frag frag-off != 0 meta mark set 0x80000000\n",
		      hook, spec_interfaces[hook]);
	for (size_t i = 0; i < block->count; i++) {
		const struct spec_rule *rule = &block->rules[i];
		char end[96];

		if (rule->action == FW_COUNT)
			snprintf(end, sizeof(end), "meta mark set mark or %u",
				 NFT_COUNTED(counts++));
		else
			snprintf(end, sizeof(end), "meta mark set mark or %zu fwd to " NFT_DEVICE,
				 i + 1);
		print_rule(spec, rule, end, buffer);
	}
	buffer_printf(buffer, "\t\tmeta mark set mark or %u fwd to " NFT_DEVICE "\n\t}\n",
		      NFT_DEFAULT);
}

void nft_print(const struct spec *spec, struct buffer *buffer)
{
	buffer_puts(buffer, "table netdev differential\ndelete table netdev differential\n"
			    "table netdev differential {\n");
	for (int hook = 0; hook < FW_HOOKS; hook++)
		print_block(spec, (enum fw_hook)hook, buffer);
	buffer_puts(buffer, "}\n");
}
