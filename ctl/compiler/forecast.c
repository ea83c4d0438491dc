/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the compiler knows of the cheapest and of the worst packet of an instance, for cost.c. The
 * typical packet is one that the first candidate decides and that meets, of the rules that go on,
 * only those that all packets meet. The worst has of each kind of work the most that there can be,
 * which need not be one and the same packet.
 */
#include "compiler/forecast.h"

#include "compiler/instance.h"
#include "fw/image.h"

static bool bit_is_set(const uint64_t *bits, size_t bit)
{
	return bits[bit / 64] >> bit % 64 & 1;
}

/* Does each row of the axis have the bit? */
static bool rows_have(const struct rows *rows, size_t bit)
{
	for (size_t i = 0; i < rows->count; i++)
		if (!bit_is_set(rows_at(rows, i), bit))
			return false;
	return true;
}

/* Does every packet of the instance meet this rule that goes on? */
static bool all_meet(const struct instance *instance, size_t counted)
{
	const struct term *term = &instance->terms.counted[counted];

	for (int axis = AXIS_SMALL; axis < AXES; axis++)
		if (term->predicate[axis])
			return false;
	for (int axis = 0; axis < WORST_AXES; axis++)
		if (!rows_have(&instance->rows[axis], instance->space.words * 64 + counted))
			return false;
	return true;
}

static void cost_add_counted(struct cost *cost, const struct instance *instance, size_t counted)
{
	const struct term *term = &instance->terms.counted[counted];

	cost->counted++;
	cost->limits += instance->terms.block->rules[term->rule].limit != NULL;
}

static bool is_limited(const struct block *block)
{
	for (size_t i = 0; i < block->count; i++)
		if (block->rules[i].limit && !rule_goes_on(&block->rules[i]))
			return true;
	return false;
}

/* If either hook has a rule that keeps state, both follow flows. */
static bool any_rule(const struct ruleset *ruleset, bool (*is)(const struct rule *rule))
{
	for (int hook = 0; hook < FW_HOOKS; hook++)
		for (size_t i = 0; i < ruleset->blocks[hook].count; i++)
			if (is(&ruleset->blocks[hook].rules[i]))
				return true;
	return false;
}

static bool keeps_state(const struct rule *rule)
{
	return rule->keep_state;
}

static bool uses_state(const struct rule *rule)
{
	return rule->keep_state || rule_find_match(rule, MATCH_STATE);
}

/* A set that is small is in the cache: the declared size, as nobody knows what it will hold. */
#define SET_CACHED 10000

/* Every packet asks the sets that rules of its hook and family name, on each side. */
static void cost_add_sets(struct cost *cost, const struct instance *instance)
{
	const struct ruleset *ruleset = instance->input->ruleset;

	for (size_t i = 0; i < ruleset->set_count; i++) {
		const struct set *set = &ruleset->sets[i];
		bool is_small = set->size && set->size <= SET_CACHED;

		for (int side = 0; set->kind == SET_LIVE && side < 2; side++) {
			bool is_asked = instance->out.sets[side] >> set->live_index & 1;

			cost->sets += is_asked && is_small;
			cost->full_sets += is_asked && !is_small;
		}
	}
}

static bool answers_syns(const struct instance *instance)
{
	const struct block *block = instance->terms.block;

	for (size_t i = 0; i < block->count; i++)
		if (block->rules[i].syncookie &&
		    block->rules[i].families & FAMILY_BIT(instance->terms.family))
			return true;
	return false;
}

/* What all packets of the instance have in common, and what the typical one needs besides. */
static struct cost typical_cost(const struct instance *instance)
{
	struct cost cost = {
		.grouped = instance->grouped,
		.wide = instance->terms.family == FW_INET6,
		.words = 1,
		.candidates = 1,
		.state = instance->terms.family != FW_OTHER &&
			 any_rule(instance->input->ruleset, uses_state),
	};

