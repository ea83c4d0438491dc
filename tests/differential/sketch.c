/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets for rules: a rule is chosen, a packet made that it matches at the edges of its ranges,
 * and then often one thing changed by one. Others are wholly random.
 */
#include "sketch.h"

#include <string.h>

static void words_step(uint32_t word[4], int last, int by)
{
	for (int i = last; i >= 0; i--) {
		word[i] += (uint32_t)by;
		if (word[i] != (by > 0 ? 0 : ~0U))
			break;
	}
}

/* An edge of the element, or just outside it if `miss`, or somewhere within its lowest word. */
static void pick_address(struct random *random, const struct spec_element *element, bool miss,
			 uint32_t word[4])
{
	int last = element->family == FW_INET ? 0 : 3;
	bool high = random_one_in(random, 2);

	memcpy(word, high ? element->last : element->first, 4 * sizeof(word[0]));
	if (miss)
		words_step(word, last, high ? 1 : -1);
	else if (random_one_in(random, 3) && element->first[last] <= element->last[last])
		word[last] =
			(uint32_t)random_between(random, element->first[last], element->last[last]);
}

static uint64_t pick_number(struct random *random, const struct spec_element *element, bool miss)
{
	bool high = random_one_in(random, 2);

	if (miss)
		return high ? element->high + 1 : element->low - 1;
	if (random_one_in(random, 3))
		return random_between(random, element->low, element->high);
	return high ? element->high : element->low;
}

static void follow_addresses(const struct spec *spec, struct random *random,
			     const struct spec_match *match, bool miss, struct sketch *sketch)
{
	const struct spec_element *elements[SPEC_ELEMENTS * SPEC_SET_ELEMENTS];
	size_t count = spec_addresses(spec, match, sketch->family, elements,
				      SPEC_ELEMENTS * SPEC_SET_ELEMENTS);

	if (count)
		pick_address(random, elements[random_below(random, count)], miss,
			     match->kind == MATCH_SOURCE ? sketch->source : sketch->destination);
}

static void follow_flags(struct random *random, const struct spec_element *flags, bool miss,
			 struct sketch *sketch)
{
	uint8_t noise = (uint8_t)random_next(random);

	sketch->tcp_flags = (uint8_t)(flags->low | (noise & ~flags->high));
	if (miss)
		sketch->tcp_flags ^= (uint8_t)(1U << random_below(random, 8));
	sketch->protocol = 6;
}

static void follow_vlan(uint64_t vid, struct random *random, struct sketch *sketch)
{
	if (!sketch->tag_count)
		sketch->tag_types[0] = 0x8100;
	if (!sketch->tag_count || random_one_in(random, 2))
		sketch->tag_count = 1;
	sketch->tags[0] = (uint16_t)((vid & 0xfff) | random_below(random, 16) << 12);
}

static void follow_ethertype(uint64_t ethertype, struct sketch *sketch)
{
	sketch->ethertype = (uint16_t)ethertype;
	sketch->family = ethertype == 0x800 ? FW_INET : ethertype == 0x86dd ? FW_INET6 : FW_OTHER;
}

/* So much payload that the packet gets the length, if it can. */
static void follow_length(uint64_t length, struct sketch *sketch)
{
	size_t headers = sketch->family == FW_INET ? 20 + sketch->option_words * 4U : 40;

	switch (sketch->protocol) {
	case 6:
		headers += 20;
		break;
	case 17:
	case 1:
	case 58:
		headers += 8;
		break;
	case 33:
	case 132:
	case 136:
		headers += 12;
		break;
	}
	sketch->extension_count = 0;
	if (length >= headers && length < headers + 1500)
		sketch->payload = (uint16_t)(length - headers);
}

static void follow_number(struct random *random, const struct spec_match *match, bool miss,
			  struct sketch *sketch)
{
	const struct spec_element *element = &match->elements[random_below(random, match->count)];
	uint64_t number = pick_number(random, element, miss);

	switch (match->kind) {
	case MATCH_PROTOCOL:
		sketch->protocol = (uint8_t)number;
		break;
	case MATCH_SOURCE_PORT:
		sketch->source_port = (uint16_t)number;
		break;
	case MATCH_DESTINATION_PORT:
		sketch->destination_port = (uint16_t)number;
		break;
	case MATCH_FLAGS:
		follow_flags(random, element, miss, sketch);
		break;
	case MATCH_ICMP_TYPE:
		sketch->icmp_type = (uint8_t)number;
		break;
	case MATCH_ICMP_CODE:
		sketch->icmp_code = (uint8_t)number;
		break;
	case MATCH_FRAGMENT:
		sketch->fragment = miss ? SKETCH_FIRST_FRAGMENT : SKETCH_LATER_FRAGMENT;
		break;
	case MATCH_LENGTH:
		follow_length(number, sketch);
		break;
	case MATCH_TTL:
		sketch->ttl = (uint8_t)number;
		break;
	case MATCH_DSCP:
		sketch->dscp = number & 63;
		break;
	case MATCH_VLAN:
		follow_vlan(number, random, sketch);
		break;
	case MATCH_ETHERTYPE:
		follow_ethertype(number, sketch);
		break;
	case MATCH_SOURCE_MAC:
		sketch->source_mac = number & 0xffffffffffffULL;
		break;
	case MATCH_DESTINATION_MAC:
		sketch->destination_mac = number & 0xffffffffffffULL;
		break;
	default:
		break;
	}
}

