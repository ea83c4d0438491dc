// SPDX-License-Identifier: GPL-2.0-only
/* Going through the tables of flows: what is there, what becomes of it, and what was counted. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/flow_internal.h"
#include "dataplane/sets.h"
#include "fw/flow_track.h"

#define BATCH	  4096
#define BATCH_MAX (1U << 20) /* entries of one bucket, which the kernel hands out together */

static const char *const state_names[FW_FLOW_STATES] = {
	[FW_FLOW_UNREPLIED] = "unreplied",     [FW_FLOW_REPLIED] = "replied",
	[FW_FLOW_SYN_SENT] = "syn-sent",       [FW_FLOW_SYN_RECEIVED] = "syn-received",
	[FW_FLOW_ESTABLISHED] = "established", [FW_FLOW_CLOSING] = "closing",
	[FW_FLOW_TIME_WAIT] = "time-wait",     [FW_FLOW_CLOSED] = "closed",
};

const char *flow_state_name(enum fw_flow_state state)
{
	return state_names[state];
}

bool flow_state_find(const char *name, enum fw_flow_state *ret_state)
{
	for (enum fw_flow_state state = 0; state < FW_FLOW_STATES; state++) {
		if (strcmp(name, state_names[state]) != 0)
			continue;
		*ret_state = state;
		return true;
	}
	return false;
}

/* --- One table ------------------------------------------------------------------------------ */

struct batch {
	uint32_t capacity;
	struct fw_flow_key *keys;
	struct fw_flow_entry *entries;
};

static void batch_free(struct batch *batch)
{
	free(batch->keys);
	free(batch->entries);
	*batch = (struct batch){ 0 };
}

static int batch_make(struct batch *batch, uint32_t capacity)
{
	batch_free(batch);
	batch->capacity = capacity;
	batch->keys = malloc(capacity * sizeof(*batch->keys));
	batch->entries = malloc(capacity * sizeof(*batch->entries));
	return batch->keys && batch->entries ? 0 : -ENOMEM;
}

static int batch_show(const struct batch *batch, uint32_t count, flow_entry_visit *visit,
		      void *data)
{
	int answer = 0;

	for (uint32_t i = 0; i < count && !answer; i++)
		answer = visit(&batch->keys[i], &batch->entries[i], data);
	return answer;
}

int flow_table_walk(int fd, flow_entry_visit *visit, void *data)
{
	_cleanup_(batch_free) struct batch batch = { 0 };
	struct fw_flow_key at = { 0 }, next; /* the kernel writes 4 bytes: the number of a bucket */
	bool started = false;
	int error = batch_make(&batch, BATCH);

	while (!error) {
		uint32_t count = batch.capacity;

		error = bpf_map_lookup_batch(fd, started ? &at : NULL, &next, batch.keys,
					     batch.entries, &count, NULL);
		if (error == -ENOSPC && batch.capacity < BATCH_MAX) {
			error = batch_make(&batch, batch.capacity * 4);
			continue;
		}
		if (!error || error == -ENOENT) {
			int answer = batch_show(&batch, count, visit, data);

			if (answer)
				return answer;
		}
		at = next;
		started = true;
	}
	return error == -ENOENT ? 0 : error;
}

int flow_delete(struct dataplane *dataplane, enum fw_flow_table table, int fd,
		const struct fw_flow_key *key)
{
	int error = bpf_map_delete_elem(fd, key);

	if (!error)
		__atomic_fetch_add(&dataplane->maps.ledger->deleted[table], 1, __ATOMIC_RELAXED);
	return error;
}

/* --- All flows ------------------------------------------------------------------------------ */

/* Whose a counter is. */
struct owners {
	struct registry *registry;
	const struct registry_entry **by_index;
	size_t count;
};

static void owners_free(struct owners *owners)
{
	registry_free(&owners->registry);
	free(owners->by_index);
}

