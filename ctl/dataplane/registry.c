// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which counter a rule gets. A rule that was there before keeps its own; one that is gone keeps
 * it as an orphan, so that it goes on counting where it stopped if it is added again. Of orphans
 * only the youngest are kept, and those of rules that live on under another action; the totals of
 * the others stay in the hook's totals.
 *
 * An index is given to another rule only if the running generation does not use it: then no
 * packet counts on it any more, because a switch ends with a grace period.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "dataplane/internal.h"

#define ORPHANS_KEPT 1024 /* or as many as there are live entries */

struct planner {
	struct registry *old;
	struct registry *new;
	struct table known; /* key to entry of `old` */
	struct table live;  /* key, under whatever action, of the rules of `new` */
	bool *kept;	    /* entries of `old` that are live in `new` */
	bool *used;	    /* indexes */
	uint32_t used_count;
	uint32_t next; /* no lower index is free */
	struct counters counters;
};

static void key_write(char *key, const struct registry_entry *entry, const char *identity)
{
	key[0] = (char)('0' + entry->hook);
	key[1] = (char)('0' + entry->action + (entry->limited ? REGISTRY_LIMITED : 0));
	strcpy(key + REGISTRY_KEY_PREFIX, identity);
}

/* Keys of the old registry go with it: they are copied. */
static void orphan_add(struct planner *planner, const struct registry_entry *orphan)
{
	struct registry *new = planner->new;
	struct registry_entry *entry = &new->entries[new->count++];

	*entry = *orphan;
	entry->key = arena_strndup(new->arena, orphan->key, strlen(orphan->key));
	if (entry->retired != new->generation)
		entry->bucket = 0;
}

/* The rule's entry of before, or one that still lacks an index (its `start` says so). */
#define NO_INDEX UINT32_MAX

static struct registry_entry *entry_add(struct planner *planner, struct registry_entry entry,
					const char *identity)
{
	struct registry *new = planner->new;
	char *key = arena_alloc(new->arena, strlen(identity) + REGISTRY_KEY_PREFIX + 1);
	const uint32_t *found;

	key_write(key, &entry, identity);
	entry.key = key;
	entry.index = NO_INDEX;
	found = table_find(&planner->known, key, strlen(key));
	if (found) {
		entry.index = planner->old->entries[*found].index;
		entry.start = planner->old->entries[*found].start;
		entry.born = planner->old->entries[*found].born;
		entry.bucket = planner->old->entries[*found].bucket;
		planner->kept[*found] = true;
	}
	new->entries[new->count] = entry;
	return &new->entries[new->count++];
}

static void rule_add(struct planner *planner, enum fw_hook hook, enum fw_action action,
		     const char *identity)
{
	entry_add(planner, (struct registry_entry){ .hook = hook, .action = action }, identity);
}

/* A limit has a counter of its own, and a bucket if it is not for each address alone. */
static void limit_add(struct planner *planner, enum fw_hook hook, const struct rule *rule)
{
	struct registry_entry *entry = entry_add(
		planner,
		(struct registry_entry){ .hook = hook, .action = rule->action, .limited = true },
		rule_identity(rule));

	if (rule->limit->per != LIMIT_ALL)
		entry->bucket = 0;
	else if (!entry->bucket)
		entry->is_new_bucket = true;
}

static void rules_add(struct planner *planner, const struct ruleset *ruleset)
{
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &ruleset->blocks[hook];

		for (size_t i = 0; i < block->count; i++)
			rule_add(planner, hook, block->rules[i].action,
				 rule_identity(&block->rules[i]));
		rule_add(planner, hook, block->default_action, "default");
	}
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &ruleset->blocks[hook];

		for (size_t i = 0; i < block->count; i++)
			if (block->rules[i].limit)
				limit_add(planner, hook, &block->rules[i]);
	}
}

/* The same text for all actions of a rule. */
static char *key_any_action(struct arena *arena, const char *key)
{
	char *any = arena_strndup(arena, key, strlen(key));

	any[1] = '*';
	return any;
}

static void live_note(struct planner *planner, size_t live)
{
	const struct registry *new = planner->new;

	for (size_t i = 0; i < live; i++) {
		const char *key = key_any_action(new->arena, new->entries[i].key);

		table_add(&planner->live, key, strlen(key), (uint32_t)i);
	}
}

static bool orphan_is_needed(struct planner *planner, const struct registry_entry *orphan)
{
	const char *key = key_any_action(planner->new->arena, orphan->key);

	return table_find(&planner->live, key, strlen(key));
}

/* Younger first. */
static int compare_retired(const void *a, const void *b)
{
	const struct registry_entry *const *first = a, *const *second = b;

	return ((*first)->retired < (*second)->retired) - ((*first)->retired > (*second)->retired);
}

