// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of flows over time: made when rules begin to use state, made anew when their size
 * changes, and taken away when two generations in a row use none. Larger ones come before the
 * switch, as they may not be to be had; smaller ones behind all else, as they may not hold all
 * flows. A table that is replaced stays pinned until the flows that changed while it was copied
 * have been looked after; whoever finds such a pin does that first.
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
	struct flow_move move = { .table = table, .from = fd, .to = new };
	char path[4096];
	int error = new < 0 ? new : flow_move_begin(&move);

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
		error = flow_move_finish(dataplane, &move);
	crash_point();
	if (dataplane->pin_dir)
		unlink(path);
	return error ? fail_table(dataplane, error, table, entries) : 0;
}

/* How many entries the table has room for; 0: there is none. */
static int table_size(struct dataplane *dataplane, int fd, uint32_t *ret_size)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int error = fd;

	if (fd >= 0)
		error = bpf_obj_get_info_by_fd(fd, &info, &length);
	if (error < 0 && error != -ENOENT)
		return fail(dataplane, error, "cannot read the flows: %s", bpf_reason(error));
	*ret_size = info.max_entries;
	return 0;
}

/* There may be room for more: a switch that fails must not have cost a flow. */
static int table_prepare(struct dataplane *dataplane, enum fw_flow_table table, uint32_t entries)
{
	_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_tables, table);
	uint32_t size;
	int error = table_size(dataplane, fd, &size);

	if (error || size >= entries)
		return error;
	if (size)
		return table_replace(dataplane, table, fd, entries);
	fd = flow_table_create(entries);
	error = fd < 0 ? fd : flow_place(dataplane->maps.flow_tables, table, fd);
	crash_point();
	return error ? fail_table(dataplane, error, table, entries) : 0;
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

	if (wanted <= there)
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
	error = memory_taken(dataplane) < flows_memory(flows) ? memory_check(dataplane, flows) : 0;
	if (!error)
		error = flows_loosen(dataplane);
	for (enum fw_flow_table table = 0; table < FW_FLOW_TABLES && !error; table++)
		error = table_prepare(dataplane, table, flow_table_entries(table, flows));
	return error ? error : fragments_prepare(dataplane);
}

int dataplane_settle_flows(struct dataplane *dataplane)
{
	uint64_t flows = dataplane->flows;
	int error = 0;

	for (enum fw_flow_table table = 0; table < FW_FLOW_TABLES && flows && !error; table++) {
		_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_tables, table);
		uint32_t entries = flow_table_entries(table, flows), size;

		error = table_size(dataplane, fd, &size);
		if (error || size <= entries)
			continue;
		error = memory_check(dataplane, flows);
		if (!error)
			error = table_replace(dataplane, table, fd, entries);
	}
	return error;
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
	struct flow_move move = { .table = table };
	uint32_t old_id = 0, current_id = 0;
	char path[4096];
	int error = old_path(dataplane, table, path, sizeof(path));

	if (error)
		return error;
	old = bpf_obj_get(path);
	if (old == -ENOENT)
		return 0;
	current = flow_place_open(dataplane->maps.flow_tables, table);
	move.from = old;
	move.to = current;
	if (old >= 0 && current >= 0 && !map_id(old, &old_id) && !map_id(current, &current_id) &&
	    old_id != current_id)
		error = flow_move_finish(dataplane, &move);
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