static int owners_read(struct dataplane *dataplane, struct owners *owners)
{
	struct manifest_map map = MANIFEST_NONE;
	int error = generation_manifest(dataplane, &map);

	if (error)
		return error;
	owners->registry = manifest_registry(map.bytes);
	manifest_unmap(&map);
	for (size_t i = 0; i < owners->registry->count; i++)
		if (owners->registry->entries[i].index >= owners->count)
			owners->count = owners->registry->entries[i].index + 1;
	owners->by_index = calloc(owners->count + 1, sizeof(*owners->by_index));
	if (!owners->by_index)
		return fail(dataplane, -ENOMEM, "not enough memory");
	for (size_t i = 0; i < owners->registry->count; i++) {
		const struct registry_entry *entry = &owners->registry->entries[i];

		owners->by_index[entry->index] = entry;
	}
	return 0;
}

struct show {
	struct dataplane *dataplane;
	struct owners owners;
	enum fw_flow_table table;
	int fd;
	uint32_t now;
	flow_visit *visit;
	void *data;
	uint64_t deleted;
};

static void flow_describe(const struct show *show, const struct fw_flow_key *key,
			  const struct fw_flow_entry *entry, struct flow *flow)
{
	bool swap = entry->from_upper;
	const struct registry_entry *owner = NULL;

	if (entry->rule < show->owners.count)
		owner = show->owners.by_index[entry->rule];
	/* The index was another rule's then. */
	if (owner && (int32_t)(entry->generation - owner->born) < 0)
		owner = NULL;
	*flow = (struct flow){
		.table = show->table,
		.state = fw_flow_state(entry, key->protocol),
		.protocol = key->protocol,
		.source.family = key->family,
		.destination.family = key->family,
		.source_port = swap ? key->upper_port : key->lower_port,
		.destination_port = swap ? key->lower_port : key->upper_port,
		.age = show->now - entry->created,
		.left = entry->expires - show->now,
		.hook = entry->hook & 1,
		.interface = entry->interface,
		.generation = entry->generation,
		.rule = owner ? registry_identity(owner) : NULL,
		.key = key,
		.entry = entry,
	};
	memcpy(flow->source.word, swap ? key->upper : key->lower, sizeof(key->lower));
	memcpy(flow->destination.word, swap ? key->lower : key->upper, sizeof(key->lower));
	for (unsigned i = 0; i < FW_FLOW_DIRECTIONS; i++)
		flow->sent[i] =
			(struct fw_counter){ entry->sides[i].packets, entry->sides[i].bytes };
}

static bool has_expired(const struct fw_flow_entry *entry, uint32_t now)
{
	return (int32_t)(entry->expires - now) <= 0;
}

static int entry_show(const struct fw_flow_key *key, const struct fw_flow_entry *entry, void *data)
{
	struct show *show = data;
	struct flow flow;
	int error;

	if (has_expired(entry, show->now))
		return 0;
	flow_describe(show, key, entry, &flow);
	switch (show->visit(&flow, show->data)) {
	case FLOW_GO_ON:
		return 0;
	case FLOW_STOP:
		return 1;
	case FLOW_DELETE:
		break;
	}
	error = flow_delete(show->dataplane, show->table, show->fd, key);
	show->deleted += !error;
	return error == -ENOENT ? 0 : error;
}

/* Half-open ones first: a flow that moves on to the assured ones meanwhile is met there. */
static int tables_show(struct show *show)
{
	static const enum fw_flow_table order[] = { FW_FLOWS_HALF_OPEN, FW_FLOWS_ASSURED };

	for (size_t at = 0; at < sizeof(order) / sizeof(order[0]); at++) {
		enum fw_flow_table i = order[at];
		_cleanup_close_ int fd = flow_place_open(show->dataplane->maps.flow_tables, i);
		int answer = fd;

		if (fd == -ENOENT)
			continue;
		show->table = i;
		show->fd = fd;
		if (fd >= 0)
			answer = flow_table_walk(fd, entry_show, show);
		if (answer < 0)
			return fail(show->dataplane, answer, "cannot read the flows: %s",
				    bpf_reason(answer));
		if (answer)
			break;
	}
	return 0;
}

