/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl list: the running rules, as text that `fwctl apply` takes back, or as JSON. */
#include <errno.h>
#include <stdio.h>

#include "base/buffer.h"
#include "commands/hook.h"
#include "commands/json.h"
#include "commands/running.h"
#include "language/language.h"

/* Each rule behind the number that `delete` and `add --at` know it by. */
static void list_numbered(const struct ruleset *ruleset)
{
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &ruleset->blocks[hook];

		if (!block->present)
			continue;
		printf("%s %s\n", hook_name(hook), default_text(block->default_action));
		for (size_t i = 0; i < block->count; i++) {
			if (i < block->builtin_count)
				printf("%8s  %s\n", "-", block->rules[i].text);
			else
				printf("%8zu  %s\n", i - block->builtin_count + 1,
				       block->rules[i].text);
		}
	}
}

static json_t *rule_to_json(const struct block *block, enum fw_hook hook, size_t index)
{
	const struct rule *rule = &block->rules[index];
	bool builtin = index < block->builtin_count;

	return json_told(
		json_pack("{s:s, s:o, s:s?, s:s, s:s, s:s}", "hook", hook_name(hook), "number",
			  builtin ? json_null()
				  : json_integer((json_int_t)(index - block->builtin_count + 1)),
			  "label", rule->label, "rule", rule->text, "action",
			  action_name(rule->action), "kind", builtin ? "builtin" : "rule"));
}

static json_t *interfaces_to_json(const struct ruleset *ruleset)
{
	static const char *const modes[] = { "auto", "native", "generic" };
	json_t *list = json_array();

	for (size_t i = 0; i < ruleset->interface_count; i++)
		json_array_append_new(list,
				      json_told(json_pack("{s:s, s:b, s:s}", "name",
							  ruleset->interfaces[i].pattern, "pattern",
							  ruleset->interfaces[i].is_pattern, "mode",
							  modes[ruleset->interfaces[i].mode])));
	return list;
}

static void list_json(const struct generation *generation, const struct ruleset *ruleset)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	json_t *rules = json_array();
	json_t *hooks = json_object();

	ruleset_print(ruleset, &text);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &ruleset->blocks[hook];

		if (!block->present)
			continue;
		json_object_set_new(hooks, hook_name(hook),
				    json_told(json_pack("{s:s}", "default",
							action_name(block->default_action))));
		for (size_t i = 0; i < block->count; i++)
			json_array_append_new(rules, rule_to_json(block, hook, i));
	}
	json_write(json_told(json_pack(
		"{s:I, s:s, s:o, s:o, s:o, s:s}", "generation", (json_int_t)generation->number,
		"source", generation->origin.source, "interfaces", interfaces_to_json(ruleset),
		"hooks", hooks, "rules", rules, "text", buffer_text(&text))));
}

static void list_text(const struct ruleset *ruleset)
{
	_cleanup_buffer_ struct buffer text = { 0 };

	ruleset_print_all(ruleset, &text);
	fwrite(buffer_text(&text), 1, text.length, stdout);
}

enum exit_status command_list(struct context *context, int argc, char **argv)
{
	bool json = false, numbers = false;
	const struct argument arguments[] = {
		{ "--json", 'j', ARGUMENT_FLAG, &json },
		{ "--numbers", 'n', ARGUMENT_FLAG, &numbers },
		{ 0 },
	};
	struct dataplane *dataplane;
	struct generation *generation = NULL;
	struct ruleset *ruleset = NULL;
	int error;

	if (!arguments_take_alone(context, arguments, argc, argv))
		return EXIT_USAGE;
	dataplane = dataplane_open_told(context, false);
	if (!dataplane)
		return EXIT_FAILED;
	error = running_read(dataplane, &generation, &ruleset);
	if (!error && json)
		list_json(generation, ruleset);
	else if (!error && numbers)
		list_numbered(ruleset);
	else if (!error)
		list_text(ruleset);
	ruleset_free(&ruleset);
	generation_free(&generation);
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}