/* An orphan that is forgotten leaves its total. No packet counts on it: it is read for good. */
static void orphan_forget(struct planner *planner, const struct registry_entry *orphan)
{
	struct fw_counter now = counters_sum(&planner->counters, orphan->index);
	struct fw_counter *removed = &planner->new->removed[orphan->hook][registry_verdict(orphan)];

	removed->packets += now.packets - orphan->start.packets;
	removed->bytes += now.bytes - orphan->start.bytes;
}

/* Of the orphans that were, keeps the youngest that fit the bound. */
static void orphans_keep(struct planner *planner, const struct registry_entry **orphans,
			 size_t count, size_t room)
{
	qsort(orphans, count, sizeof(*orphans), compare_retired);
	for (size_t i = 0; i < count; i++) {
		if (i < room || orphan_is_needed(planner, orphans[i]))
			orphan_add(planner, orphans[i]);
		else
			orphan_forget(planner, orphans[i]);
	}
}

/* What was live until now becomes an orphan, whatever the bound: packets still count on it. */
static int orphans_add(struct planner *planner)
{
	struct registry *old = planner->old;
	size_t live = planner->new->count, bound = live > ORPHANS_KEPT ? live : ORPHANS_KEPT;
	size_t room;
	_cleanup_free_ const struct registry_entry **orphans = NULL;
	size_t count = 0, added = 0;

	orphans = calloc(old->count + 1, sizeof(*orphans));
	if (!orphans)
		return -ENOMEM;
	for (size_t i = 0; i < old->count; i++) {
		struct registry_entry entry = old->entries[i];

		if (planner->kept[i])
			continue;
		if (entry.retired) {
			orphans[count++] = &old->entries[i];
			continue;
		}
		entry.retired = planner->new->generation;
		orphan_add(planner, &entry);
		added++;
	}
	room = added < bound ? bound - added : 0;
	if (count > room)
		live_note(planner, live);
	orphans_keep(planner, orphans, count, room);
	return 0;
}

static uint32_t index_take(struct planner *planner)
{
	while (planner->next < planner->used_count && planner->used[planner->next])
		planner->next++;
	if (planner->next < planner->used_count)
		planner->used[planner->next] = true;
	return planner->next++;
}

/* Two rules of one identity and action, should there be any, share a counter. */
static int indexes_give(struct planner *planner)
{
	struct registry *new = planner->new;
	uint32_t highest = 0;

	for (size_t i = 0; i < new->count; i++)
		if (new->entries[i].index != NO_INDEX &&new->entries[i].index >= highest)
			highest = new->entries[i].index + 1;
	planner->used_count = highest;
	planner->used = calloc(highest + 1, sizeof(*planner->used));
	if (!planner->used)
		return -ENOMEM;
	for (size_t i = 0; i < new->count; i++)
		if (new->entries[i].index != NO_INDEX)
			planner->used[new->entries[i].index] = true;
	for (size_t i = 0; i < new->count; i++) {
		struct registry_entry *entry = &new->entries[i];

		if (entry->index != NO_INDEX)
			continue;
		entry->index = index_take(planner);
		entry->born = new->generation;
		entry->start = counters_sum(&planner->counters, entry->index);
	}
	return 0;
}

/*
 * Buckets that no rule of the running generation has, for limits that are new. There are at most
 * twice as many as limits, as of rules that are gone only those keep one that run until now.
 */
static int buckets_give(struct planner *planner)
{
	struct registry *new = planner->new;
	const size_t most = 2 * FW_MAX_LIMITS + 2;
	_cleanup_free_ bool *used = calloc(most, sizeof(*used));
	uint32_t next = 1;

	if (!used)
		return -ENOMEM;
	for (size_t i = 0; i < new->count; i++)
		used[new->entries[i].bucket % most] = true;
	for (size_t i = 0; i < new->count; i++) {
		if (!new->entries[i].is_new_bucket)
			continue;
		while (next < most && used[next])
			next++;
		if (next == most)
			return -E2BIG;
		new->entries[i].bucket = next++;
	}
	return 0;
}

/* The class that has room for all indexes; never a smaller one than before. */
static int class_choose(struct dataplane *dataplane, struct planner *planner)
{
	const struct fw_sizes *sizes = &dataplane->maps.sizes;
	struct registry *new = planner->new;
	uint32_t needed = 0;

	for (size_t i = 0; i < new->count; i++)
		if (new->entries[i].index >= needed)
			needed = new->entries[i].index + 1;
	new->counter_class = planner->old->counter_class;
	while (new->counter_class < FW_COUNTER_CLASSES &&
	       counters_capacity(sizes, new->counter_class) < needed)
		new->counter_class++;
	if (new->counter_class < FW_COUNTER_CLASSES)
		return 0;
	return fail(dataplane, -E2BIG, "the rules need %u counters, this machine has room for %u",
		    needed, counters_capacity(sizes, FW_COUNTER_CLASSES - 1));
}

