/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing the running rules: `add` and `delete` differ only in what they do to the ruleset. */
#ifndef FWCTL_COMMANDS_CHANGE_H
#define FWCTL_COMMANDS_CHANGE_H

#include "commands/command.h"
#include "language/model.h"

/* Changes the ruleset. On anything but EXIT_DONE a message was printed and nothing is installed. */
typedef enum exit_status change_function(struct ruleset *ruleset, const struct context *context,
					 void *data);

/* Reads the running rules, changes them and switches, all under the lock. */
enum exit_status running_change(const struct context *context, change_function *change, void *data);

#endif
