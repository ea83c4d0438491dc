/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `fwctl stats --prometheus`: the text exposition format, version 0.0.4. A series must not change
 * its name while its rule lives, so a rule is named by its identity.
 */
#include <inttypes.h>
#include <stdio.h>

#include "commands/flows_report.h"
#include "commands/hook.h"
#include "commands/report.h"
#include "language/language.h"

static void family_print(const char *name, const char *type, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: a backslash, a double quote and a newline must be escaped. */
static void value_print(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", stdout);
		else if (*text == '\\' || *text == '"')
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void rule_print(const struct report_line *line, enum fw_action action, const char *name,
		       bool bytes)
{
	const struct fw_counter *counter = &line->by_action[action];

	printf("%s{hook=\"%s\",rule=\"", name, hook_name(line->hook));
	value_print(line->identity);
	printf("\",action=\"%s\"} %" PRIu64 "\n", action_name(action),
	       (uint64_t)(bytes ? counter->bytes : counter->packets));
}

/* A series for each action that the rule has or had: what was counted never changes its label. */
static void rules_print(const struct report *report, const char *name, const char *help, bool bytes)
{
	family_print(name, "counter", help);
	for (size_t i = 0; i < report->count; i++) {
		for (int action = 0; action < FW_ACTIONS; action++)
			if (report_has_action(&report->lines[i], action))
				rule_print(&report->lines[i], action, name, bytes);
	}
}

/* Only of rules with a limit. */
static void limited_print(const struct report *report, const char *name, const char *help,
			  bool bytes)
{
	family_print(name, "counter", help);
	for (size_t i = 0; i < report->count; i++) {
		const struct report_line *line = &report->lines[i];

		if (!line->has_limit)
			continue;
		printf("%s{hook=\"%s\",rule=\"", name, hook_name(line->hook));
		value_print(line->identity);
		printf("\"} %" PRIu64 "\n",
		       (uint64_t)(bytes ? line->limited.bytes : line->limited.packets));
	}
}

/* All reasons, also those that never occurred: an alert wants a series that is 0 before. */
static void reasons_print(const struct report *report, const char *name, const char *help,
			  bool bytes)
{
	family_print(name, "counter", help);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		for (int reason = 1; reason < FW_REASONS; reason++) {
			const struct fw_counter *counter =
				&report->statistics->reasons[hook][reason];

			printf("%s{hook=\"%s\",reason=\"%s\"} %" PRIu64 "\n", name, hook_name(hook),
			       fw_reason_name(reason),
			       (uint64_t)(bytes ? counter->bytes : counter->packets));
		}
	}
}

static void hooks_print(const struct report *report, const char *name, const char *help, bool bytes)
{
	family_print(name, "counter", help);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct hook_total *total = &report->statistics->hooks[hook];

		printf("%s{hook=\"%s\",verdict=\"pass\"} %" PRIu64 "\n", name, hook_name(hook),
		       (uint64_t)(bytes ? total->pass.bytes : total->pass.packets));
		printf("%s{hook=\"%s\",verdict=\"drop\"} %" PRIu64 "\n", name, hook_name(hook),
		       (uint64_t)(bytes ? total->drop.bytes : total->drop.packets));
	}
}

static void attachments_print(const struct report *report)
{
	const char *name = "fwctl_interface_attached";

	family_print(name, "gauge", "1 for each interface and hook that is filtered.");
	for (size_t i = 0; i < report->attachment_count; i++) {
		printf("%s{interface=\"", name);
		value_print(report->attachments[i].link.name);
		printf("\",hook=\"%s\",mode=\"%s\"} 1\n", hook_name(report->attachments[i].hook),
		       report->attachments[i].mode);
	}
}

void report_print_prometheus(const struct report *report)
{
	size_t count = 0;

	for (int hook = 0; hook < FW_HOOKS; hook++)
		count += report->ruleset->blocks[hook].count;
	rules_print(report, "fwctl_rule_packets_total", "Packets that a rule decided or counted.",
		    false);
	rules_print(report, "fwctl_rule_bytes_total", "Frame bytes of these packets.", true);
	limited_print(report, "fwctl_rule_limited_packets_total",
		      "Packets that were over a rule's limit.", false);
	limited_print(report, "fwctl_rule_limited_bytes_total", "Frame bytes of these packets.",
		      true);
	reasons_print(report, "fwctl_reason_packets_total",
		      "Packets that ended without a rule, by reason.", false);
	reasons_print(report, "fwctl_reason_bytes_total", "Frame bytes of these packets.", true);
	hooks_print(report, "fwctl_hook_packets_total", "All packets, by hook and verdict.", false);
	hooks_print(report, "fwctl_hook_bytes_total", "Frame bytes of these packets.", true);
	family_print("fwctl_rules", "gauge", "Rules that are running, built-in ones included.");
	printf("fwctl_rules %zu\n", count);
	family_print("fwctl_generation", "gauge", "The number of the running generation.");
	printf("fwctl_generation %u\n", report->statistics->generation);
	attachments_print(report);
	if (report->flows.recording)
		flow_totals_print_prometheus(&report->flows);
}
