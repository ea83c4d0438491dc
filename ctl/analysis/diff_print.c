/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/diff_print.h"

#include <string.h>

#include "analysis/describe.h"

static const char *const hook_words[FW_HOOKS] = { "ingress", "egress" };
static const char *const action_words[FW_ACTIONS] = { "pass", "drop", "reject", "count" };
static const char *const change_words[] = {
	[DIFF_VERDICT] = "verdict",
	[DIFF_LIMIT] = "limit",
	[DIFF_STATE] = "state",
	[DIFF_COOKIE] = "syncookie",
	[DIFF_STATE_AND_COOKIE] = "state",
};
/* Where the verdict is the same. */
static const char *const change_texts[] = {
	[DIFF_LIMIT] = "another limit",
	[DIFF_STATE] = "other flows",
	[DIFF_COOKIE] = "another answer to SYNs",
	[DIFF_STATE_AND_COOKIE] = "other flows, another answer to SYNs",
};

static void print_judge(const struct subject *judge, const char *when, struct buffer *buffer)
{
	enum fw_action action = diff_action(judge->ruleset, judge->hook, judge->rule);

	buffer_printf(buffer, "    %s: %s by ", when, action_words[action]);
	describe_rule(judge, NULL, buffer);
	buffer_putc(buffer, '\n');
}

static void print_region(const struct diff_input *input, const struct diff_region *region,
			 struct buffer *buffer)
{
	const struct subject old_judge = { input->old_ruleset, region->hook, region->old_rule };
	const struct subject new_judge = { input->new_ruleset, region->hook, region->new_rule };

	describe_packet(&old_judge, &region->old_packet, region->interface, buffer);
	if (region->change != DIFF_VERDICT)
		buffer_printf(buffer, " (%s)", change_texts[region->change]);
	buffer_putc(buffer, '\n');
	print_judge(&old_judge, "old", buffer);
	print_judge(&new_judge, "new", buffer);
}

static void print_not_compared(const struct diff_report *report, struct buffer *buffer)
{
	if (report->interfaces_differ)
		buffer_puts(buffer, "not compared: the interface statements, which differ\n");
	if (report->options_differ)
		buffer_puts(buffer, "not compared: the option statements, which differ\n");
	if (report->live_sets_differ)
		buffer_puts(buffer, "not compared: the live sets, which start differently\n");
}

bool diff_is_same(const struct diff_report *report)
{
	return !report->count && !report->undecided && !report->interfaces_differ &&
	       !report->options_differ && !report->live_sets_differ;
}

void diff_print(const struct diff_input *input, struct buffer *buffer)
{
	const struct diff_report *report = input->report;

	for (size_t i = 0; i < report->count; i++)
		print_region(input, &report->regions[i], buffer);
	if (report->undecided)
		buffer_printf(buffer,
			      "stopped early: at least %zu pairs of rules were not decided\n",
			      report->undecided);
	if (report->count)
		buffer_printf(buffer, "%zu %s of packets %s judged differently\n", report->count,
			      report->count == 1 ? "region" : "regions",
			      report->count == 1 ? "is" : "are");
	else if (!report->undecided)
		buffer_puts(buffer, "no packet is judged differently\n");
	else
		buffer_puts(buffer, "no packet was found that is judged differently\n");
	print_not_compared(report, buffer);
}

/* The reference is the object's, also if there is no object for want of memory. */
static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *judge_json(const struct subject *judge)
{
	const struct ruleset *ruleset = judge->ruleset;
	const struct rule *rule = NULL;
	json_t *object = json_object();
	bool has_place;

	if (judge->rule != EVALUATE_DEFAULT)
		rule = &ruleset->blocks[judge->hook].rules[judge->rule];
	has_place = rule && !rule->builtin;
	set(object, "rule", json_string(rule ? rule_identity(rule) : "default"));
	set(object, "action",
	    json_string(action_words[diff_action(ruleset, judge->hook, judge->rule)]));
	set(object, "file",
	    has_place ? json_string(ruleset->files[rule->at.file].path) : json_null());
	set(object, "line", has_place ? json_integer(rule->at.line) : json_null());
	return object;
}

static json_t *region_json(const struct diff_input *input, const struct diff_region *region)
{
	const struct subject old_judge = { input->old_ruleset, region->hook, region->old_rule };
	const struct subject new_judge = { input->new_ruleset, region->hook, region->new_rule };
	_cleanup_buffer_ struct buffer text = { 0 };
	json_t *object = json_object();

	describe_packet(&old_judge, &region->old_packet, region->interface, &text);
	set(object, "hook", json_string(hook_words[region->hook]));
	set(object, "change", json_string(change_words[region->change]));
	set(object, "packet", json_string(buffer_text(&text)));
	set(object, "old", judge_json(&old_judge));
	set(object, "new", judge_json(&new_judge));
	return object;
}

json_t *diff_json(const struct diff_input *input)
{
	const struct diff_report *report = input->report;
	json_t *object = json_object(), *regions = json_array(), *others = json_array();

	for (size_t i = 0; i < report->count; i++)
		json_array_append_new(regions, region_json(input, &report->regions[i]));
	if (report->interfaces_differ)
		json_array_append_new(others, json_string("interface"));
	if (report->options_differ)
		json_array_append_new(others, json_string("option"));
	if (report->live_sets_differ)
		json_array_append_new(others, json_string("live set"));
	set(object, "same", json_boolean(diff_is_same(report)));
	set(object, "complete", json_boolean(!report->undecided));
	set(object, "undecided", json_integer((json_int_t)report->undecided));
	set(object, "regions", regions);
	set(object, "not_compared", others);
	return object;
}
