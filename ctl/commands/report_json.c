/* SPDX-License-Identifier: GPL-2.0-only */
/* `fwctl stats --json`. Programs rely on this shape: keys are added, never changed or dropped. */
#include "commands/flows_report.h"
#include "commands/hook.h"
#include "commands/json.h"
#include "commands/report.h"
#include "language/language.h"

static json_t *hook_to_json(const struct hook_total *total)
{
	uint64_t packets = total->pass.packets + total->drop.packets;
	uint64_t bytes = total->pass.bytes + total->drop.bytes;

	return json_told(json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)packets, "bytes",
		(json_int_t)bytes, "pass", (json_int_t)total->pass.packets, "drop",
		(json_int_t)total->drop.packets, "pass_bytes", (json_int_t)total->pass.bytes,
		"drop_bytes", (json_int_t)total->drop.bytes));
}

static json_t *counter_to_json(const struct fw_counter *counter)
{
	return json_told(json_pack("{s:I, s:I}", "packets", (json_int_t)counter->packets, "bytes",
				   (json_int_t)counter->bytes));
}

/* A rule's action may have changed: what it did while it had another one stays told apart. */
static json_t *actions_to_json(const struct report_line *line)
{
	json_t *actions = json_object();

	for (int action = 0; action < FW_ACTIONS; action++) {
		if (report_has_action(line, action))
			json_object_set_new(actions, action_name(action),
					    counter_to_json(&line->by_action[action]));
	}
	return actions;
}

/* What was over the limit, or NULL for a rule without one. */
static json_t *limited_to_json(const struct report_line *line)
{
	if (!line->has_limit)
		return NULL;
	return counter_to_json(&line->limited);
}

static json_t *line_to_json(const struct report_line *line)
{
	return json_told(json_pack(
		"{s:s, s:s?, s:s, s:s, s:s, s:I, s:I, s:o, s:o*}", "hook", hook_name(line->hook),
		"label", line->label, "rule", line->text, "action", action_name(line->action),
		"kind", report_kind_name(line->kind), "packets", (json_int_t)line->total.packets,
		"bytes", (json_int_t)line->total.bytes, "by_action", actions_to_json(line),
		"limited", limited_to_json(line)));
}

/* Only reasons that ever occurred: what is not there is 0. */
static json_t *reasons_to_json(const struct statistics *statistics)
{
	json_t *list = json_array();

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		for (int reason = 1; reason < FW_REASONS; reason++) {
			const struct fw_counter *counter = &statistics->reasons[hook][reason];

			if (!counter->packets)
				continue;
			json_array_append_new(
				list,
				json_told(json_pack("{s:s, s:s, s:I, s:I}", "hook", hook_name(hook),
						    "reason", fw_reason_name(reason), "packets",
						    (json_int_t)counter->packets, "bytes",
						    (json_int_t)counter->bytes)));
		}
	}
	return list;
}

static json_t *answers_to_json(const struct statistics *statistics)
{
	json_t *hooks = json_object();

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		json_t *outcomes = json_object();

		for (int outcome = 0; outcome < FW_ANSWER_OUTCOMES; outcome++)
			json_object_set_new(
				outcomes, answer_outcome_name(outcome),
				json_integer(
					(json_int_t)statistics->answers[hook][outcome].packets));
		json_object_set_new(hooks, hook_name(hook), outcomes);
	}
	return hooks;
}

static json_t *cookies_to_json(const struct statistics *statistics)
{
	json_t *outcomes = json_object();

	for (int outcome = 0; outcome < FW_COOKIE_OUTCOMES; outcome++)
		json_object_set_new(outcomes, cookie_outcome_name(outcome),
				    json_integer((json_int_t)statistics->cookies[outcome].packets));
	return outcomes;
}

void report_print_json(const struct report *report)
{
	const struct statistics *statistics = report->statistics;
	json_t *hooks = json_object();
	json_t *rules = json_array();
	json_t *flows = NULL;

	if (report->flows.recording)
		flows = flow_totals_to_json(&report->flows);
	for (int hook = 0; hook < FW_HOOKS; hook++)
		json_object_set_new(hooks, hook_name(hook), hook_to_json(&statistics->hooks[hook]));
	for (size_t i = 0; i < report->count; i++)
		json_array_append_new(rules, line_to_json(&report->lines[i]));
	json_write(json_told(json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o*}", "generation",
				       (json_int_t)statistics->generation, "hooks", hooks, "rules",
				       rules, "reasons", reasons_to_json(statistics), "answers",
				       answers_to_json(statistics), "cookies",
				       cookies_to_json(statistics), "flows", flows)));
}