	cost_add_sets(&cost, instance);
	cost.sets += cost.full_sets;
	cost.full_sets = 0;
	for (size_t i = 0; i < instance->terms.counted_count; i++)
		if (all_meet(instance, i))
			cost_add_counted(&cost, instance, i);
	return cost;
}

static struct cost worst_cost(const struct instance *instance, struct cost cost)
{
	const struct block *block = instance->terms.block;
	size_t words = instance->space.words;

	cost.candidates = instance->worst.candidates;
	cost.words = words > FW_EXACT_WORDS ? instance->worst.rounds - cost.candidates : words;
	cost.counted = cost.limits = 0;
	for (size_t i = 0; i < instance->terms.counted_count; i++)
		if (bit_is_set(instance->counted.bits, i))
			cost_add_counted(&cost, instance, i);
	cost.limits += is_limited(block);
	cost.new_flow = cost.state && any_rule(instance->input->ruleset, keeps_state);
	cost.cookie = answers_syns(instance);
	cost.sets = cost.full_sets = 0;
	cost_add_sets(&cost, instance);
	cost.sets_row = cost.sets + cost.full_sets > 1;
	return cost;
}

/* The rules that make the worst packet dear: those that go on if they cost more than the others. */
static void blame(struct forecast_part *part, const struct instance *instance)
{
	struct cost without = part->worst;
	const struct terms *terms = &instance->terms;
	const uint64_t *bits = instance->worst.bits;
	size_t count = instance->space.words * 64;

	without.counted = without.limits = 0;
	part->by_counted = 2 * cost_ns(&without) < cost_ns(&part->worst);
	if (part->by_counted) {
		bits = instance->counted.bits;
		count = terms->counted_count;
	}
	for (size_t i = 0; i < count && part->rule_count < FORECAST_RULES; i++) {
		if (!bit_is_set(bits, i))
			continue;
		part->rules[part->rule_count++] = part->by_counted ? terms->counted[i].rule
						  : instance->grouped
							  ? instance->groups.items[i].best_rule
							  : terms->items[i].rule;
	}
}

void forecast_part_fill(struct forecast_part *part, const struct instance *instance)
{
	const struct worst *worst = &instance->worst;

	*part = (struct forecast_part){
		.hook = instance->hook,
		.family = instance->terms.family,
		.form = instance->grouped ? COMPILE_GROUPS : COMPILE_TERMS,
		.bits = instance->grouped ? instance->groups.count : instance->terms.count,
		.source_classes = instance->rows[0].count,
		.destination_classes = instance->rows[1].count,
		.service_classes = instance->rows[2].count,
		.longest_chain = instance->groups.longest_chain,
		.candidates = worst->candidates,
		.exact = worst->exact && instance->counted.exact,
		.typical = typical_cost(instance),
	};
	part->worst = worst_cost(instance, part->typical);
	blame(part, instance);
}

bool forecast_part_is_uneven(const struct forecast_part *part)
{
	struct cost without = part->worst;

	/* A SYN that is answered is spared the host: rules are not to blame for its cost. */
	without.cookie = false;
	return part->worst_ns - (cost_ns(&part->worst) - cost_ns(&without)) > 10 * part->typical_ns;
}

int forecast_make(const struct compile_input *input, struct forecast *ret_forecast,
		  char **ret_error)
{
	struct forecast forecast = { 0 };
	struct compile_input asking = *input;
	const struct fw_image_header *header;
	struct image image;
	int error;

	asking.forecast = &forecast;
	error = compile(&asking, &image, ret_error);
	if (error)
		return error;
	header = image.bytes;
	forecast.image_bytes = image.size;
	for (size_t i = 0; i < forecast.count; i++) {
		struct forecast_part *part = &forecast.parts[i];

		part->typical.image_bytes = part->worst.image_bytes = image.size;
		part->typical_ns = cost_ns(&part->typical);
		part->worst_ns = cost_ns(&part->worst);
	}
	for (int hook = 0; hook < FW_HOOKS; hook++)
		forecast.features[hook] = header->features[hook];
	image_free(&image);
	*ret_forecast = forecast;
	return 0;
}
