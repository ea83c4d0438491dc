/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules hold ASCII only, the parser sees to that, so making JSON of them fails only for memory. */
#include "commands/json.h"

#include <stdio.h>

#include "base/message.h"

json_t *json_told(json_t *value)
{
	if (!value)
		message_out_of_memory();
	return value;
}

void json_write(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}
