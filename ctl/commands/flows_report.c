/* SPDX-License-Identifier: GPL-2.0-only */
/* Totals of flows: for people, as JSON, for Prometheus. */
#include "commands/flows_report.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/message.h"
#include "commands/json.h"

const char *flow_table_name(enum fw_flow_table table)
{
	static const char *const names[FW_FLOW_TABLES] = { "assured", "half-open" };

	return names[table];
}

void flow_totals_print(const struct flow_totals *totals)
{
	for (int table = 0; table < FW_FLOW_TABLES; table++) {
		const struct flow_table_total *total = &totals->tables[table];

		printf("%-10s %" PRIu64 " of at most %" PRIu64 "; recorded %" PRIu64
		       ", ended %" PRIu64 ", evicted %" PRIu64 "\n",
		       flow_table_name(table), total->present, total->size, total->inserted,
		       total->deleted + total->expired, total->evicted);
	}
	printf("packets    %" PRIu64 " refused as they did not fit their flow, %" PRIu64
	       " related; %" PRIu64 " flows could not be recorded\n",
	       totals->refused, totals->related, totals->failed);
}

static json_t *table_to_json(const struct flow_table_total *total)
{
	return json_told(json_pack("{s:I, s:I, s:I, s:I, s:I}", "size", (json_int_t)total->size,
				   "present", (json_int_t)total->present, "recorded",
				   (json_int_t)total->inserted, "ended",
				   (json_int_t)(total->deleted + total->expired), "evicted",
				   (json_int_t)total->evicted));
}

json_t *flow_totals_to_json(const struct flow_totals *totals)
{
	return json_told(json_pack("{s:b, s:o, s:o, s:I, s:I, s:I}", "recording", totals->recording,
				   "assured", table_to_json(&totals->tables[FW_FLOWS_ASSURED]),
				   "half_open", table_to_json(&totals->tables[FW_FLOWS_HALF_OPEN]),
				   "refused", (json_int_t)totals->refused, "related",
				   (json_int_t)totals->related, "failed",
				   (json_int_t)totals->failed));
}

/* One family of series, a series for each table: a field of struct flow_table_total. */
static void tables_print(const struct flow_totals *totals, const char *name, const char *help,
			 size_t field)
{
	const char *type =
		field < offsetof(struct flow_table_total, inserted) ? "gauge" : "counter";

	printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
	for (int table = 0; table < FW_FLOW_TABLES; table++) {
		const char *total = (const char *)&totals->tables[table];

		printf("%s{table=\"%s\"} %" PRIu64 "\n", name, flow_table_name(table),
		       *(const uint64_t *)(const void *)(total + field));
	}
}

static void count_print(const char *name, const char *help, uint64_t value)
{
	printf("# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", name, help, name, name, value);
}

void flow_totals_print_prometheus(const struct flow_totals *totals)
{
	tables_print(totals, "fwctl_flows", "Recorded flows.",
		     offsetof(struct flow_table_total, present));
	tables_print(totals, "fwctl_flows_max", "Flows that there is room for.",
		     offsetof(struct flow_table_total, size));
	tables_print(totals, "fwctl_flows_recorded_total",
		     "Flows put into the table; those that become assured count in both.",
		     offsetof(struct flow_table_total, inserted));
	tables_print(totals, "fwctl_flows_evicted_total",
		     "Flows pushed out by others because the table was full.",
		     offsetof(struct flow_table_total, evicted));
	count_print("fwctl_flow_packets_refused_total",
		    "Packets that did not fit the flow which they name.", totals->refused);
	count_print("fwctl_flow_packets_related_total", "ICMP errors about a recorded flow.",
		    totals->related);
	count_print("fwctl_flows_failed_total", "Flows that could not be recorded.",
		    totals->failed);
}

/* The new rules run by now, so trouble is only told. */
void flows_settle_told(struct dataplane *dataplane, const struct ruleset *ruleset)
{
	uint64_t deleted = 0;

	if (ruleset->options.recheck_flows && dataplane_flows_recheck(dataplane, &deleted))
		message_warn("%s", dataplane_error(dataplane));
	else if (deleted)
		message_info("%" PRIu64 " flow%s deleted that the new rules refuse", deleted,
			     deleted == 1 ? "" : "s");
	if (dataplane_settle_flows(dataplane))
		message_warn("%s", dataplane_error(dataplane));
}
