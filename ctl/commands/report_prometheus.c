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

static void answers_print(const struct report *report)
{
	const char *name = "fwctl_answers_total";

	family_print(name, "counter", "What became of the answers to rejected packets.");
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		for (int outcome = 0; outcome < FW_ANSWER_OUTCOMES; outcome++)
			printf("%s{hook=\"%s\",outcome=\"%s\"} %" PRIu64 "\n", name,
			       hook_name(hook), answer_outcome_name(outcome),
			       (uint64_t)report->statistics->answers[hook][outcome].packets);
	}
}

static void cookies_print(const struct report *report)
{
	const char *name = "fwctl_syncookies_total";

	family_print(name, "counter", "What became of the packets of rules with syncookie.");
	for (int outcome = 0; outcome < FW_COOKIE_OUTCOMES; outcome++)
		printf("%s{outcome=\"%s\"} %" PRIu64 "\n", name, cookie_outcome_name(outcome),
		       (uint64_t)report->statistics->cookies[outcome].packets);
}

#define ATTACHED "fwctl_interface_attached"

static void attached_print(const char *link, int hook, const char *mode)
{
	printf(ATTACHED "{interface=\"");
	value_print(link);
	printf("\",hook=\"%s\",mode=\"%s\"} %d\n", hook_name(hook), mode ? mode : "none", !!mode);
}

static bool is_attached(const struct report *report, const struct link_info *link, int hook)
{
	for (size_t i = 0; i < report->attachment_count; i++)
		if (report->attachments[i].link.index == link->index &&
		    (int)report->attachments[i].hook == hook)
			return true;
	return false;
}

/* What should be filtered and is not is 0: a series that is gone wakes nobody. */
static void attachments_print(const struct report *report)
{
	const struct wanted_links *wanted = &report->wanted;

	family_print(ATTACHED, "gauge",
		     "1 for each interface and hook that is filtered, 0 if it should be.");
	for (size_t i = 0; i < report->attachment_count; i++)
		attached_print(report->attachments[i].link.name, (int)report->attachments[i].hook,
			       report->attachments[i].mode);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		if (!report->ruleset->blocks[hook].present)
			continue;
		for (size_t i = 0; i < wanted->count; i++)
			if (!is_attached(report, wanted->items[i].link, hook))
				attached_print(wanted->items[i].link->name, hook, NULL);
		for (size_t i = 0; i < wanted->missing_count; i++)
			if (!wanted->missing[i]->is_pattern)
				attached_print(wanted->missing[i]->pattern, hook, NULL);
	}
}

static void set_value_print(const char *name, const char *set, uint64_t value)
{
	printf("%s{set=\"", name);
	value_print(set);
	printf("\"} %" PRIu64 "\n", value);
}

static void sets_print(const struct report *report)
{
	family_print("fwctl_set_elements", "gauge",
		     "Elements of each live set, expired ones included until they are removed.");
	for (size_t i = 0; i < report->set_count; i++)
		set_value_print("fwctl_set_elements", report->sets[i].name, report->sets[i].count);
	family_print("fwctl_set_size", "gauge", "Elements that each live set has room for.");
	for (size_t i = 0; i < report->set_count; i++)
		set_value_print("fwctl_set_size", report->sets[i].name, report->sets[i].size);
	family_print("fwctl_set_refused_total", "counter",
		     "Elements that were refused because the live set was full.");
	for (size_t i = 0; i < report->set_count; i++)
		set_value_print("fwctl_set_refused_total", report->sets[i].name,
				report->sets[i].refused);
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
	answers_print(report);
	cookies_print(report);
	family_print("fwctl_rules", "gauge", "Rules that are running, built-in ones included.");
	printf("fwctl_rules %zu\n", count);
	family_print("fwctl_generation", "gauge", "The number of the running generation.");
	printf("fwctl_generation %u\n", report->statistics->generation);
	attachments_print(report);
	sets_print(report);
	if (report->flows.recording)
		flow_totals_print_prometheus(&report->flows);
}
