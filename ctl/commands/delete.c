/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl delete: one rule less, named by its label, its text or its number in `fwctl list -n`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "commands/change.h"
#include "commands/hook.h"
#include "commands/lockout.h"
#include "language/language.h"

struct deletion {
	bool any_hook; /* none was named */
	enum fw_hook hook;
	char *name;
};

static bool text_find(const struct block *block, const char *text, size_t *ret_index)
{
	for (size_t i = 0; text && i < block->count; i++) {
		if (!strcmp(block->rules[i].text, text)) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

/* The index of the rule that the name means in this block. */
static bool name_resolve(struct ruleset *ruleset, enum fw_hook hook, const char *name,
			 size_t *ret_index)
{
	const struct block *block = &ruleset->blocks[hook];
	const char *text = NULL;
	uint64_t number;

	if (!rule_find(ruleset, hook, name, ret_index))
		return true;
	if (number_parse_text(name, 1, block->count - block->builtin_count, &number)) {
		/* Blanks, braces and service names are as one likes. */
		if (rule_text_canonical(ruleset, name, &text))
			return false;
		return text_find(block, text, ret_index);
	}
	*ret_index = block->builtin_count + number - 1;
	return true;
}

static void doubts_warn(const struct ruleset *ruleset)
{
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	lockout_warn(ruleset, &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
}

static enum exit_status delete_from(struct ruleset *ruleset, const struct context *context,
				    void *data)
{
	const struct deletion *deletion = data;
	size_t index = 0, found = 0;
	enum fw_hook hook = deletion->hook;

	for (int i = 0; i < FW_HOOKS; i++) {
		if (!deletion->any_hook && i != (int)deletion->hook)
			continue;
		if (name_resolve(ruleset, i, deletion->name, &index)) {
			hook = i;
			found++;
		}
	}
	if (!found) {
		message_error("delete: no rule is called '%s'; `fwctl list -n` prints labels and "
			      "numbers",
			      deletion->name);
		return EXIT_USAGE;
	}
	if (found > 1) {
		message_error("delete: '%s' is a rule of both hooks; say `delete ingress %s` or "
			      "`delete egress %s`",
			      deletion->name, deletion->name, deletion->name);
		return EXIT_USAGE;
	}
	/* The loop may have looked at the other hook last. */
	name_resolve(ruleset, hook, deletion->name, &index);
	if (rule_remove(ruleset, hook, index) == -EPERM) {
		message_error("delete: '%s' is built in; `option essential off` in the rule file "
			      "takes all built-in rules out",
			      deletion->name);
		return EXIT_USAGE;
	}
	if (!context->quiet)
		doubts_warn(ruleset);
	return EXIT_DONE;
}

enum exit_status command_delete(struct context *context, int argc, char **argv)
{
	struct deletion deletion = { .any_hook = true };
	const struct argument arguments[] = { { 0 } };
	enum exit_status status;
	int words;

	memory_prepare();
	if (!arguments_take(context, arguments, OPERANDS_LAST, &argc, argv))
		return EXIT_USAGE;
	words = argc > 0 && hook_parse(argv[0], &deletion.hook);
	deletion.any_hook = !words;
	if (argc == words)
		return usage_error(context, "which rule?");
	deletion.name = words_join(argc - words, argv + words);
	status = running_change(context, delete_from, &deletion);
	free(deletion.name);
	return status;
}
