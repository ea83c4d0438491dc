/* SPDX-License-Identifier: GPL-2.0-only */
/* The words for hooks and rules in commands and their output. */
#ifndef FWCTL_COMMANDS_HOOK_H
#define FWCTL_COMMANDS_HOOK_H

#include <stdbool.h>

#include "language/model.h"

/* "ingress", "egress" */
const char *hook_name(enum fw_hook hook);
bool hook_parse(const char *word, enum fw_hook *ret_hook);

/* "default drop" */
const char *default_text(enum fw_action action);

/* Words joined by blanks, as one rule. Owned by the caller. */
char *words_join(int count, char **words);

#endif
