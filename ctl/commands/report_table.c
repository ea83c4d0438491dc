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
	int limited; /* 0: no rule has a limit */
};

/* No number in the table is larger than a hook's totals. */
static struct columns columns_of(const struct report *report)
{
	struct columns columns = { sizeof("packets") - 1, sizeof("bytes") - 1, 0 };

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct hook_total *total = &report->statistics->hooks[hook];

		widen(&columns.packets, total->pass.packets + total->drop.packets);
		widen(&columns.bytes, total->pass.bytes + total->drop.bytes);
	}
	for (size_t i = 0; i < report->count; i++) {
		if (!report->lines[i].has_limit)
			continue;
		if (!columns.limited)
			columns.limited = sizeof("limited") - 1;
		widen(&columns.limited, report->lines[i].limited.packets);
	}
	return columns;
}

static void counter_print(const struct columns *columns, const struct fw_counter *counter)
{
	printf("%*" PRIu64 "  %*" PRIu64 "  ", columns->packets, (uint64_t)counter->packets,
	       columns->bytes, (uint64_t)counter->bytes);
}

/* Packets over the limit; nothing for who has none, or where no rule of the table has. */
static void limited_print(const struct columns *columns, const struct report_line *line)
{
	if (!columns->limited)
		return;
	if (line && line->has_limit)
		printf("%*" PRIu64 "  ", columns->limited, (uint64_t)line->limited.packets);
	else
		printf("%*s  ", columns->limited, "");
}

static void text_print(const char *what, const char *note)
{
	printf("%s%s%s\n", what, *note ? "  " : "", note);
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
		counter_print(columns, &line->total);
		limited_print(columns, line);
		text_print(line->text, note);
	}
}

static void reasons_print(const struct report *report, const struct columns *columns,
			  enum fw_hook hook)
{
	for (int reason = 1; reason < FW_REASONS; reason++) {
		const struct fw_counter *counter = &report->statistics->reasons[hook][reason];

		if (!counter->packets)
			continue;
		counter_print(columns, counter);
		limited_print(columns, NULL);
		text_print(fw_reason_name(reason), fw_reason_meaning(reason));
	}
}

/* Only where rules reject, or did. */
static void answers_print(const struct report *report, enum fw_hook hook)
{
	const struct fw_counter *answers = report->statistics->answers[hook];
	bool any = false;

	for (int outcome = 0; outcome < FW_ANSWER_OUTCOMES; outcome++)
		any = any || answers[outcome].packets;
	if (any)
		printf("answers to what was rejected: %" PRIu64 " sent, %" PRIu64
		       " over the rate, %" PRIu64 " withheld, %" PRIu64 " failed\n",
		       (uint64_t)answers[FW_ANSWER_SENT].packets,
		       (uint64_t)answers[FW_ANSWER_LIMITED].packets,
		       (uint64_t)answers[FW_ANSWER_WITHHELD].packets,
		       (uint64_t)answers[FW_ANSWER_FAILED].packets);
}

/* Only where rules answer SYNs, or did. */
static void cookies_print(const struct report *report)
{
	const struct fw_counter *cookies = report->statistics->cookies;
	bool any = false;

	for (int outcome = 0; outcome < FW_COOKIE_OUTCOMES; outcome++)
		any = any || cookies[outcome].packets;
	if (any)
		printf("SYN cookies: %" PRIu64 " sent, %" PRIu64 " left to the host, %" PRIu64
		       " within the rate; acknowledged: %" PRIu64 " right, %" PRIu64 " wrong\n",
		       (uint64_t)cookies[FW_COOKIE_SENT].packets,
		       (uint64_t)cookies[FW_COOKIE_DECLINED].packets,
		       (uint64_t)cookies[FW_COOKIE_PASSED].packets,
		       (uint64_t)cookies[FW_COOKIE_RIGHT].packets,
		       (uint64_t)cookies[FW_COOKIE_WRONG].packets);
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
		printf("%*s  %*s  ", columns.packets, "packets", columns.bytes, "bytes");
		if (columns.limited)
			printf("%*s  ", columns.limited, "limited");
		puts("rule");
		lines_print(report, &columns, hook);
		reasons_print(report, &columns, hook);
		answers_print(report, hook);
		if (hook == FW_INGRESS)
			cookies_print(report);
	}
	if (report->flows.recording) {
		printf("\nflows\n");
		flow_totals_print(&report->flows);
	}
}
