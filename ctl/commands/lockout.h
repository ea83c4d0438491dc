/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether new rules would cut the connection that the command runs over. */
#ifndef FWCTL_COMMANDS_LOCKOUT_H
#define FWCTL_COMMANDS_LOCKOUT_H

#include "commands/command.h"
#include "language/diagnostic.h"
#include "dataplane/sets.h"
#include "language/model.h"

/* A warning for each direction in which the operator's SSH session would be dropped. */
void lockout_warn(const struct ruleset *ruleset, struct diagnostics *diagnostics);

/*
 * True, after a message, if the running rules would stop the operator's SSH session with the
 * elements in the live set, or in place of what it holds (`replaced`), and do not now. False if
 * they cannot be read.
 */
bool lockout_by_set(const struct context *context, struct dataplane *dataplane, const char *set,
		    const struct set_elements *elements, bool replaced);

#endif
