/* SPDX-License-Identifier: GPL-2.0-only */
/* Brings the counters, which know identities only, together with the rules that they belong to. */
#include "commands/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "commands/hook.h"
#include "commands/running.h"
#include "language/language.h"

#define READS_MAX 10

const char *report_kind_name(enum report_kind kind)
{
	static const char *const names[] = { "rule", "builtin", "default", "removed" };

	return names[kind];
}

const char *answer_outcome_name(enum fw_answer_outcome outcome)
{
	static const char *const names[FW_ANSWER_OUTCOMES] = { "sent", "limited", "withheld",
							       "failed" };

	return names[outcome];
}

const char *cookie_outcome_name(enum fw_cookie_outcome outcome)
{
	static const char *const names[FW_COOKIE_OUTCOMES] = { "passed", "declined", "sent",
							       "right", "wrong" };

	return names[outcome];
}

bool report_has_action(const struct report_line *line, enum fw_action action)
{
	return action == line->action || line->by_action[action].packets;
}

static void line_take(struct report_line *line, const struct rule_total *total)
{
	line->total = total->total;
	memcpy(line->by_action, total->by_action, sizeof(line->by_action));
	line->limited = total->limited;
	line->has_limit |= total->limited.packets;
}

static void line_count(const struct statistics *statistics, struct report_line *line)
{
	const struct rule_total *total = statistics_find(statistics, line->hook, line->identity);

	if (total)
		line_take(line, total);
}

static void lines_of_block(struct report *report, enum fw_hook hook)
{
	const struct block *block = &report->ruleset->blocks[hook];

	if (!block->present)
		return;
	for (size_t i = 0; i < block->count; i++) {
		const struct rule *rule = &block->rules[i];
		struct report_line *line = &report->lines[report->count++];

		line->hook = hook;
		line->kind = i < block->builtin_count ? REPORT_BUILTIN : REPORT_RULE;
		line->label = rule->label;
		line->text = rule->text;
		line->identity = rule_identity(rule);
		line->action = rule->action;
		line->has_limit = rule->limit;
		line_count(report->statistics, line);
	}
	report->lines[report->count] = (struct report_line){
		.hook = hook,
		.kind = REPORT_DEFAULT,
		.label = "default",
		.text = default_text(block->default_action),
		.identity = "default",
		.action = block->default_action,
	};
	line_count(report->statistics, &report->lines[report->count++]);
}

static bool is_running(const struct report *report, const struct rule_total *total)
{
	return total->live && report->ruleset->blocks[total->hook].present;
}

/* A canonical text has a blank or is one of the action words; anything else is a label. */
static bool identity_is_label(const char *identity)
{
	for (int action = 0; action < FW_ACTIONS; action++) {
		if (!strcmp(identity, action_name(action)))
			return false;
	}
	return !strchr(identity, ' ');
}

static void lines_of_removed(struct report *report)
{
	const struct statistics *statistics = report->statistics;

	for (size_t i = 0; i < statistics->rule_count; i++) {
		const struct rule_total *total = &statistics->rules[i];

		if (is_running(report, total) || !(total->total.packets | total->limited.packets))
			continue;
		report->lines[report->count] = (struct report_line){
			.hook = total->hook,
			.kind = REPORT_REMOVED,
			.label = identity_is_label(total->identity) ? total->identity : NULL,
			.text = total->identity,
			.identity = total->identity,
			.action = total->action,
		};
		line_take(&report->lines[report->count++], total);
	}
}

/* Packets of rules whose names are forgotten: no rule can be called so. */
#define FORGOTTEN "(removed earlier)"

static void lines_of_forgotten(struct report *report)
{
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		for (int action = 0; action < FW_ACTIONS; action++) {
			const struct fw_counter *total =
				&report->statistics->forgotten[hook][action];

			if (!total->packets)
				continue;
			report->lines[report->count] = (struct report_line){
				.hook = hook,
				.kind = REPORT_REMOVED,
				.text = FORGOTTEN,
				.identity = FORGOTTEN,
				.action = action,
				.total = *total,
			};
			report->lines[report->count++].by_action[action] = *total;
		}
	}
}

static void lines_make(struct report *report)
{
	size_t most = report->statistics->rule_count + FW_HOOKS + FW_HOOKS * FW_ACTIONS;

	for (int hook = 0; hook < FW_HOOKS; hook++)
		most += report->ruleset->blocks[hook].count;
	report->lines = calloc(most, sizeof(*report->lines));
	if (!report->lines)
		message_out_of_memory();
	for (int hook = 0; hook < FW_HOOKS; hook++)
		lines_of_block(report, hook);
	lines_of_removed(report);
	lines_of_forgotten(report);
}

/* Rules and counters of one generation: they are two reads, and a switch may fall between. */
static int report_read_once(struct dataplane *dataplane, struct report *report)
{
	int error = running_read(dataplane, &report->generation, &report->ruleset);

	if (error)
		return error;
	error = dataplane_read_statistics(dataplane, &report->statistics);
	if (error) {
		message_error("cannot read the counters: %s", dataplane_error(dataplane));
		return error;
	}
	return report->statistics->generation == report->generation->number ? 0 : -EAGAIN;
}

/* What is not of a generation: it may be read later than the rules. */
static int surroundings_read(struct dataplane *dataplane, struct report *report)
{
	int error =
		dataplane_attachments(dataplane, &report->attachments, &report->attachment_count);

	if (error) {
		message_error("cannot see what is attached: %s", dataplane_error(dataplane));
		return error;
	}
	error = wanted_links_find(report->ruleset, &report->wanted);
	if (error) {
		message_error("cannot list the network interfaces: %s", strerror(-error));
		return error;
	}
	error = dataplane_sets(dataplane, &report->sets, &report->set_count);
	if (!error)
		error = dataplane_flow_totals(dataplane, &report->flows);
	if (error)
		message_error("%s", dataplane_error(dataplane));
	return error;
}

int report_read(struct dataplane *dataplane, struct report *ret_report)
{
	struct report report = { 0 };
	int error = -EAGAIN;

	for (int i = 0; i < READS_MAX && error == -EAGAIN; i++) {
		report_free(&report);
		error = report_read_once(dataplane, &report);
	}
	if (error == -EAGAIN)
		message_error("the rules change faster than they can be read; try again");
	if (!error)
		error = surroundings_read(dataplane, &report);
	if (error) {
		report_free(&report);
		return error;
	}
	lines_make(&report);
	*ret_report = report;
	return 0;
}

void report_free(struct report *report)
{
	free(report->lines);
	free(report->attachments);
	free(report->sets);
	wanted_links_free(&report->wanted);
	statistics_free(&report->statistics);
	ruleset_free(&report->ruleset);
	generation_free(&report->generation);
	memset(report, 0, sizeof(*report));
}
