/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random rules. Values come from small pools, nested and next to each other, so that rules overlap,
 * hide each other and have neighbours that packets can just miss.
 */
#include "spec.h"

#include <stdlib.h>
#include <string.h>

const char *const spec_interfaces[FW_HOOKS] = { "fwdin", "fwdeg" };

static const uint32_t networks4[] = { 0x0a000000, 0x0a010000, 0x0a010200, 0xc0000200, 0xc6336400,
				      0xac100000, 0xe0000000, 0x00000000, 0xffffff00, 0xc0000280 };
static const uint32_t networks6[][4] = {
	{ 0x20010db8, 0, 0, 0 },
	{ 0x20010db8, 0x00010000, 0, 0 },
	{ 0x20010db8, 0x00010002, 0, 0 },
	{ 0xfe800000, 0, 0, 0 },
	{ 0xff020000, 0, 0, 0 },
	{ 0x20010db8, 0x00010002, 0x00030000, 0x00040000 },
	{ 0, 0, 0, 0 },
	{ 0xffffffff, 0xffffffff, 0xffffffff, 0xffffff00 },
};

/* A network of the pool with a few random bits in its low end or where a prefix may cut it. */
static void random_address(struct random *random, uint8_t family, uint32_t word[4])
{
	memset(word, 0, 4 * sizeof(word[0]));
	if (family == FW_INET) {
		word[0] = random_pick(random, networks4) | random_below(random, 256);
		if (random_one_in(random, 4))
			word[0] ^= 1U << random_below(random, 24);
		return;
	}
	memcpy(word, random_pick(random, networks6), 4 * sizeof(word[0]));
	word[3] |= random_below(random, 16);
	if (random_one_in(random, 3))
		word[random_below(random, 4)] ^= 1U << random_below(random, 32);
}

static void cut_to_prefix(struct spec_element *element)
{
	for (int i = 0; i < 4; i++) {
		int bits = element->length - 32 * i;
		uint32_t mask = bits >= 32 ? ~0U : bits <= 0 ? 0 : ~0U << (32 - bits);

		if (element->family == FW_INET && i > 0)
			mask = ~0U;
		element->first[i] &= mask;
		element->last[i] = element->first[i] | ~mask;
	}
}

static void generate_prefix(struct random *random, struct spec_element *element)
{
	static const uint8_t lengths4[] = { 8, 12, 15, 16, 17, 20, 23, 24, 25, 28, 30, 31, 32, 32 };
	static const uint8_t lengths6[] = { 7,	10, 32, 33, 47,	 48,  49,  56,	63,
					    64, 65, 96, 97, 112, 120, 127, 128, 128 };

	element->length = element->family == FW_INET ? random_pick(random, lengths4)
						     : random_pick(random, lengths6);
	if (random_one_in(random, 10))
		element->length =
			(uint8_t)random_between(random, 0, element->family == FW_INET ? 32 : 128);
	cut_to_prefix(element);
}

/* From `first` some way up, within its lowest word. */
static void generate_span(struct random *random, struct spec_element *element)
{
	int word = element->family == FW_INET ? 0 : 3;
	uint32_t reach = random_one_in(random, 3) ? 1U << random_below(random, 32)
						  : random_below(random, 300);
	uint32_t room = ~element->first[word];

	element->length = 255;
	memcpy(element->last, element->first, sizeof(element->last));
	element->last[word] += reach < room ? reach : room;
	if (element->last[word] == element->first[word])
		element->length = element->family == FW_INET ? 32 : 128;
}

static void generate_address(struct random *random, uint8_t family, struct spec_element *element)
{
	*element = (struct spec_element){ .set = -1, .family = family };
	random_address(random, family, element->first);
	if (random_one_in(random, 4))
		generate_span(random, element);
	else
		generate_prefix(random, element);
}

static void generate_set(struct random *random, struct spec_set *set)
{
	bool mixed = random_one_in(random, 2);
	uint8_t family = random_one_in(random, 2) ? FW_INET : FW_INET6;

	set->count = (uint8_t)random_between(random, 1, SPEC_SET_ELEMENTS);
	for (size_t i = 0; i < set->count; i++)
		generate_address(random,
				 mixed ? (random_one_in(random, 2) ? FW_INET : FW_INET6) : family,
				 &set->elements[i]);
}

static void generate_addresses(const struct spec *spec, struct random *random, uint8_t family,
			       struct spec_match *match)
{
	for (size_t i = 0; i < match->count; i++) {
		int set = (int)random_below(random, SPEC_SETS);

		generate_address(random, family, &match->elements[i]);
		if (random_one_in(random, 12))
			generate_address(random, family ^ FW_INET ^ FW_INET6, &match->elements[i]);
		if (random_one_in(random, 4) && spec->sets[set].count)
			match->elements[i].set = set;
	}
}

