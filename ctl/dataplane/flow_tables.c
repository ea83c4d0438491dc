// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of flows over time: made when rules begin to use state, made anew when their size
 * changes, and taken away when two generations in a row use none. Everything that can fail comes
 * before the switch. A table that is replaced stays pinned until the flows that changed while it
 * was copied have been looked after; whoever finds such a pin does that first.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/flow_internal.h"
#include "dataplane/sets.h"

#define OLD_PIN "flows-old-"

static const char *const table_names[FW_FLOW_TABLES] = { "flows", "half-open flows" };

static int old_path(const struct dataplane *dataplane, enum fw_flow_table table, char *path,
		    size_t size)
{
	int length = snprintf(path, size, "%s/" OLD_PIN "%d", dataplane->layout_dir, (int)table);

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

/* --- Copying -------------------------------------------------------------------------------- */

struct copy {
	int new;
	uint32_t now;
};

static int entry_copy(const struct fw_flow_key *key, const struct fw_flow_entry *entry, void *data)
{
	const struct copy *copy = data;

	if ((int32_t)(entry->expires - copy->now) <= 0)
		return 0;
	return bpf_map_update_elem(copy->new, key, entry, BPF_ANY);
}

/*
 * The programs went on with the old entry until the switch, and since then with the new one. Of
 * each side the entry counts that has seen more of its packets.
 */
static bool entry_merge(const struct fw_flow_entry *old, struct fw_flow_entry *new)
{
	bool changed = false;

	for (unsigned i = 0; i < FW_FLOW_DIRECTIONS; i++) {
		if (old->sides[i].packets <= new->sides[i].packets)
			continue;
		new->sides[i] = old->sides[i];
		changed = true;
	}
	if (changed && (int32_t)(old->expires - new->expires) > 0)
		new->expires = old->expires;
	return changed;
}

static int entry_follow(const struct fw_flow_key *key, const struct fw_flow_entry *entry,
			void *data)
{
	const struct copy *copy = data;
	struct fw_flow_entry new;
	int error;

	if ((int32_t)(entry->expires - copy->now) <= 0)
		return 0;
	error = bpf_map_lookup_elem(copy->new, key, &new);
	if (error == -ENOENT)
		error = bpf_map_update_elem(copy->new, key, entry, BPF_NOEXIST);
	else if (!error && entry_merge(entry, &new))
		error = bpf_map_update_elem(copy->new, key, &new, BPF_EXIST);
	return error == -EEXIST || error == -ENOENT ? 0 : error;
}

/* --- Size ----------------------------------------------------------------------------------- */

static int fail_table(struct dataplane *dataplane, int error, enum fw_flow_table table,
		      uint32_t entries)
{
	return fail(dataplane, error,
		    "cannot make room for %u %s: %s; `option flows` says how many", entries,
		    table_names[table], bpf_reason(error));
}

/* The old table in `fd` gives way to a new one. The flows stay. */
static int table_replace(struct dataplane *dataplane, enum fw_flow_table table, int fd,
			 uint32_t entries)
{
	_cleanup_close_ int new = flow_table_create(entries);
	struct copy copy = { new, boot_seconds() };
	char path[4096];
	int error = new < 0 ? new : flow_table_walk(fd, entry_copy, &copy);

	if (!error && dataplane->pin_dir)
		error = old_path(dataplane, table, path, sizeof(path));
	if (!error && dataplane->pin_dir)
		error = bpf_obj_pin(fd, path);
	if (error)
		return fail_table(dataplane, error, table, entries);
	crash_point();
	error = flow_place(dataplane->maps.flow_tables, table, new);
	crash_point();
	if (!error)
		error = flow_table_walk(fd, entry_follow, &copy);
	crash_point();
	if (dataplane->pin_dir)
		unlink(path);
	return error ? fail_table(dataplane, error, table, entries) : 0;
}

static int table_prepare(struct dataplane *dataplane, enum fw_flow_table table, uint32_t entries)
{
	_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_tables, table);
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int error = fd;

	if (fd == -ENOENT) {
		fd = flow_table_create(entries);
		error = fd < 0 ? fd : flow_place(dataplane->maps.flow_tables, table, fd);
		crash_point();
		return error ? fail_table(dataplane, error, table, entries) : 0;
	}
	if (fd >= 0)
		error = bpf_obj_get_info_by_fd(fd, &info, &length);
	if (error < 0)
		return fail(dataplane, error, "cannot read the flows: %s", bpf_reason(error));
	return info.max_entries == entries ? 0 : table_replace(dataplane, table, fd, entries);
}

static int fragments_prepare(struct dataplane *dataplane)
{
	_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_fragments, 0);
	int error = 0;

	if (fd == -ENOENT) {
		fd = flow_fragments_create(FW_FLOW_FRAGMENTS);
		error = fd < 0 ? fd : flow_place(dataplane->maps.flow_fragments, 0, fd);
	}
	return error || fd < 0
		       ? fail(dataplane, error ? error : fd, "cannot make room for fragments: %s",
			      bpf_reason(error ? error : fd))
		       : 0;
}

