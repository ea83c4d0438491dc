// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the elements of a live set. Packets see each change at once (set_bulk.c puts
 * many into one system call). What is counted of a set is true unless it is marked dirty, which a
 * process that dies half way leaves behind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/set_internal.h"

int change_open(struct dataplane *dataplane, unsigned slot, struct set_change_run *run)
{
	int error = set_recount(dataplane, slot);

	*run = (struct set_change_run){
		.dataplane = dataplane,
		.slot = slot,
		.fds = { { -1, -1 }, { -1, -1 } },
	};
	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES && !error; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		int fd = set_map_open(dataplane, map, slot);

		if (fd < 0)
			error = fd;
		run->fds[map.kind][map.family] = fd;
	}
	if (error) {
		change_close(run);
		return fail(dataplane, error, "cannot open the live set %s: %s",
			    set_slot(dataplane, slot)->name, bpf_reason(error));
	}
	set_slot(dataplane, slot)->dirty = 1;
	return 0;
}

void change_close(struct set_change_run *run)
{
	bool is_open = true;

	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		int *fd = &run->fds[map.kind][map.family];

		is_open &= *fd >= 0;
		if (*fd >= 0)
			set_mark(run->dataplane, run->slot, map);
		cleanup_close(fd);
		*fd = -1;
	}
	if (is_open)
		set_slot(run->dataplane, run->slot)->dirty = 0;
}

/* Takes out what has expired. */
static int change_purge(struct set_change_run *run)
{
	uint32_t now = boot_seconds(), earliest = 0;
	_cleanup_elements_ struct set_elements elements = { 0 }, expired = { 0 };
	struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);
	const struct set_change before = run->change;
	int error = 0;

	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES && !error; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };

		error = set_map_read(run->fds[map.kind][map.family], map, &elements);
	}
	for (size_t i = 0; i < elements.count; i++) {
		uint32_t expires = elements.items[i].expires;

		if (expires && expires <= now)
			set_elements_add(&expired, &elements.items[i]);
		else if (expires && (!earliest || expires < earliest))
			earliest = expires;
	}
	if (!error)
		error = change_remove_many(run, expired.items, expired.count);
	run->change = before; /* nobody asked for these to be deleted */
	if (!error)
		slot->earliest = earliest;
	return error;
}

uint64_t change_room(struct set_change_run *run, uint64_t wanted)
{
	struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);
	uint64_t size = set_properties(run->dataplane, slot)->size, total = slot_total(slot);

	if (total < size && size - total >= wanted)
		return size - total;
	if (slot->earliest && slot->earliest <= boot_seconds() && !change_purge(run))
		total = slot_total(slot);
	return total < size ? size - total : 0;
}

void change_refuse(struct set_change_run *run, const struct set_element *const *elements,
		   size_t count)
{
	for (size_t i = 0; i < count && run->change.refused + i < SET_UNFIT_TOLD; i++)
		run->change.unfit[run->change.refused + i] = *elements[i];
	set_slot(run->dataplane, run->slot)->refused += count;
	run->change.refused += count;
}

/* Behind a purge, which finds out anew when the first element expires. */
void change_expects(struct set_change_run *run, const struct set_element *element)
{
	struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);

	if (element->expires && (!slot->earliest || element->expires < slot->earliest))
		slot->earliest = element->expires;
}

/* Puts one in. Where packets count on it, it stays the same one. */
static int change_put_in(struct set_change_run *run, const struct set_element *element,
			 enum put_result *ret_result)
{
	const struct set_map map = set_map_of(element);
	struct set_element counted = *element;
	const struct set_elements one = { &counted, 1, 1 };
	int error = set_map_put(run->fds[map.kind][map.family], map, element,
				set_counts(run->dataplane, run->slot), ret_result);

	if (error || *ret_result != PUT_COUNTED)
		return error;
	*ret_result = PUT_RENEWED;
	error = set_renew(run->dataplane, run->slot, RENEW_TIME, &one);
	/* A kernel that does not run the program: what is counted this moment may be lost. */
	return error ? set_map_put(run->fds[map.kind][map.family], map, element, false, ret_result)
		     : 0;
}

