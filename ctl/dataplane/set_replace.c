// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replacing the elements of a live set: what is new goes in, then what is not wanted any more goes
 * out. What is to be done is pinned first, as a journal. Doing it twice does no harm, so whoever
 * finds a journal does it again: a process that dies leaves no set half replaced for longer than
 * until the next fwctl.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/message.h"
#include "dataplane/set_internal.h"

#define JOURNAL_PIN   "replacement"
#define JOURNAL_MAGIC 0x31706552u /* "Rep1" */

struct journal_entry {
	uint32_t word[4];
	uint32_t expires;
	uint32_t added;
	uint8_t family;
	uint8_t length;
	uint16_t pad;
};

struct journal {
	uint32_t magic;
	uint32_t slot;
	char name[FW_SET_NAME_MAX];
	uint64_t put_count;
	uint64_t remove_count;
	struct journal_entry entries[]; /* to put, then to remove */
};

static struct journal_entry entry_of(const struct set_element *element)
{
	struct journal_entry entry = {
		.expires = element->expires,
		.added = element->added,
		.family = element->address.family,
		.length = element->length,
	};

	memcpy(entry.word, element->address.word, sizeof(entry.word));
	return entry;
}

static struct set_element *elements_of(const struct journal_entry *entries, uint64_t count)
{
	struct set_element *elements = calloc(count + 1, sizeof(*elements));

