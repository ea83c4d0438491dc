// SPDX-License-Identifier: GPL-2.0-only
/*
 * fwbench sets [HOSTS]: what a packet pays for a live set. Random addresses, hits and misses, in
 * nanoseconds above the loop that makes them; beside it the kernel's own hash with the same keys.
 * Then the real programs on one packet, which a last rule decides, with and without sets in the
 * rule before it.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "bench.h"
#include "dataplane/set_internal.h"

#include "plane.h"
#include "sets.skel.h"
#include "timing.h"

/* Turns so short that some of them are not interrupted on a busy machine. */
#define ROUNDS 10000
#define TURNS  400

/* A data plane whose rules name one live set. */
static struct dataplane *plane_make(uint32_t hosts)
{
	char rules[128];

	snprintf(rules, sizeof(rules),
		 "set s live size %u\ningress default pass {\n drop from @s\n}\n", hosts);
	return plane_of(rules);
}

static int map_use(struct bpf_map *map, int fd)
{
	int error = bpf_map__set_autocreate(map, true);

	return error ? error : bpf_map__reuse_fd(map, fd);
}

static struct sets_bpf *program_load_on(struct dataplane *plane)
{
	struct sets_bpf *skeleton = sets_bpf__open();
	struct bpf_map *map;

	if (!skeleton)
		die("program", "cannot open");
	/* Maps of the data plane that this program has no use for are not made. */
	bpf_object__for_each_map(map, skeleton->obj) if (!strncmp(bpf_map__name(map), "fw_", 3))
		bpf_map__set_autocreate(map, false);
	if (map_use(skeleton->maps.fw_sets, plane->maps.sets_map) ||
	    map_use(skeleton->maps.fw_hosts_4, plane->maps.sets[FW_SET_HOSTS][0]) ||
	    map_use(skeleton->maps.fw_hosts_6, plane->maps.sets[FW_SET_HOSTS][1]) ||
	    map_use(skeleton->maps.fw_nets_4, plane->maps.sets[FW_SET_NETS][0]) ||
	    map_use(skeleton->maps.fw_nets_6, plane->maps.sets[FW_SET_NETS][1]))
		die("program", "cannot use the maps");
	if (sets_bpf__load(skeleton))
		die("program", "cannot load");
	return skeleton;
}

/* The best of some turns: other work on the machine only makes it slower. */
static double run(struct sets_bpf *skeleton, uint32_t mode, bool hit, bool asks)
{
	uint8_t frame[64] = { 0 };
	double best = 1e9;

	skeleton->bss->mode = mode;
	skeleton->bss->hit = hit;
	skeleton->bss->wanted = asks;
	skeleton->bss->rounds = ROUNDS;
	for (int i = 0; i < TURNS; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
			    .data_size_in = sizeof(frame), .repeat = 1);

		if (bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.bench_sets), &options))
			die("program", "cannot run");
		if ((double)skeleton->bss->nanoseconds / ROUNDS < best)
			best = (double)skeleton->bss->nanoseconds / ROUNDS;
	}
	if (mode != 0 && asks && skeleton->bss->found != (hit ? ROUNDS : 0))
		die("program", "found what is not there, or missed what is");
	return best;
}

static void fill(struct dataplane *plane, uint32_t hosts, bool expire)
{
	struct set_elements elements = { 0 };
	struct set_change change;
	struct live_set set;

	for (uint32_t i = 0; i < hosts; i++) {
		const struct set_element element = {
			.address = { { i * 2654435761U }, FW_INET },
			.length = 32,
			.expires = expire ? boot_expiry(3600) : 0,
		};

		set_elements_add(&elements, &element);
	}
	if (dataplane_find_set(plane, "s", &set) || dataplane_set_flush(plane, &set) ||
	    dataplane_set_add(plane, &set, &elements, &change))
		die("fill", dataplane_error(plane));
	set_elements_free(&elements);
}

static void tell(const char *what, double hit, double miss, bool json)
{
	if (json)
		printf("{\"lookup\":\"%s\",\"hit_ns\":%.1f,\"miss_ns\":%.1f}\n", what, hit, miss);
	else
		printf("%-32s %8.1f %8.1f\n", what, hit, miss);
}

