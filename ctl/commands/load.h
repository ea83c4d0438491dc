/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule file from disk, with everything that is to be said about it. */
#ifndef FWCTL_COMMANDS_LOAD_H
#define FWCTL_COMMANDS_LOAD_H

#include "commands/command.h"
#include "language/model.h"

/*
 * Parses the file and shows its errors and warnings. With `to_apply`, what the data plane cannot
 * do is an error too, and sets are named by their absolute paths. NULL if there was an error.
 */
struct ruleset *rules_load(const struct context *context, const char *path, bool to_apply);

/* Of more rules, `check` looks for those that can not match, but not what is to be quick. */
bool rules_are_few(const struct ruleset *ruleset);

#endif
