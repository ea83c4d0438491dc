// SPDX-License-Identifier: GPL-2.0-only
/* Flows as they are supposed to be, for asking the programs about one packet alone. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "dataplane/flow_internal.h"
#include "dataplane/sets.h"
#include "fw/flow_track.h"

#define LIFE 60 /* seconds, in which the packet is asked about */

static int fragment_suppose(struct dataplane *dataplane, const struct fw_packet *packet)
{
	_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_fragments, 0);
	const struct fw_fragment_entry entry = {
		.expires = boot_seconds() + LIFE,
		.state = packet->state,
	};
	struct fw_fragment_key key = {
		.id = packet->fragment_id,
		.family = packet->family,
		.protocol = packet->family == FW_INET ? packet->protocol : 0,
	};

	memcpy(key.source, packet->source, sizeof(key.source));
	memcpy(key.destination, packet->destination, sizeof(key.destination));
	return fd < 0 ? fd : bpf_map_update_elem(fd, &key, &entry, BPF_ANY);
}

/* Its windows are not known, so that every segment fits. */
static int flow_suppose(struct dataplane *dataplane, const struct fw_packet *packet)
{
	_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_tables, FW_FLOWS_ASSURED);
	struct fw_flow_entry entry = {
		.expires = boot_seconds() + LIFE,
		.created = boot_seconds(),
		.rule = UINT32_MAX,
	};
	struct fw_flow_name name;

	memset(&name, 0, sizeof(name));
	if (packet->state != FW_STATE_ESTABLISHED || !fw_flow_name(packet, 0, &name))
		return -EOPNOTSUPP;
	entry.from_upper = name.is_upper;
	for (unsigned i = 0; i < FW_FLOW_DIRECTIONS; i++)
		entry.sides[i].flags = FW_SIDE_SEEN | FW_SIDE_SYN | FW_SIDE_ACKED | FW_SIDE_LOOSE;
	return fd < 0 ? fd : bpf_map_update_elem(fd, &name.key, &entry, BPF_ANY);
}

int dataplane_flow_suppose(struct dataplane *dataplane, const struct fw_packet *packet)
{
	if (packet->has & FW_IS_FRAGMENT)
		return fragment_suppose(dataplane, packet);
	return flow_suppose(dataplane, packet);
}

static enum flow_answer flow_forget(const struct flow *flow, void *data)
{
	(void)flow;
	(void)data;
	return FLOW_DELETE;
}

void dataplane_flows_forget(struct dataplane *dataplane)
{
	_cleanup_close_ int fd = flow_place_open(dataplane->maps.flow_fragments, 0);
	struct fw_fragment_key key;

	if (fd < 0)
		return;
	dataplane_flows_visit(dataplane, flow_forget, NULL, NULL);
	while (!bpf_map_get_next_key(fd, NULL, &key))
		if (bpf_map_delete_elem(fd, &key))
			break;
}