static void follow_match(const struct spec *spec, struct random *random,
			 const struct spec_match *match, bool miss, struct sketch *sketch)
{
	if (match->kind == MATCH_SOURCE || match->kind == MATCH_DESTINATION)
		follow_addresses(spec, random, match, miss, sketch);
	else if (match->kind != MATCH_INTERFACE)
		follow_number(random, match, miss, sketch);
}

/* A packet for the rule. One time in two, one of its matches is just missed. */
static void follow_rule(const struct spec *spec, const struct spec_rule *rule,
			struct random *random, struct sketch *sketch)
{
	unsigned families = spec_rule_families(spec, rule);
	uint32_t missed = UINT32_MAX;

	if (!(families & FAMILY_BIT(sketch->family)))
		sketch->family = families & FAMILY_BIT(FW_INET) ? FW_INET : FW_INET6;
	if (rule->match_count && random_one_in(random, 2))
		missed = random_below(random, rule->match_count);
	if (spec_find_match(rule, MATCH_SOURCE_PORT) ||
	    spec_find_match(rule, MATCH_DESTINATION_PORT))
		sketch->protocol = random_one_in(random, 2) ? 6 : 17;
	/* The length last: it depends on the headers. */
	for (uint32_t i = 0; i < rule->match_count; i++) {
		const struct spec_match *match = &rule->matches[i];

		if (match->kind != MATCH_LENGTH)
			follow_match(spec, random, match, match->negated != (missed == i), sketch);
	}
	for (uint32_t i = 0; i < rule->match_count; i++)
		if (rule->matches[i].kind == MATCH_LENGTH)
			follow_match(spec, random, &rule->matches[i],
				     rule->matches[i].negated != (missed == i), sketch);
}

static void random_tags(struct random *random, struct sketch *sketch)
{
	static const uint16_t types[] = { 0x8100, 0x8100, 0x8100, 0x88a8, 0x9100 };
	static const uint16_t vids[] = { 0, 1, 2, 5, 100, 4094, 4095 };

	sketch->tag_count = (uint8_t)(random_one_in(random, 8) ? random_below(random, 4) : 1);
	for (int i = 0; i < 3; i++) {
		sketch->tag_types[i] = random_pick(random, types);
		sketch->tags[i] =
			(uint16_t)(random_pick(random, vids) | random_below(random, 16) << 12);
	}
}

static void random_network(struct random *random, struct sketch *sketch)
{
	static const uint8_t extensions[] = { 0, 43, 60, 60, 51, 135, 139, 140 };

	if (random_one_in(random, 6)) {
		sketch->fragment = (uint8_t)random_below(random, 4);
		sketch->fragment_offset = (uint16_t)random_between(random, 1, 8000);
		if (random_one_in(random, 3))
			sketch->fragment_offset = (uint16_t)random_between(random, 1, 3);
	}
	if (random_one_in(random, 6))
		sketch->option_words = (uint8_t)random_between(random, 1, 10);
	if (random_one_in(random, 5))
		sketch->extension_count = (uint8_t)random_between(random, 1, SKETCH_EXTENSIONS);
	for (int i = 0; i < SKETCH_EXTENSIONS; i++)
		sketch->extensions[i] = random_pick(random, extensions);
	sketch->ttl = random_one_in(random, 2) ? 64 : (uint8_t)random_next(random);
	sketch->dscp = random_one_in(random, 2) ? 0 : random_below(random, 64);
	for (int i = 0; i < 4; i++) {
		sketch->source[i] = (uint32_t)random_next(random);
		sketch->destination[i] = (uint32_t)random_next(random);
	}
}

static void random_sketch(struct random *random, struct sketch *sketch)
{
	static const uint8_t protocols[] = {
		6, 6, 6, 17, 17, 1, 58, 132, 136, 33, 47, 50, 51, 4, 59
	};
	static const uint16_t ethertypes[] = { 0x806, 0x88cc, 0x8847, 0x600, 0x5ff, 38, 0xffff };

	*sketch =
		(struct sketch){ .source_mac = 0x00005e005301, .destination_mac = 0x00005e005302 };
	sketch->family = (uint8_t)(random_one_in(random, 10)  ? FW_OTHER
				   : random_one_in(random, 2) ? FW_INET
							      : FW_INET6);
	sketch->protocol = random_pick(random, protocols);
	sketch->ethertype = random_pick(random, ethertypes);
	sketch->source_port = (uint16_t)random_next(random);
	sketch->destination_port = (uint16_t)random_next(random);
	sketch->tcp_flags = (uint8_t)random_next(random);
	sketch->icmp_type = (uint8_t)random_next(random);
	sketch->icmp_code = random_below(random, 5);
	sketch->payload = (uint16_t)random_below(random, random_one_in(random, 8) ? 1200 : 40);
	sketch->padding = (uint8_t)(random_one_in(random, 3) ? random_below(random, 30) : 0);
	random_network(random, sketch);
	if (random_one_in(random, 5))
		random_tags(random, sketch);
}

void sketch_generate(const struct spec *spec, enum fw_hook hook, struct random *random,
		     struct sketch *ret_sketch)
{
	const struct spec_block *block = &spec->blocks[hook];

	random_sketch(random, ret_sketch);
	/* Several rules: a packet of one that a later one would take too. */
	for (int i = 0; i < 2 && block->count; i++)
		if (!random_one_in(random, 4))
			follow_rule(spec, &block->rules[random_below(random, block->count)], random,
				    ret_sketch);
	if (ret_sketch->payload > 1500)
		ret_sketch->payload = 1500;
}
