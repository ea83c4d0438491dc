// SPDX-License-Identifier: GPL-2.0-only
/* The tables of flows: made and put in place where the programs look for them (fw/flows.h). */
#include <bpf/bpf.h>
#include <errno.h>

#include "dataplane/flow_internal.h"

/* What the kernel keeps besides key and value: of an entry, and of each bucket. */
#define ENTRY_HEAD 48
#define BUCKET	   16

int flow_table_create(uint32_t entries)
{
	if (memory_point())
		return -ENOMEM;
	return bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "fw_flows", sizeof(struct fw_flow_key),
			      sizeof(struct fw_flow_entry), entries, NULL);
}

int flow_fragments_create(uint32_t entries)
{
	if (memory_point())
		return -ENOMEM;
	return bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "fw_fragments", sizeof(struct fw_fragment_key),
			      sizeof(struct fw_fragment_entry), entries, NULL);
}

/* An outer map with `slots` empty places for maps like the template. */
static int outer_create(const char *name, int template, uint32_t slots)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t) template);

	if (template <0)
		return template;
	return bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, name, sizeof(uint32_t), sizeof(uint32_t),
			      slots, &options);
}

int flow_outers_create(struct maps *maps)
{
	_cleanup_close_ int table = flow_table_create(1);
	_cleanup_close_ int fragments = flow_fragments_create(1);

	maps->flow_tables = outer_create("fw_flow_tables", table, FW_FLOW_TABLES);
	if (maps->flow_tables < 0)
		return maps->flow_tables;
	maps->flow_fragments = outer_create("fw_flow_fragments", fragments, 1);
	if (maps->flow_fragments < 0)
		return maps->flow_fragments;
	maps->flow_counts =
		bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "fw_flow_counts", sizeof(uint32_t),
			       sizeof(struct fw_flow_counts), 1, NULL);
	if (maps->flow_counts < 0)
		return maps->flow_counts;
	maps->flow_ledger =
		array_create("fw_flow_ledger", sizeof(struct flow_ledger), (void **)&maps->ledger);
	return maps->flow_ledger < 0 ? maps->flow_ledger : 0;
}

uint32_t flow_table_entries(enum fw_flow_table table, uint64_t flows)
{
	if (table == FW_FLOWS_HALF_OPEN)
		return (uint32_t)FW_FLOWS_HALF(flows);
	return flows < FW_FLOWS_LEAST ? FW_FLOWS_LEAST : (uint32_t)flows;
}

static uint64_t hash_memory(uint64_t entries, size_t bytes)
{
	uint64_t buckets = 1;

	while (buckets < entries)
		buckets *= 2;
	return entries * (ENTRY_HEAD + bytes) + buckets * BUCKET;
}

uint64_t flows_memory(uint64_t flows)
{
	const size_t flow = sizeof(struct fw_flow_key) + sizeof(struct fw_flow_entry);
	const size_t fragment = sizeof(struct fw_fragment_key) + sizeof(struct fw_fragment_entry);
	uint64_t bytes = hash_memory(FW_FLOW_FRAGMENTS, fragment);

	for (enum fw_flow_table table = 0; table < FW_FLOW_TABLES; table++)
		bytes += hash_memory(flow_table_entries(table, flows), flow);
	return bytes;
}

int flow_place(int outer, uint32_t slot, int fd)
{
	return bpf_map_update_elem(outer, &slot, &fd, BPF_ANY);
}

int flow_place_open(int outer, uint32_t slot)
{
	uint32_t id;
	int error = bpf_map_lookup_elem(outer, &slot, &id);

	return error ? error : bpf_map_get_fd_by_id(id);
}

/* Takes over the descriptor: the kernel keeps the map as long as it stands in the slot. */
static int slot_fill(int outer, uint32_t slot, int inner)
{
	_cleanup_close_ int fd = inner;

	return fd < 0 ? fd : flow_place(outer, slot, fd);
}

int flow_tables_fill(const struct maps *maps, uint32_t flows)
{
	int error = 0;

	for (enum fw_flow_table table = 0; table < FW_FLOW_TABLES && !error; table++)
		error = slot_fill(maps->flow_tables, table,
				  flow_table_create(flow_table_entries(table, flows)));
	if (!error)
		error = slot_fill(maps->flow_fragments, 0,
				  flow_fragments_create(FW_FLOW_FRAGMENTS));
	return error;
}
