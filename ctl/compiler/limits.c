/* SPDX-License-Identifier: GPL-2.0-only */
/* Rates to ticks. A unit's cost is a fraction, kept to 31 bits at least. */
#include "compiler/limits.h"

#include <string.h>

#include "base/digest.h"

#define TICKS	    16000000000ULL /* of a second */
#define SHIFT_MAX   32
#define COST_TARGET (1ULL << 31) /* with an amount below 2^32 no product overflows */

/* With a burst of several jiffies (at most 10 ms each) nothing is lost if only they tell time. */
#define COARSE_BURST (TICKS / 1000 * 40)

static unsigned __int128 ticks_of(const struct limit *limit, uint64_t units)
{
	return (unsigned __int128)limit->seconds * TICKS * units;
}

void limit_compile(const struct limit *limit, struct fw_limit *ret_limit)
{
	uint64_t burst = limit_burst(limit), most;
	unsigned shift = 0;

	while (shift < SHIFT_MAX && (ticks_of(limit, 1) << (shift + 1)) / limit->rate < COST_TARGET)
		shift++;
	*ret_limit = (struct fw_limit){
		.cost = (uint64_t)(((ticks_of(limit, 1) << shift) + limit->rate / 2) / limit->rate),
		.tolerance = (uint64_t)((ticks_of(limit, burst) + limit->rate / 2) / limit->rate),
		.shift = (uint8_t)shift,
		.unit = limit->unit == LIMIT_BITS ? FW_LIMIT_BITS : FW_LIMIT_PACKETS,
		.per = limit->per == LIMIT_SOURCE	 ? FW_LIMIT_PER_SOURCE
		       : limit->per == LIMIT_DESTINATION ? FW_LIMIT_PER_DESTINATION
							 : FW_LIMIT_PER_RULE,
	};
	ret_limit->is_coarse = ret_limit->tolerance >= COARSE_BURST;
	most = (UINT64_MAX >> 1) / ret_limit->cost;
	ret_limit->most = burst < most ? burst : most;
}

/* Apart from every other rule's: the same address has a bucket in each. */
static uint64_t rule_hash(const struct rule *rule, enum fw_hook hook)
{
	const char *identity = rule_identity(rule);
	uint64_t place = (uint64_t)hook * FW_ACTIONS + rule->action;

	return digest_of(identity, strlen(identity)) + place * 0x9e3779b97f4a7c15ULL;
}

size_t limits_count(const struct ruleset *ruleset)
{
	size_t count = 0;

	for (int hook = 0; hook < FW_HOOKS; hook++)
		for (size_t i = 0; i < ruleset->blocks[hook].count; i++)
			count += ruleset->blocks[hook].rules[i].limit != NULL;
	return count;
}

uint32_t limits_write(struct writer *writer, const struct compile_input *input)
{
	size_t count = limits_count(input->ruleset);
	uint32_t offset = writer_add(writer, count * sizeof(struct fw_limit), FW_LINE);
	struct fw_limit *limit = writer_at(writer, offset);

	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &input->ruleset->blocks[hook];

		for (size_t i = 0; i < block->count; i++) {
			const struct rule *rule = &block->rules[i];

			if (!rule->limit)
				continue;
			limit_compile(rule->limit, limit);
			limit->rule = rule_hash(rule, hook);
			limit++;
		}
	}
	return offset / FW_LINE - 1;
}

void limits_number(uint8_t *bytes, const struct fw_image_header *header,
		   const struct compile_input *input)
{
	struct fw_limit *limit = (void *)(bytes + (size_t)(header->limits + 1) * FW_LINE);

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &input->ruleset->blocks[hook];
		const struct fw_limit_place *places = input->limits[hook];

		for (size_t i = 0; i < block->count; i++) {
			if (!block->rules[i].limit)
				continue;
			limit->counter = places ? places[i].counter : 0;
			limit->bucket = places ? places[i].bucket : 0;
			limit++;
		}
	}
}