int dataplane_flows_visit(struct dataplane *dataplane, flow_visit *visit, void *data,
			  uint64_t *ret_deleted)
{
	struct show show = {
		.dataplane = dataplane,
		.now = boot_seconds(),
		.visit = visit,
		.data = data,
	};
	int error = owners_read(dataplane, &show.owners);

	if (!error)
		error = tables_show(&show);
	owners_free(&show.owners);
	if (ret_deleted)
		*ret_deleted = show.deleted;
	return error;
}

/* --- Counts --------------------------------------------------------------------------------- */

static int counts_read(const struct dataplane *dataplane, struct fw_flow_counts *ret_counts)
{
	size_t words = sizeof(*ret_counts) / sizeof(uint64_t);
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = calloc((size_t)cpus, sizeof(*ret_counts));
	uint64_t sums[sizeof(*ret_counts) / sizeof(uint64_t)] = { 0 };
	uint32_t zero = 0;
	int error =
		values ? bpf_map_lookup_elem(dataplane->maps.flow_counts, &zero, values) : -ENOMEM;

	if (error)
		return error;
	for (size_t i = 0; i < (size_t)cpus * words; i++)
		sums[i % words] += values[i];
	memcpy(ret_counts, sums, sizeof(*ret_counts));
	return 0;
}

struct census {
	uint32_t now;
	struct flow_table_total *total;
};

static int entry_count(const struct fw_flow_key *key, const struct fw_flow_entry *entry, void *data)
{
	const struct census *census = data;

	(void)key;
	if (has_expired(entry, census->now))
		census->total->expired++;
	else
		census->total->present++;
	return 0;
}

static int table_count(const struct dataplane *dataplane, enum fw_flow_table table,
		       struct flow_table_total *total)
{
	_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_tables, table);
	struct census census = { boot_seconds(), total };
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int error;

	if (fd < 0)
		return fd;
	error = bpf_obj_get_info_by_fd(fd, &info, &length);
	total->size = info.max_entries;
	return error ? error : flow_table_walk(fd, entry_count, &census);
}

/*
 * What was put in before the table was counted, less what was taken out until after that, less
 * what was there: never more than were evicted, and exact while no packet comes.
 */
static void evicted_find(struct dataplane *dataplane, enum fw_flow_table table,
			 struct flow_table_total *total)
{
	uint64_t *kept = &dataplane->maps.ledger->evicted[table];
	uint64_t gone = total->deleted + total->present + total->expired;
	uint64_t known = __atomic_load_n(kept, __ATOMIC_RELAXED);

	total->evicted = total->inserted > gone ? total->inserted - gone : 0;
	while (total->evicted > known &&
	       !__atomic_compare_exchange_n(kept, &known, total->evicted, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
	if (known > total->evicted)
		total->evicted = known;
}

static int totals_read(struct dataplane *dataplane, struct flow_totals *totals)
{
	struct fw_flow_counts before, after;
	int error = counts_read(dataplane, &before);

	for (enum fw_flow_table table = 0; table < FW_FLOW_TABLES && !error; table++) {
		error = table_count(dataplane, table, &totals->tables[table]);
		totals->recording |= !error;
		if (error == -ENOENT)
			error = 0;
	}
	if (!error)
		error = counts_read(dataplane, &after);
	if (error)
		return error;
	totals->failed = after.failed;
	totals->refused = after.refused;
	totals->related = after.related;
	for (enum fw_flow_table table = 0; table < FW_FLOW_TABLES; table++) {
		struct flow_table_total *total = &totals->tables[table];

		total->inserted = before.inserted[table];
		total->deleted =
			after.deleted[table] +
			__atomic_load_n(&dataplane->maps.ledger->deleted[table], __ATOMIC_RELAXED);
		evicted_find(dataplane, table, total);
	}
	return 0;
}

int dataplane_flow_totals(struct dataplane *dataplane, struct flow_totals *ret_totals)
{
	struct flow_totals totals = { 0 };
	int error;

	if (!dataplane->maps.word)
		return fail(dataplane, -ENOENT, "no rules are loaded; run fwctl apply");
	error = totals_read(dataplane, &totals);
	if (error)
		return fail(dataplane, error, "cannot count the flows: %s", bpf_reason(error));
	*ret_totals = totals;
	return 0;
}