	for (uint64_t i = 0; elements && i < count; i++) {
		const struct journal_entry *entry = &entries[i];

		elements[i] = (struct set_element){
			.address.family = entry->family,
			.length = entry->length,
			.expires = entry->expires,
			.added = entry->added,
		};
		memcpy(elements[i].address.word, entry->word, sizeof(entry->word));
	}
	return elements;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How far a journal is done. */
struct journal_state {
	const struct journal *journal;
	struct set_element *in, *out; /* to put, to remove */
	uint64_t put, removed;
};

static int removals_run(struct set_change_run *run, struct journal_state *state, uint64_t count)
{
	int error = change_remove_many(run, state->out + state->removed, count);

	state->removed += count;
	return error;
}

/* Where room is short, some that go make room for some that come, never all at once. */
static int puts_run(struct set_change_run *run, struct journal_state *state, uint64_t until)
{
	const struct fw_set_slot *slot = set_slot(run->dataplane, run->slot);
	uint64_t step = set_properties(run->dataplane, slot)->size / 16 + 1;
	int error = 0;

	while (state->put < until && !error) {
		uint64_t count = until - state->put, room = change_room(run, count);
		uint64_t removals = state->journal->remove_count - state->removed;

		if (!room && removals) {
			error = removals_run(run, state, least(step, least(count, removals)));
			continue;
		}
		if (room)
			count = least(count, room);
		error = change_put_many(run, state->in + state->put, count);
		state->put += count;
	}
	return error;
}

/* What is new first, then what goes. */
static int journal_run(struct set_change_run *run, struct journal_state *state)
{
	const struct journal *journal = state->journal;
	int error = puts_run(run, state, journal->put_count / 2);

	crash_point();
	if (!error)
		error = puts_run(run, state, journal->put_count);
	if (!error && state->removed < journal->remove_count / 2)
		error = removals_run(run, state, journal->remove_count / 2 - state->removed);
	crash_point();
	return error ? error : removals_run(run, state, journal->remove_count - state->removed);
}

static int journal_path(const struct dataplane *dataplane, char *path, size_t size)
{
	int length = snprintf(path, size, "%s/" JOURNAL_PIN, dataplane->layout_dir);

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static int journal_perform(struct dataplane *dataplane, const struct journal *journal,
			   struct set_change *ret_change)
{
	struct journal_state state = {
		.journal = journal,
		.in = elements_of(journal->entries, journal->put_count),
		.out = elements_of(journal->entries + journal->put_count, journal->remove_count),
	};
	struct set_change_run run;
	int error = change_open(dataplane, journal->slot, &run);

	if (!error) {
		error = state.in && state.out ? journal_run(&run, &state) : -ENOMEM;
		change_close(&run);
	}
	free(state.in);
	free(state.out);
	if (error)
		return fail(dataplane, error,
			    "cannot replace the live set %s: %s; the next fwctl "
			    "tries again",
			    journal->name, bpf_reason(error));
	*ret_change = run.change;
	return 0;
}

/* What differs between the set as it is and as it shall be; both sorted. */
struct difference {
	struct set_elements put;
	struct set_elements removed;
	size_t kept;
};

static void difference_find(const struct set_elements *now, const struct set_elements *wanted,
			    struct difference *difference)
{
	size_t i = 0, j = 0;

	while (i < now->count || j < wanted->count) {
		int order = i == now->count ? 1
			    : j == wanted->count
				    ? -1
				    : set_element_compare(&now->items[i], &wanted->items[j]);

		if (order < 0) {
			set_elements_add(&difference->removed, &now->items[i++]);
		} else if (order > 0) {
			set_elements_add(&difference->put, &wanted->items[j++]);
		} else {
			difference->kept++;
			if (now->items[i].expires != wanted->items[j].expires)
				set_elements_add(&difference->put, &wanted->items[j]);
			i++;
			j++;
		}
	}
}

static void journal_write(struct journal *journal, const struct live_set *set,
			  const struct difference *difference)
{
	struct journal_entry *entry = journal->entries;

	journal->magic = JOURNAL_MAGIC;
	journal->slot = set->slot;
	snprintf(journal->name, sizeof(journal->name), "%s", set->name);
	journal->put_count = difference->put.count;
	journal->remove_count = difference->removed.count;
	for (size_t i = 0; i < difference->put.count; i++)
		*entry++ = entry_of(&difference->put.items[i]);
	for (size_t i = 0; i < difference->removed.count; i++)
		*entry++ = entry_of(&difference->removed.items[i]);
}

static int difference_apply(struct dataplane *dataplane, const struct live_set *set,
			    const struct difference *difference, struct set_change *ret_change)
{
	size_t entries = difference->put.count + difference->removed.count;
	size_t size = sizeof(struct journal) + entries * sizeof(struct journal_entry);
	_cleanup_close_ int fd = -1;
	struct journal *journal;
	char path[4096];
	int error = 0;

	fd = array_create("fw_replacement", size, (void **)&journal);
	if (fd < 0)
		return fail(dataplane, fd, "cannot make room for %zu changes: %s", entries,
			    bpf_reason(fd));
	journal_write(journal, set, difference);
	crash_point();
	if (dataplane->pin_dir)
		error = journal_path(dataplane, path, sizeof(path));
	if (!error && dataplane->pin_dir)
		error = bpf_obj_pin(fd, path);
	crash_point();
	if (error)
		error = fail(dataplane, error, "cannot pin %s: %s", path, bpf_reason(error));
	else
		error = journal_perform(dataplane, journal, ret_change);
	crash_point();
	munmap(journal, size);
	if (!error && dataplane->pin_dir)
		unlink(path);
	return error;
}

int dataplane_set_replace(struct dataplane *dataplane, const struct live_set *set,
			  const struct set_elements *elements, bool force,
			  struct set_change *ret_change)
{
	struct difference difference = { 0 };
	_cleanup_elements_ struct set_elements now = { 0 };
	struct set_change change = { 0 };
	size_t valid, lost;
	int error;

	if (elements->count > set->size)
		return fail(dataplane, -ENOSPC,
			    "the new list has %zu elements, the set's size is %llu: "
			    "give it a larger `size` in the rule file; nothing was changed",
			    elements->count, (unsigned long long)set->size);
	error = dataplane_set_read(dataplane, set, &now);
	if (error)
		return error;
	difference_find(&now, elements, &difference);
	/* Elements that have expired are gone already: they do not count as lost. */
	valid = set_elements_alive(&now);
	lost = set_elements_alive(&difference.removed);
	if (lost > valid / 2 && !force)
		error = fail(
			dataplane, -EDOM,
			"the new list lacks %zu of the %zu elements of the set, "
			"more than half: nothing was changed; --force replaces it all the same",
			lost, valid);
	else if (difference.put.count || difference.removed.count)
		error = difference_apply(dataplane, set, &difference, &change);
	change.kept = difference.kept;
	set_elements_free(&difference.put);
	set_elements_free(&difference.removed);
	if (!error)
		*ret_change = change;
	return error;
}

/* The journal's map, if its set is still there. */
static int journal_finish(struct dataplane *dataplane, int fd)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	const struct journal *journal;
	const void *memory;
	struct set_change change;
	int error = bpf_obj_get_info_by_fd(fd, &info, &length);

	if (!error)
		error = array_map(fd, info.value_size, &memory);
	if (error)
		return error;
	journal = memory;
	if (info.value_size < sizeof(*journal) || journal->magic != JOURNAL_MAGIC ||
	    journal->slot >= FW_MAX_LIVE_SETS ||
	    (journal->put_count + journal->remove_count) * sizeof(struct journal_entry) +
			    sizeof(*journal) >
		    info.value_size)
		error = -EBADMSG;
	else if (!strcmp(set_slot(dataplane, journal->slot)->name, journal->name))
		error = journal_perform(dataplane, journal, &change);
	array_unmap(memory, info.value_size);
	return error;
}

/* May the next one have more luck? */
static bool is_passing(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -EAGAIN ||
	       error == -EINTR;
}

int replacement_finish(struct dataplane *dataplane)
{
	_cleanup_close_ int fd = -1;
	char path[4096];
	int error = journal_path(dataplane, path, sizeof(path));

	if (error)
		return fail(dataplane, error, "the pin directory's name is too long");
	fd = bpf_obj_get(path);
	if (fd == -ENOENT)
		return 0;
	error = fd < 0 ? fd : journal_finish(dataplane, fd);
	if (is_passing(error))
		return fail(
			dataplane, error,
			"a replacement of a live set was cut short, and cannot be finished: %s; "
			"the next fwctl tries again",
			bpf_reason(error));
	unlink(path);
	if (error)
		message_warn("a replacement of a live set was cut short, and cannot be finished: "
			     "%s; replace it again",
			     bpf_reason(error));
	return 0;
}
