/* SPDX-License-Identifier: GPL-2.0-only */
/* Words for what the commands speak of. */
#include "commands/hook.h"

#include <string.h>

#include "base/buffer.h"

static const char *const hook_names[FW_HOOKS] = { "ingress", "egress" };

const char *hook_name(enum fw_hook hook)
{
	return hook_names[hook];
}

bool hook_parse(const char *word, enum fw_hook *ret_hook)
{
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		if (strcmp(word, hook_names[hook]))
			continue;
		*ret_hook = hook;
		return true;
	}
	return false;
}

const char *default_text(enum fw_action action)
{
	return action == FW_PASS ? "default pass" : "default drop";
}

char *words_join(int count, char **words)
{
	struct buffer text = { 0 };

	for (int i = 0; i < count; i++)
		buffer_printf(&text, "%s%s", i ? " " : "", words[i]);
	return buffer_take(&text);
}
