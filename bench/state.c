/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwbench state PIN_DIR FLOWS: fills the table of assured flows of running rules, as if so many
 * senders of `fwbench flood` had been answered. Flow i comes from the i-th address of 10.0.0.0/8.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "bench.h"
#include "dataplane/flow_internal.h"
#include "dataplane/sets.h"
#include "flood.h"
#include "plane.h"

#define FIRST_SENDER 0x0a000000U
#define SOURCE_PORT  32768
#define PORTS	     60000
#define LIFE	     86400

static void fill(struct dataplane *plane, uint64_t flows)
{
	_cleanup_close_ int fd = flow_place_open(plane->maps.flow_tables, FW_FLOWS_ASSURED);
	struct fw_flow_entry entry = {
		.expires = boot_seconds() + LIFE,
		.created = boot_seconds(),
	};
	struct fw_flow_key key = {
		.upper = { FLOOD_DESTINATION },
		.lower_port = SOURCE_PORT,
		.family = FW_INET,
		.protocol = FW_PROTOCOL_UDP,
	};

	for (int side = 0; side < FW_FLOW_DIRECTIONS; side++)
		entry.sides[side].flags = FW_SIDE_SEEN;
	for (uint64_t i = 0; i < flows; i++) {
		key.lower[0] = FIRST_SENDER + (uint32_t)i;
		key.upper_port = (uint16_t)(1024 + i % PORTS);
		if (bpf_map_update_elem(fd, &key, &entry, BPF_ANY))
			die("state", "a flow cannot be put in");
	}
}

int bench_state(int count, char **words)
{
	struct dataplane_options options = { .change = true, .wait_seconds = 10 };
	struct dataplane *plane = NULL;
	char *error = NULL;
	uint64_t flows;

	if (count != 2 || number_parse_text(words[1], 1, 1U << 24, &flows)) {
		fprintf(stderr, "usage: fwbench state PIN_DIR FLOWS\n");
		return 2;
	}
	options.pin_dir = words[0];
	if (dataplane_open(&options, &plane, &error))
		die("state", error);
	fill(plane, flows);
	dataplane_close(&plane);
	return 0;
}