static int plan_make(struct dataplane *dataplane, struct planner *planner,
		     const struct ruleset *ruleset)
{
	size_t rules = FW_HOOKS;
	int error;

	for (size_t hook = 0; hook < FW_HOOKS; hook++)
		rules += 2 * ruleset->blocks[hook].count; /* each may have a limit */
	planner->new->entries =
		arena_alloc(planner->new->arena,
			    (rules + planner->old->count) * sizeof(*planner->new->entries));
	planner->kept = calloc(planner->old->count + 1, sizeof(*planner->kept));
	if (!planner->kept)
		return fail(dataplane, -ENOMEM, "not enough memory");
	for (size_t i = 0; i < planner->old->count; i++)
		table_add(&planner->known, planner->old->entries[i].key,
			  strlen(planner->old->entries[i].key), (uint32_t)i);
	rules_add(planner, ruleset);
	error = counters_open(dataplane, &planner->counters);
	if (error)
		return error;
	error = orphans_add(planner);
	if (!error)
		error = indexes_give(planner);
	if (!error)
		error = buckets_give(planner);
	counters_close(&planner->counters);
	if (error == -E2BIG)
		return fail(dataplane, error, "more than %d rules have a limit", FW_MAX_LIMITS);
	return error ? fail(dataplane, error, "not enough memory")
		     : class_choose(dataplane, planner);
}

/* The registry of the running generation, or an empty one. */
static int registry_read(struct dataplane *dataplane, struct registry **ret_registry)
{
	struct manifest_map map = MANIFEST_NONE;
	int error = generation_manifest(dataplane, &map);

	if (error == -ENOENT) {
		*ret_registry = registry_new();
		return 0;
	}
	if (error)
		return error;
	*ret_registry = manifest_registry(map.bytes);
	manifest_unmap(&map);
	return 0;
}

/* Takes the block's entries from *entry on. */
static struct fw_limit_place *plan_limits(struct arena *arena, const struct block *block,
					  const struct registry_entry **entry)
{
	struct fw_limit_place *places = arena_alloc(arena, (block->count + 1) * sizeof(*places));

	for (size_t i = 0; i < block->count; i++) {
		if (!block->rules[i].limit)
			continue;
		places[i].counter = (*entry)->index;
		places[i].bucket = (*entry)->bucket;
		(*entry)++;
	}
	return places;
}

/* Entries of `new` begin with the live ones, in the order in which rules_add() went. */
static struct plan *plan_of(struct registry **registry, const struct ruleset *ruleset)
{
	struct plan *plan = arena_alloc((*registry)->arena, sizeof(*plan));
	const struct registry_entry *entry = (*registry)->entries;

	for (size_t hook = 0; hook < FW_HOOKS; hook++) {
		size_t count = ruleset->blocks[hook].count + 1;

		plan->counters[hook] = arena_alloc((*registry)->arena, count * sizeof(uint32_t));
		for (size_t i = 0; i < count; i++)
			plan->counters[hook][i] = entry++->index;
	}
	for (size_t hook = 0; hook < FW_HOOKS; hook++)
		plan->limits[hook] =
			plan_limits((*registry)->arena, &ruleset->blocks[hook], &entry);
	plan->registry = take_ptr(*registry);
	return plan;
}

int dataplane_plan(struct dataplane *dataplane, const struct ruleset *ruleset,
		   struct plan **ret_plan)
{
	struct planner planner = { .new = registry_new() };
	int error = session_need_maps(dataplane);

	if (!error)
		error = registry_read(dataplane, &planner.old);
	if (!error) {
		uint32_t number = planner.old->generation + 1;

		planner.new->generation = number ? number : 1;
		memcpy(planner.new->removed, planner.old->removed, sizeof(planner.old->removed));
		error = plan_make(dataplane, &planner, ruleset);
	}
	if (!error)
		*ret_plan = plan_of(&planner.new, ruleset);
	table_free(&planner.known);
	table_free(&planner.live);
	free(planner.kept);
	free(planner.used);
	registry_free(&planner.old);
	registry_free(&planner.new);
	return error;
}

void plan_free(struct plan **plan)
{
	struct registry *registry;

	if (!*plan)
		return;
	registry = (*plan)->registry; /* the plan lies in its arena */
	registry_free(&registry);
	*plan = NULL;
}