static const struct {
	uint64_t low;
	uint64_t high;
	uint8_t pool_count;
	uint64_t pool[14];
} numbers[MATCH_KINDS] = {
	[MATCH_PROTOCOL] = { 0, 255, 14, { 6, 17, 1, 58, 132, 47, 50, 51, 4, 41, 136, 33, 59, 0 } },
	[MATCH_SOURCE_PORT] = { 0, 65535, 9, { 0, 1, 53, 1023, 1024, 4096, 32768, 65534, 65535 } },
	[MATCH_DESTINATION_PORT] = { 0, 65535, 9, { 22, 53, 80, 443, 8000, 8080, 1024, 0, 65535 } },
	[MATCH_ICMP_TYPE] = { 0, 255, 10, { 0, 3, 8, 11, 128, 129, 133, 135, 136, 255 } },
	[MATCH_ICMP_CODE] = { 0, 255, 6, { 0, 1, 3, 4, 13, 255 } },
	[MATCH_LENGTH] = { 20, 1500, 9, { 20, 28, 40, 44, 48, 60, 64, 100, 255 } },
	[MATCH_TTL] = { 0, 255, 6, { 0, 1, 63, 64, 128, 255 } },
	[MATCH_DSCP] = { 0, 63, 6, { 0, 1, 10, 46, 48, 63 } },
	[MATCH_VLAN] = { 1, 4095, 6, { 1, 2, 5, 100, 4094, 4095 } },
	[MATCH_ETHERTYPE] = { 0x600,
			      0xffff,
			      7,
			      { 0x800, 0x86dd, 0x806, 0x88cc, 0x8847, 0x600, 0xffff } },
	[MATCH_SOURCE_MAC] = { 0,
			       0xffffffffffffULL,
			       4,
			       { 0x00005e005301, 0x00005e005302, 0x00005e0053ff, 0x020000000001 } },
	[MATCH_DESTINATION_MAC] = { 0,
				    0xffffffffffffULL,
				    5,
				    { 0x00005e005301, 0x00005e005302, 0x0180c200000e,
				      0x01005e000001, 0xffffffffffff } },
};

static void generate_number(struct random *random, enum match_kind kind,
			    struct spec_element *element)
{
	uint64_t low = numbers[kind].pool[random_below(random, numbers[kind].pool_count)];
	uint64_t reach = 0;

	if (random_one_in(random, 6))
		low = random_between(random, numbers[kind].low, numbers[kind].high);
	if (random_one_in(random, 3))
		reach = random_between(random, 1, random_one_in(random, 2) ? 4 : 500);
	if (reach > numbers[kind].high - low)
		reach = numbers[kind].high - low;
	*element = (struct spec_element){ .set = -1, .low = low, .high = low + reach };
}

static void generate_flags(struct random *random, struct spec_element *element)
{
	static const uint8_t masks[] = { 0x12, 0x02, 0x17, 0x3f, 0xff, 0x04, 0xc0 };
	uint8_t mask = random_pick(random, masks);

	if (random_one_in(random, 4))
		mask = (uint8_t)random_between(random, 1, 255);
	*element =
		(struct spec_element){ .set = -1, .low = random_next(random) & mask, .high = mask };
}

static void generate_names(struct random *random, struct spec_match *match)
{
	static const char *const names[] = { "fwdin", "fwdeg", "fwd*", "fwdi*", "lo", "eth*" };

	for (size_t i = 0; i < match->count; i++)
		match->elements[i] =
			(struct spec_element){ .set = -1, .name = random_pick(random, names) };
}

static void add_match(const struct spec *spec, struct random *random, uint8_t family,
		      enum match_kind kind, struct spec_rule *rule)
{
	struct spec_match *match;

	if (rule->match_count == SPEC_MATCHES || spec_find_match(rule, kind))
		return;
	match = &rule->matches[rule->match_count++];
	*match = (struct spec_match){ .kind = kind, .count = 1 };
	if (kind == MATCH_FRAGMENT)
		return;
	if (kind == MATCH_FLAGS) {
		generate_flags(random, &match->elements[0]);
		return;
	}
	if (random_one_in(random, 3))
		match->count = (uint8_t)random_between(random, 2, SPEC_ELEMENTS);
	match->negated = random_one_in(random, 5);
	if (kind == MATCH_SOURCE || kind == MATCH_DESTINATION)
		generate_addresses(spec, random, family, match);
	else if (kind == MATCH_INTERFACE)
		generate_names(random, match);
	else
		for (size_t i = 0; i < match->count; i++)
			generate_number(random, kind, &match->elements[i]);
}

static void add_protocol(struct random *random, uint64_t protocol, struct spec_rule *rule)
{
	(void)random;
	rule->matches[rule->match_count++] = (struct spec_match){
		.kind = MATCH_PROTOCOL,
		.count = 1,
		.elements[0] = { .set = -1, .low = protocol, .high = protocol },
	};
}

