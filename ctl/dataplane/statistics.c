// SPDX-License-Identifier: GPL-2.0-only
/* Counters added up: by rule, by reason, by hook. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/internal.h"

static void counter_add(struct fw_counter *sum, struct fw_counter value)
{
	sum->packets += value.packets;
	sum->bytes += value.bytes;
}

static void hook_add(struct hook_total *total, enum fw_action action, struct fw_counter value)
{
	if (action == FW_PASS)
		counter_add(&total->pass, value);
	else if (action == FW_DROP || action == FW_REJECT)
		counter_add(&total->drop, value);
}

/* Adds up a counter that each CPU has of its own. `values` has room for all of them. */
static int counter_read(int map, uint32_t index, struct fw_counter *values,
			struct fw_counter *ret_sum)
{
	int cpus = libbpf_num_possible_cpus();
	int error = bpf_map_lookup_elem(map, &index, values);

	if (error)
		return error;
	*ret_sum = (struct fw_counter){ 0 };
	for (int cpu = 0; cpu < cpus; cpu++)
		counter_add(ret_sum, values[cpu]);
	return 0;
}

static int reason_read(const struct maps *maps, struct statistics *statistics, uint32_t index,
		       struct fw_counter *values)
{
	uint32_t hook = index / (FW_REASON_SLOTS * 2), reason = index / 2 % FW_REASON_SLOTS;
	struct fw_counter sum;
	int error = counter_read(maps->reasons, index, values, &sum);

	if (error)
		return error;
	counter_add(&statistics->reasons[hook][reason], sum);
	hook_add(&statistics->hooks[hook], index % 2 == FW_VERDICT_PASS ? FW_PASS : FW_DROP, sum);
	return 0;
}

/* What is counted by fixed places: reasons and answers. */
static int reasons_read(struct dataplane *dataplane, struct statistics *statistics)
{
	_cleanup_free_ struct fw_counter *values =
		calloc((size_t)libbpf_num_possible_cpus(), sizeof(*values));
	int error = values ? 0 : -ENOMEM;

	for (unsigned i = 0; i < FW_HOOKS * FW_REASONS * 2 && !error; i++)
		error = reason_read(
			&dataplane->maps, statistics,
			FW_REASON_INDEX(i / (FW_REASONS * 2), i / 2 % FW_REASONS, i % 2), values);
	for (unsigned i = 0; i < FW_HOOKS * FW_ANSWER_OUTCOMES && !error; i++)
		error = counter_read(
			dataplane->maps.answer_count, i, values,
			&statistics->answers[i / FW_ANSWER_OUTCOMES][i % FW_ANSWER_OUTCOMES]);
	for (unsigned i = 0; i < FW_COOKIE_OUTCOMES && !error; i++)
		error = counter_read(dataplane->maps.answer_count, FW_ANSWER_INDEX(FW_HOOKS, i),
				     values, &statistics->cookies[i]);
	return error;
}

static int compare_rules(const void *a, const void *b)
{
	const struct rule_total *first = a, *second = b;

	if (first->hook != second->hook)
		return first->hook < second->hook ? -1 : 1;
	return strcmp(first->identity, second->identity);
}

/* By hook and identity; of one rule, the live entry first, then the youngest. */
static int compare_entries(const void *a, const void *b)
{
	const struct registry_entry *first = a, *second = b;
	int order;

	if (first->hook != second->hook)
		return first->hook < second->hook ? -1 : 1;
	order = strcmp(registry_identity(first), registry_identity(second));
	if (order)
		return order;
	/* 0, which is live, becomes the greatest. */
	return (first->retired - 1 < second->retired - 1) -
	       (first->retired - 1 > second->retired - 1);
}

/* Entries of one identity become one total. */
static void rules_sum(struct statistics *statistics, struct registry *registry,
		      const struct counters *counters)
{
	struct rule_total *rule = NULL;

	qsort(registry->entries, registry->count, sizeof(*registry->entries), compare_entries);
	statistics->rules =
		arena_alloc(registry->arena, (registry->count + 1) * sizeof(*statistics->rules));
	for (size_t i = 0; i < registry->count; i++) {
		const struct registry_entry *entry = &registry->entries[i];
		struct fw_counter value = counters_sum(counters, entry->index);

		value.packets -= entry->start.packets;
		value.bytes -= entry->start.bytes;
		hook_add(&statistics->hooks[entry->hook], registry_verdict(entry), value);
		if (!rule || rule->hook != entry->hook ||
		    strcmp(rule->identity, registry_identity(entry)) != 0) {
			rule = &statistics->rules[statistics->rule_count++];
			rule->hook = entry->hook;
			rule->identity = registry_identity(entry);
			rule->live = !entry->retired;
			rule->action = entry->action;
		}
		if (entry->limited) {
			counter_add(&rule->limited, value);
			continue;
		}
		counter_add(&rule->total, value);
		counter_add(&rule->by_action[entry->action], value);
	}
}

/* 1 if a switch came between: then an index may have changed hands. */
static int statistics_try(struct dataplane *dataplane, struct statistics **ret_statistics)
{
	uint64_t active = maps_active(&dataplane->maps);
	struct manifest_map map = MANIFEST_NONE;
	struct registry *registry;
	struct statistics *statistics;
	struct counters counters;
	int error = generation_manifest(dataplane, &map);

	if (error && error != -ENOENT)
		return error;
	registry = error ? registry_new() : manifest_registry(map.bytes);
	manifest_unmap(&map);
	statistics = arena_alloc(registry->arena, sizeof(*statistics));
	statistics->generation = registry->generation;
	statistics->memory = registry;
	memcpy(statistics->forgotten, registry->removed, sizeof(statistics->forgotten));
	error = counters_open(dataplane, &counters);
	if (!error) {
		for (unsigned hook = 0; hook < FW_HOOKS; hook++)
			for (unsigned action = 0; action < FW_ACTIONS; action++)
				hook_add(&statistics->hooks[hook], (enum fw_action)action,
					 registry->removed[hook][action]);
		rules_sum(statistics, registry, &counters);
		counters_close(&counters);
		error = reasons_read(dataplane, statistics);
		if (error)
			fail(dataplane, error, "cannot read the counters: %s", bpf_reason(error));
	}
	if (!error && (maps_active(&dataplane->maps) != active ||
		       FW_ACTIVE_GENERATION(active) != statistics->generation))
		error = 1;
	if (error) {
		statistics_free(&statistics);
		return error;
	}
	*ret_statistics = statistics;
	return 0;
}

int dataplane_read_statistics(struct dataplane *dataplane, struct statistics **ret_statistics)
{
	if (!dataplane->maps.word)
		return fail(dataplane, -ENOENT, "no rules are loaded; run fwctl apply");
	for (int tries = 0; tries < 100; tries++) {
		int error = statistics_try(dataplane, ret_statistics);

		if (error <= 0)
			return error;
	}
	return fail(dataplane, -EAGAIN,
		    "the rules change faster than their counters can be read: "
		    "try again");
}

void statistics_free(struct statistics **statistics)
{
	struct registry *registry;

	if (!*statistics)
		return;
	registry = (*statistics)->memory; /* the statistics lie in its arena */
	registry_free(&registry);
	*statistics = NULL;
}

const struct rule_total *statistics_find(const struct statistics *statistics, enum fw_hook hook,
					 const char *identity)
{
	const struct rule_total wanted = { .hook = hook, .identity = identity };

	return bsearch(&wanted, statistics->rules, statistics->rule_count,
		       sizeof(*statistics->rules), compare_rules);
}
