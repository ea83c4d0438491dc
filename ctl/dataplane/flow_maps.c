// SPDX-License-Identifier: GPL-2.0-only
/* The tables of flows: made and put in place where the programs look for them (fw/flows.h). */
#include <bpf/bpf.h>
#include <errno.h>

#include "dataplane/flow_internal.h"

int flow_table_create(uint32_t entries)
{
	return bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "fw_flows", sizeof(struct fw_flow_key),
			      sizeof(struct fw_flow_entry), entries, NULL);
}

int flow_fragments_create(uint32_t entries)
{
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
	return maps->flow_counts < 0 ? maps->flow_counts : 0;
}

/* Takes over the descriptor: the kernel keeps the map as long as it stands in the slot. */
static int slot_fill(int outer, uint32_t slot, int inner)
{
	_cleanup_close_ int fd = inner;

	if (fd < 0)
		return fd;
	return bpf_map_update_elem(outer, &slot, &fd, 0);
}

int flow_tables_fill(const struct maps *maps, uint32_t flows)
{
	uint32_t assured = flows < FW_FLOWS_LEAST ? FW_FLOWS_LEAST : flows;
	int error = slot_fill(maps->flow_tables, FW_FLOWS_ASSURED, flow_table_create(assured));

	if (!error)
		error = slot_fill(maps->flow_tables, FW_FLOWS_HALF_OPEN,
				  flow_table_create(FW_FLOWS_HALF(flows)));
	if (!error)
		error = slot_fill(maps->flow_fragments, 0,
				  flow_fragments_create(FW_FLOW_FRAGMENTS));
	return error;
}
