// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many elements at once into or out of a live set. Those that are there already must keep what was
 * counted of them and when they were added, and a batch cannot tell: so what is there is read
 * first, what is new goes in by batches, and what is not is renewed by batches of its own. Few
 * elements, or a few into a large set, go one by one.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/message.h"
#include "dataplane/set_internal.h"

#define LEAST 32    /* elements of a map that are worth a batch */
#define SHARE 8	    /* of a set that they must be a part of to be worth reading it */
#define SLICE 65536 /* so soon the first of many are in force */

/* Elements of one map, in order. */
struct picks {
	struct set_map map;
	const struct set_element **items;
	size_t count;
};

static void picks_make(struct picks *picks, struct set_map map, size_t capacity)
{
	*picks = (struct picks){ .map = map, .items = calloc(capacity + 1, sizeof(*picks->items)) };
	if (!picks->items)
		message_out_of_memory();
}

static void picks_free(struct picks *picks)
{
	free(picks->items);
}
#define _cleanup_picks_ __attribute__((cleanup(picks_free)))

static void picks_choose(struct picks *picks, struct set_map map,
			 const struct set_element *elements, size_t count)
{
	picks_make(picks, map, count);
	for (size_t i = 0; i < count; i++) {
		const struct set_map own = set_map_of(&elements[i]);

		if (own.kind == map.kind && own.family == map.family)
			picks->items[picks->count++] = &elements[i];
	}
}

static bool is_ascending(const struct set_element *elements, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (set_element_compare(&elements[i - 1], &elements[i]) >= 0)
			return false;
	return true;
}

/* Of equal errors the first is told; only a full set lets the others be tried. */
static bool goes_on(int error, int *first)
{
	if (error && !*first)
		*first = error;
	return !error || error == -ENOSPC;
}

static int put_singly(struct set_change_run *run, const struct picks *picks)
{
	int first = 0;

	for (size_t i = 0; i < picks->count; i++)
		if (!goes_on(change_put(run, picks->items[i]), &first))
			break;
	return first;
}

/* Elements of one map, by what is to be done. */
struct parts {
	struct picks fresh;	     /* not in the set */
	struct set_elements expired; /* in the set, but expired: as if new */
	struct set_elements renewed; /* in the set, with another time */
	size_t same;
};

static void parts_free(struct parts *parts)
{
	picks_free(&parts->fresh);
	set_elements_free(&parts->expired);
	set_elements_free(&parts->renewed);
}
#define _cleanup_parts_ __attribute__((cleanup(parts_free)))

static void part_known(struct parts *parts, const struct set_element *old,
		       const struct set_element *new, uint32_t now)
{
	struct set_element element = *old;

	if (old->expires && old->expires <= now) {
		set_elements_add(&parts->expired, new);
	} else if (old->expires == new->expires) {
		parts->same++;
	} else {
		element.expires = new->expires;
		set_elements_add(&parts->renewed, &element);
	}
}

static int parts_make(struct set_change_run *run, const struct picks *picks, struct parts *parts)
{
	const struct set_map map = picks->map;
	_cleanup_elements_ struct set_elements there = { 0 };
	uint32_t now = boot_seconds();
	size_t j = 0;
	int error = 0;

	picks_make(&parts->fresh, map, picks->count);
	if (set_slot(run->dataplane, run->slot)->count[map.kind][map.family])
		error = set_map_read(run->fds[map.kind][map.family], map, &there);
	set_elements_sort(&there);
	for (size_t i = 0; i < picks->count && !error; i++) {
		const struct set_element *element = picks->items[i];

		while (j < there.count && set_element_compare(&there.items[j], element) < 0)
			j++;
		if (j < there.count && !set_element_compare(&there.items[j], element))
			part_known(parts, &there.items[j], element, now);
		else
			parts->fresh.items[parts->fresh.count++] = element;
	}
	return error;
}

/* What is in the set already. Where packets count on it, it stays where it is. */
static int put_known(struct set_change_run *run, struct set_map map, struct parts *parts)
{
	struct set_elements *both[] = { &parts->expired, &parts->renewed };
	int error = -EOPNOTSUPP;

	run->change.added += parts->expired.count;
	run->change.renewed += parts->renewed.count + parts->same;
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < both[i]->count; j++)
			change_expects(run, &both[i]->items[j]);
	if (set_counts(run->dataplane, run->slot))
		error = set_renew(run->dataplane, run->slot, RENEW_TIME, &parts->renewed);
	if (error)
		error = set_map_fill(run->fds[map.kind][map.family], map, parts->renewed.items,
				     parts->renewed.count);
	return error ? error
		     : set_map_fill(run->fds[map.kind][map.family], map, parts->expired.items,
				    parts->expired.count);
}

/* What is not in the set, as much as there is room for. */
static int put_fresh(struct set_change_run *run, const struct picks *fresh)
{
	struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);
	const struct set_map map = fresh->map;
	size_t room = change_room(run, fresh->count), fit, done = 0;
	int error = 0;

	fit = fresh->count < room ? fresh->count : room;
	for (size_t i = 0; i < fit; i++)
		change_expects(run, fresh->items[i]);
	for (size_t at = 0; at < fit && !error; at += done) {
		size_t slice = fit - at < SLICE ? fit - at : SLICE;

		error = set_map_update(run->fds[map.kind][map.family], map, fresh->items + at,
				       slice, &done);
		slot->count[map.kind][map.family] += done;
		run->change.added += done;
		set_mark(run->dataplane, run->slot, map);
		/* The hash is smaller than the rules want: one that goes alone enlarges it. */
		if (error == -E2BIG && done < slice)
			error = change_put(run, fresh->items[at + done++]);
	}
	if (error || fit == fresh->count)
		return error;
	change_refuse(run, fresh->items + fit, fresh->count - fit);
	return -ENOSPC;
}

static int put_map(struct set_change_run *run, const struct picks *picks)
{
	const struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);
	struct parts parts _cleanup_parts_ = { 0 };
	int error;

	if (picks->count < LEAST ||
	    slot->count[picks->map.kind][picks->map.family] / SHARE > picks->count)
		return put_singly(run, picks);
	error = parts_make(run, picks, &parts);
	/* First what is there: making room for what is new may take out what has expired. */
	if (!error)
		error = put_known(run, picks->map, &parts);
	if (!error)
		error = put_fresh(run, &parts.fresh);
	return error;
}

int change_put_many(struct set_change_run *run, const struct set_element *elements, size_t count)
{
	const bool ascending = is_ascending(elements, count);
	int first = 0;

	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES && ascending; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		struct picks picks _cleanup_picks_;

		picks_choose(&picks, map, elements, count);
		if (!goes_on(put_map(run, &picks), &first))
			break;
	}
	for (size_t i = 0; i < count && !ascending; i++)
		if (!goes_on(change_put(run, &elements[i]), &first))
			break;
	return first;
}

int change_remove_many(struct set_change_run *run, const struct set_element *elements, size_t count)
{
	struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);
	int error = 0;

	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES && !error; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		struct picks picks _cleanup_picks_;
		size_t deleted = 0;

		picks_choose(&picks, map, elements, count);
		if (picks.count && slot->count[map.kind][map.family])
			error = set_map_delete(run->fds[map.kind][map.family], map, picks.items,
					       picks.count, &deleted);
		slot->count[map.kind][map.family] -= deleted;
		run->change.deleted += deleted;
		run->change.missing += error ? 0 : picks.count - deleted;
	}
	return error;
}