static void measure(struct dataplane *plane, struct sets_bpf *skeleton, uint32_t hosts, bool json)
{
	double loop = run(skeleton, 0, true, false);

	fill(plane, hosts, false);
	tell("kernel hash", run(skeleton, 1, true, true) - loop,
	     run(skeleton, 1, false, true) - loop, json);
	tell("live set", run(skeleton, 2, true, true) - loop, run(skeleton, 2, false, true) - loop,
	     json);
	fill(plane, hosts, true);
	tell("live set that expires", run(skeleton, 2, true, true) - loop,
	     run(skeleton, 2, false, true) - loop, json);
}

/* The packet comes from 192.0.2.1. */
#define PACKET_TURNS 200

static const struct {
	const char *name;
	const char *sets;
	const char *from; /* in the rule before the one that decides */
} variants[] = {
	{ "no set", "", "" },
	{ "an empty set", "set a live", "from @a" },
	{ "a set of IPv6 hosts", "set a live { 2001:db8::1 }", "from @a" },
	{ "a set without it", "set a live { 192.0.2.2 }", "from @a" },
	{ "the same, an empty set beside it", "set a live { 192.0.2.2 }\nset b live",
	  "from { @a, @b }" },
	{ "two sets without it", "set a live { 192.0.2.2 }\nset b live { 192.0.2.3 }",
	  "from { @a, @b }" },
	{ "a set with it", "set a live { 192.0.2.1 }", "from @a" },
	{ "two sets with it", "set a live { 192.0.2.1 }\nset b live { 192.0.2.1 }",
	  "from { @a, @b }" },
};

#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static struct dataplane *plane_make_variant(size_t number)
{
	char rules[512];

	snprintf(rules, sizeof(rules),
		 "%s\noption essential off\ningress default pass {\n"
		 " drop tcp %s to port 25\n pass tcp to port 22\n}\n"
		 "egress default pass {\n drop tcp %s to port 25\n pass tcp to port 22\n}\n",
		 variants[number].sets, variants[number].from, variants[number].from);
	return plane_of(rules);
}

static void measure_packets(bool json)
{
	double best[VARIANTS][FW_HOOKS];
	struct dataplane *planes[VARIANTS];

	for (size_t i = 0; i < VARIANTS; i++)
		planes[i] = plane_make_variant(i);
	pin_to_last_cpu();
	for (int turn = 0; turn < PACKET_TURNS; turn++) {
		for (size_t i = 0; i < VARIANTS * FW_HOOKS; i++) {
			double *least = &best[i / FW_HOOKS][i % FW_HOOKS];
			double time = plane_run(planes[i / FW_HOOKS], i % FW_HOOKS, ROUNDS);

			if (!turn || time < *least)
				*least = time;
		}
	}
	if (!json)
		printf("%-32s %8s %8s\n", "ns a packet, under", "ingress", "egress");
	for (size_t i = 0; i < VARIANTS; i++) {
		printf(json ? "{\"sets\":\"%s\",\"ingress_ns\":%.0f,\"egress_ns\":%.0f}\n"
			    : "%-32s %8.0f %8.0f\n",
		       variants[i].name, best[i][FW_INGRESS], best[i][FW_EGRESS]);
		dataplane_close(&planes[i]);
	}
}

int bench_sets(int count, char **words)
{
	bool json = count && !strcmp(words[0], "--json");
	uint64_t hosts = 1000000;
	struct dataplane *plane;
	struct sets_bpf *skeleton;

	count -= json;
	if (count > 1 || (count && number_parse_text(words[json], 1, 10000000, &hosts))) {
		fprintf(stderr, "usage: fwbench sets [--json] [HOSTS]\n");
		return 2;
	}
	plane = plane_make((uint32_t)hosts);
	skeleton = program_load_on(plane);
	skeleton->bss->hosts = (uint32_t)hosts;
	if (!json)
		printf("%-32s %8s %8s\n", "ns per lookup, random addresses", "hit", "miss");
	measure(plane, skeleton, (uint32_t)hosts, json);
	measure_packets(json);
	sets_bpf__destroy(skeleton);
	dataplane_close(&plane);
	return 0;
}
