// SPDX-License-Identifier: GPL-2.0-only
/*
 * fwbench limits: what a packet pays for a limit. The real programs on one TCP packet, under a rule
 * without a limit and with one of each kind, in turns; medians in nanoseconds.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "fw/image.h"
#include "plane.h"
#include "timing.h"

#define TURNS	31
#define REPEAT	100000
#define WITHIN	"limit 1000000000/s"
#define VARIANT 6

static const struct {
	const char *name;
	const char *limit;
} variants[VARIANT] = {
	{ "no limit", "" },
	{ "within", WITHIN },
	{ "within, bits", "limit 900 gbit/s" },
	{ "within, per source", WITHIN " per source" },
	{ "over", "limit 1/h" },
	{ "over, per source", "limit 1/h per source" },
};

static struct dataplane *plane_make(const char *limit)
{
	char rules[256];

	snprintf(rules, sizeof(rules),
		 "option essential off\ningress default pass {\n pass tcp to port 22 %s\n}\n"
		 "egress default pass {\n pass tcp to port 22 %s\n}\n",
		 limit, limit);
	return plane_of(rules);
}

int bench_limits(int count, char **words)
{
	bool json = count == 1 && !strcmp(words[0], "--json");
	static double times[FW_HOOKS][VARIANT][TURNS];
	struct dataplane *planes[VARIANT];

	if (count > json) {
		fprintf(stderr, "usage: fwbench limits [--json]\n");
		return 2;
	}
	for (int i = 0; i < VARIANT; i++)
		planes[i] = plane_make(variants[i].limit);
	pin_to_last_cpu();
	for (int turn = 0; turn < TURNS; turn++)
		for (int i = 0; i < VARIANT * FW_HOOKS; i++)
			times[i % FW_HOOKS][i / FW_HOOKS][turn] =
				plane_run(planes[i / FW_HOOKS], i % FW_HOOKS, REPEAT);
	if (!json)
		printf("%-24s %10s %10s\n", "ns a packet", "ingress", "egress");
	for (int i = 0; i < VARIANT; i++) {
		double ingress = median(times[FW_INGRESS][i], TURNS);
		double egress = median(times[FW_EGRESS][i], TURNS);

		printf(json ? "{\"limit\":\"%s\",\"ingress_ns\":%.0f,\"egress_ns\":%.0f}\n"
			    : "%-24s %10.0f %10.0f\n",
		       variants[i].name, ingress, egress);
		dataplane_close(&planes[i]);
	}
	return 0;
}