/* What stands at the head of most rules: a protocol and what belongs to it. */
static void generate_transport(const struct spec *spec, struct random *random, uint8_t family,
			       struct spec_rule *rule)
{
	switch (random_below(random, 6)) {
	case 0:
	case 1:
		add_protocol(random, random_one_in(random, 2) ? 6 : 17, rule);
		if (random_one_in(random, 3))
			add_match(spec, random, family, MATCH_SOURCE_PORT, rule);
		if (!random_one_in(random, 3))
			add_match(spec, random, family, MATCH_DESTINATION_PORT, rule);
		if (random_one_in(random, 4) && rule->matches[0].elements[0].low == 6)
			add_match(spec, random, family, MATCH_FLAGS, rule);
		break;
	case 2:
		add_protocol(random, family == FW_INET ? 1 : 58, rule);
		if (!random_one_in(random, 3))
			add_match(spec, random, family, MATCH_ICMP_TYPE, rule);
		if (rule->match_count == 2 && random_one_in(random, 2))
			add_match(spec, random, family, MATCH_ICMP_CODE, rule);
		break;
	case 3:
		add_match(spec, random, family, MATCH_PROTOCOL, rule);
		break;
	case 4:
		add_match(spec, random, family, MATCH_DESTINATION_PORT, rule);
		break;
	}
}

static void generate_rule(const struct spec *spec, struct random *random, struct spec_rule *rule)
{
	static const enum match_kind rare[] = {
		MATCH_INTERFACE, MATCH_FRAGMENT,    MATCH_LENGTH,    MATCH_TTL,
		MATCH_DSCP,	 MATCH_VLAN,	    MATCH_ETHERTYPE, MATCH_SOURCE_MAC,
		MATCH_FLAGS,	 MATCH_SOURCE_PORT, MATCH_VLAN,	     MATCH_DESTINATION_MAC,
	};
	uint8_t family = random_one_in(random, 2) ? FW_INET : FW_INET6;

	rule->match_count = 0;
	rule->family = random_one_in(random, 10) ? family : FW_OTHER;
	if (!random_one_in(random, 8))
		generate_transport(spec, random, family, rule);
	if (random_one_in(random, 2))
		add_match(spec, random, family, MATCH_SOURCE, rule);
	if (random_one_in(random, 2))
		add_match(spec, random, family, MATCH_DESTINATION, rule);
	while (random_one_in(random, 3))
		add_match(spec, random, family, random_pick(random, rare), rule);
	rule->labelled = !random_one_in(random, 4);
}

static enum fw_action random_action(struct random *random, size_t counts)
{
	uint32_t dice = random_below(random, 16);

	if (dice < 2 && counts < SPEC_COUNT_RULES)
		return FW_COUNT;
	if (dice < 3)
		return FW_REJECT;
	return dice < 9 ? FW_PASS : FW_DROP;
}

/* A rule without a label goes by its text: no two of a block may have the same. */
static void label_twins(struct spec_block *block)
{
	struct buffer mine = { 0 }, other = { 0 };
	struct spec_rule *last = &block->rules[block->count - 1];

	spec_print_rule(last, &mine);
	for (size_t i = 0; i + 1 < block->count && !last->labelled; i++) {
		buffer_clear(&other);
		spec_print_rule(&block->rules[i], &other);
		if (!strcmp(buffer_text(&mine), buffer_text(&other)))
			last->labelled = true;
	}
	buffer_free(&mine);
	buffer_free(&other);
}

/* Rules that match everything would end the block: only as a `count`, or near the end. */
static bool rule_ends_block(const struct spec_rule *rule)
{
	return rule->match_count == 0 && rule->action != FW_COUNT;
}

static void generate_block(const struct spec *spec, struct random *random, size_t size,
			   struct spec_block *block)
{
	size_t counts = 0, wanted = random_between(random, size / 2 + 1, size + 1);

	block->default_action = random_one_in(random, 2) ? FW_PASS : FW_DROP;
	block->rules = calloc(wanted, sizeof(block->rules[0]));
	if (!block->rules)
		abort();
	while (block->count < wanted) {
		struct spec_rule *rule = &block->rules[block->count];

		rule->action = random_action(random, counts);
		do {
			generate_rule(spec, random, rule);
		} while (!spec_rule_families(spec, rule) || rule_ends_block(rule));
		rule->number = (uint16_t)block->count++;
		counts += rule->action == FW_COUNT;
		label_twins(block);
	}
}

void spec_generate(struct spec *spec, struct random *random, size_t size)
{
	*spec = (struct spec){ .malformed_pass = random_one_in(random, 4),
			       .essential = random_one_in(random, 4) };
	for (int i = 0; i < SPEC_SETS; i++)
		if (!random_one_in(random, 3))
			generate_set(random, &spec->sets[i]);
	for (int hook = 0; hook < FW_HOOKS; hook++)
		generate_block(spec, random, size, &spec->blocks[hook]);
}
