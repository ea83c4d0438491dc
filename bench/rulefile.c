/* SPDX-License-Identifier: GPL-2.0-only */
#include "rulefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/evaluate.h"
#include "plane.h"

/* Any value of the match, or any at all if the rule does not ask. */
static uint64_t draw_value(const struct rule *rule, enum match_kind kind, uint64_t *state)
{
	const struct match *match = rule_find_match(rule, kind);
	const struct range *range;

	if (!match || match->negated || !match->ranges.count)
		return bench_random(state);
	range = &match->ranges.items[bench_random(state) % match->ranges.count];
	return range->low + bench_random(state) % (range->high - range->low + 1);
}

static const struct address_ranges *ranges_of(const struct match *match, uint64_t *state)
{
	const struct address_list *list = &match->addresses;

	if (!list->set_count ||
	    (list->ranges.inet_count + list->ranges.inet6_count && bench_random(state) & 1))
		return &list->ranges;
	return &list->sets[bench_random(state) % list->set_count]->ranges;
}

static void draw_any_address(uint32_t word[4], bool six, uint64_t *state)
{
	for (int i = 0; i < (six ? 4 : 1); i++)
		word[i] = (uint32_t)bench_random(state);
}

static void draw_address(const struct rule *rule, enum match_kind kind, bool six, uint32_t word[4],
			 uint64_t *state)
{
	const struct match *match = rule_find_match(rule, kind);
	const struct address_ranges *ranges;

	draw_any_address(word, six, state);
	if (!match || match->negated)
		return;
	ranges = ranges_of(match, state);
	if (six && ranges->inet6_count) {
		size_t number = bench_random(state) % ranges->inet6_count;

		/* First or last: what lies between is a matter of carries. */
		memcpy(word,
		       bench_random(state) & 1 ? ranges->inet6[number].high
					       : ranges->inet6[number].low,
		       sizeof(ranges->inet6[number].low));
	} else if (!six && ranges->inet_count) {
		const struct range4 *range =
			&ranges->inet[bench_random(state) % ranges->inet_count];

		word[0] = range->low + (uint32_t)(bench_random(state) %
						  ((uint64_t)range->high - range->low + 1));
	}
}

static void draw(const struct block *block, uint64_t *state, struct bench_header *header)
{
	const struct rule *rule = &block->rules[bench_random(state) % block->count];
	bool six = !(rule->families & FAMILY_BIT(FW_INET)) ||
		   (rule->families & FAMILY_BIT(FW_INET6) && bench_random(state) & 1);
	bool asks = rule_find_match(rule, MATCH_PROTOCOL);
	uint8_t protocol = asks ? (uint8_t)draw_value(rule, MATCH_PROTOCOL, state) : 6;

	memset(header, 0, sizeof(*header));
	header->family = six ? FW_INET6 : FW_INET;
	header->protocol = protocol;
	draw_address(rule, MATCH_SOURCE, six, header->source, state);
	draw_address(rule, MATCH_DESTINATION, six, header->destination, state);
	if (protocol != 6 && protocol != 17)
		return;
	header->has = FW_HAS_PORTS;
	header->source_port = (uint16_t)draw_value(rule, MATCH_SOURCE_PORT, state);
	header->destination_port = (uint16_t)draw_value(rule, MATCH_DESTINATION_PORT, state);
}

int bench_set_read_rules(const char *path, uint64_t seed, struct bench_set *ret_set)
{
	struct bench_set set = { .ruleset = rules_read(path) };
	const struct block *block;

	if (!set.ruleset)
		return -EINVAL;
	block = &set.ruleset->blocks[FW_INGRESS];
	set.name = strdup(strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	set.count = block->count;
	set.headers = calloc(BENCH_HEADERS, sizeof(*set.headers));
	if (!set.name || !set.headers)
		abort();
	for (size_t i = 0; block->count && i < BENCH_HEADERS; i++)
		draw(block, &seed, &set.headers[i]);
	*ret_set = set;
	if (block->count)
		return 0;
	bench_set_free(ret_set);
	return -ENODATA;
}

size_t ruleset_match(const struct ruleset *ruleset, const struct bench_header *header)
{
	struct fw_packet packet = {
		.source_port = header->source_port,
		.destination_port = header->destination_port,
		.protocol = header->protocol,
		.family = header->family,
		.has = header->has,
		.vlan = FW_NO_VLAN,
	};
	struct evaluation evaluation;

	memcpy(packet.source, header->source, sizeof(packet.source));
	memcpy(packet.destination, header->destination, sizeof(packet.destination));
	evaluate(ruleset, FW_INGRESS, &packet, NULL, &evaluation);
	return evaluation.rule == EVALUATE_DEFAULT ? ruleset->blocks[FW_INGRESS].count
						   : evaluation.rule;
}
