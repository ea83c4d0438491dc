/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters for people: one table, columns as wide as they must be. */
#include <inttypes.h>
#include <stdio.h>

#include "commands/flows_report.h"
#include "commands/hook.h"
#include "commands/report.h"

static int digits(uint64_t value)
{
	int count = 1;

	while (value /= 10)
		count++;
	return count;
}

static void widen(int *width, uint64_t value)
{
	if (digits(value) > *width)
		*width = digits(value);
}

struct columns {
	int packets;
	int bytes;
};

/* No number in the table is larger than a hook's totals. */
static struct columns columns_of(const struct report *report)
{
	struct columns columns = { sizeof("packets") - 1, sizeof("bytes") - 1 };

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct hook_total *total = &report->statistics->hooks[hook];

		widen(&columns.packets, total->pass.packets + total->drop.packets);
		widen(&columns.bytes, total->pass.bytes + total->drop.bytes);
	}
	return columns;
}

static void row_print(const struct columns *columns, const struct fw_counter *counter,
		      const char *what, const char *note)
{
	printf("%*" PRIu64 "  %*" PRIu64 "  %s%s%s\n", columns->packets, (uint64_t)counter->packets,
	       columns->bytes, (uint64_t)counter->bytes, what, *note ? "  " : "", note);
}

static void lines_print(const struct report *report, const struct columns *columns,
			enum fw_hook hook)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct report_line *line = &report->lines[i];
		const char *note = "";

		if (line->hook != hook)
			continue;
		if (line->kind == REPORT_REMOVED)
			note = *line->text == '(' ? "" : "(removed)";
		else if (line->action == FW_COUNT)
			note = "(counted, and decided by another line)";
		row_print(columns, &line->total, line->text, note);
	}
}

static void reasons_print(const struct report *report, const struct columns *columns,
			  enum fw_hook hook)
{
	for (int reason = 1; reason < FW_REASONS; reason++) {
		const struct fw_counter *counter = &report->statistics->reasons[hook][reason];

		if (counter->packets)
			row_print(columns, counter, fw_reason_name(reason),
				  fw_reason_meaning(reason));
	}
}

void report_print_table(const struct report *report)
{
	struct columns columns = columns_of(report);

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct hook_total *total = &report->statistics->hooks[hook];
		bool used = report->ruleset->blocks[hook].present || total->pass.packets ||
			    total->drop.packets;

		if (!used)
			continue;
		printf("%s%s: %" PRIu64 " packets passed, %" PRIu64 " dropped\n", hook ? "\n" : "",
		       hook_name(hook), (uint64_t)total->pass.packets,
		       (uint64_t)total->drop.packets);
		printf("%*s  %*s  rule\n", columns.packets, "packets", columns.bytes, "bytes");
		lines_print(report, &columns, hook);
		reasons_print(report, &columns, hook);
	}
	if (report->flows.recording) {
		printf("\nflows\n");
		flow_totals_print(&report->flows);
	}
}