/* What all tables that are there take; 0 if there are none. */
static uint64_t memory_taken(const struct dataplane *dataplane)
{
	_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_tables, FW_FLOWS_ASSURED);
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return 0;
	return flows_memory(info.max_entries);
}

/* The kernel would take all of the machine's memory before it says no. */
static int memory_check(struct dataplane *dataplane, uint64_t flows)
{
	uint64_t wanted = flows_memory(flows), there = memory_available();

	if (memory_taken(dataplane) == wanted || wanted <= there)
		return 0;
	return fail(dataplane, -ENOMEM,
		    "tables for %llu flows need %llu MB of memory, %llu MB are free: write a "
		    "smaller `option flows`",
		    (unsigned long long)flows, (unsigned long long)(wanted >> 20) + 1,
		    (unsigned long long)(there >> 20));
}

/* --- Flows that nobody followed ------------------------------------------------------------- */

static int entry_loosen(const struct fw_flow_key *key, const struct fw_flow_entry *entry,
			void *data)
{
	struct fw_flow_entry loose = *entry;
	int error;

	if (key->protocol != FW_PROTOCOL_TCP)
		return 0;
	for (unsigned i = 0; i < FW_FLOW_DIRECTIONS; i++)
		loose.sides[i].flags |= FW_SIDE_LOOSE;
	error = bpf_map_update_elem(*(const int *)data, key, &loose, BPF_EXIST);
	return error == -ENOENT ? 0 : error;
}

/*
 * If the rules that run use no state, connections have gone on unseen: their windows are not known
 * any more, as of those that are picked up.
 */
static int flows_loosen(struct dataplane *dataplane)
{
	int error = 0;

	if (maps_active(&dataplane->maps) &
	    (FW_ACTIVE_ASKS_STATE(FW_INGRESS) | FW_ACTIVE_ASKS_STATE(FW_EGRESS)))
		return 0;
	for (unsigned table = 0; table < FW_FLOW_TABLES && !error; table++) {
		_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_tables, table);

		if (fd >= 0)
			error = flow_table_walk(fd, entry_loosen, &fd);
	}
	return error ? fail(dataplane, error, "cannot take the flows up again: %s",
			    bpf_reason(error))
		     : 0;
}

int flows_prepare(struct dataplane *dataplane, uint64_t flows)
{
	int error;

	if (!flows)
		return 0;
	error = memory_check(dataplane, flows);
	if (!error)
		error = flows_loosen(dataplane);
	for (enum fw_flow_table table = 0; table < FW_FLOW_TABLES && !error; table++)
		error = table_prepare(dataplane, table, flow_table_entries(table, flows));
	return error ? error : fragments_prepare(dataplane);
}

/* --- The end -------------------------------------------------------------------------------- */

static int entry_bury(const struct fw_flow_key *key, const struct fw_flow_entry *entry, void *data)
{
	(void)key;
	(void)entry;
	(*(uint64_t *)data)++;
	return 0;
}

void flows_settle(struct dataplane *dataplane, uint64_t before, uint64_t now)
{
	if ((before | now) & (FW_ACTIVE_ASKS_STATE(FW_INGRESS) | FW_ACTIVE_ASKS_STATE(FW_EGRESS)))
		return;
	for (uint32_t table = 0; table < FW_FLOW_TABLES; table++) {
		_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_tables, table);
		uint64_t buried = 0;

		if (fd < 0)
			continue;
		flow_table_walk(fd, entry_bury, &buried);
		dataplane->maps.ledger->deleted[table] += buried;
		slot_delete(dataplane->maps.flow_tables, table);
	}
	slot_delete(dataplane->maps.flow_fragments, 0);
}

static int old_finish(struct dataplane *dataplane, enum fw_flow_table table)
{
	_cleanup_close_ int old = -1, current = -1;
	struct copy copy = { .now = boot_seconds() };
	uint32_t old_id = 0, current_id = 0;
	char path[4096];
	int error = old_path(dataplane, table, path, sizeof(path));

	if (error)
		return error;
	old = bpf_obj_get(path);
	if (old == -ENOENT)
		return 0;
	current = flow_place_open(dataplane->maps.flow_tables, table);
	copy.new = current;
	if (old >= 0 && current >= 0 && !map_id(old, &old_id) && !map_id(current, &current_id) &&
	    old_id != current_id)
		error = flow_table_walk(old, entry_follow, &copy);
	unlink(path);
	return error;
}

int flows_clean(struct dataplane *dataplane)
{
	int error = 0;

	for (enum fw_flow_table table = 0; table < FW_FLOW_TABLES && !error; table++)
		error = old_finish(dataplane, table);
	return error ? fail(dataplane, error, "cannot take over flows from a fwctl that died: %s",
			    bpf_reason(error))
		     : 0;
}