/* Refreshes an element of a full set, or counts that there is no room for it. */
static int change_put_full(struct set_change_run *run, const struct set_element *element)
{
	const struct set_map map = set_map_of(element);
	int fd = run->fds[map.kind][map.family];
	struct set_element found;
	enum put_result result;
	int error = set_map_lookup(fd, map, element, &found);

	if (error || found.length != element->length) {
		change_refuse(run, &element, 1);
		return -ENOSPC;
	}
	change_expects(run, element);
	error = change_put_in(run, element, &result);
	run->change.renewed += !error;
	return error;
}

int change_put(struct set_change_run *run, const struct set_element *element)
{
	struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);
	const struct set_map map = set_map_of(element);
	int *fd = &run->fds[map.kind][map.family];
	enum put_result result;
	int error;

	if (!change_room(run, 1))
		return change_put_full(run, element);
	change_expects(run, element);
	error = change_put_in(run, element, &result);
	if (error == -E2BIG && map.kind == FW_SET_HOSTS) {
		/* The hash is smaller than the rules want: nobody could enlarge it so far. */
		error = set_resize(run->dataplane, run->slot, map.family,
				   set_properties(run->dataplane, slot)->size);
		if (!error) {
			cleanup_close(fd);
			*fd = set_map_open(run->dataplane, map, run->slot);
			error = change_put_in(run, element, &result);
		}
	}
	if (error)
		return error;
	if (result == PUT_ADDED && !slot->count[map.kind][map.family]++)
		set_mark(run->dataplane, run->slot, map);
	if (result == PUT_RENEWED)
		run->change.renewed++;
	else
		run->change.added++;
	return 0;
}

/* "10.0.0.7, 10.0.0.8 and 4 more" */
static void unfit_print(const struct set_change *change, char *text, size_t size)
{
	size_t told = change->refused < SET_UNFIT_TOLD ? change->refused : SET_UNFIT_TOLD;
	size_t length = 0;

	snprintf(text, size, "none");
	for (size_t i = 0; i < told; i++) {
		char element[ADDRESS_TEXT_MAX];

		set_element_print(&change->unfit[i], element);
		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "",
					   element);
	}
	if (told < change->refused)
		snprintf(text + length, size - length, " and %zu more", change->refused - told);
}

static int fail_change(struct set_change_run *run, int error)
{
	const struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);
	char added[32] = "none", unfit[SET_UNFIT_TOLD * (ADDRESS_TEXT_MAX + 2) + 32];

	if (error != -ENOSPC)
		return fail(
			run->dataplane, error,
			"cannot change the live set %s: %s; %zu added and %zu deleted before that",
			slot->name, bpf_reason(error), run->change.added, run->change.deleted);
	if (run->change.added)
		snprintf(added, sizeof(added), "%zu", run->change.added);
	unfit_print(&run->change, unfit, sizeof(unfit));
	return fail(run->dataplane, error,
		    "the set is full: it holds %llu of at most %llu elements; %s %s added, %zu "
		    "refused: %s; make room, or give it a larger `size` in the rule file",
		    (unsigned long long)slot_total(slot),
		    (unsigned long long)set_properties(run->dataplane, slot)->size, added,
		    run->change.added > 1 ? "were" : "was", run->change.refused, unfit);
}

int dataplane_set_add(struct dataplane *dataplane, const struct live_set *set,
		      const struct set_elements *elements, struct set_change *ret_change)
{
	struct set_change_run run;
	int error = change_open(dataplane, set->slot, &run);

	if (error)
		return error;
	error = change_put_many(&run, elements->items, elements->count);
	if (error)
		fail_change(&run, error);
	change_close(&run);
	*ret_change = run.change;
	return error;
}

int dataplane_set_delete(struct dataplane *dataplane, const struct live_set *set,
			 const struct set_elements *elements, struct set_change *ret_change)
{
	struct set_change_run run;
	int error = change_open(dataplane, set->slot, &run);

	if (error)
		return error;
	error = change_remove_many(&run, elements->items, elements->count);
	if (error)
		fail_change(&run, error);
	change_close(&run);
	*ret_change = run.change;
	return error;
}

int dataplane_set_flush(struct dataplane *dataplane, const struct live_set *set)
{
	int error = set_empty(dataplane, set->slot);

	return error ? fail(dataplane, error, "cannot empty the live set %s: %s", set->name,
			    bpf_reason(error))
		     : 0;
}
