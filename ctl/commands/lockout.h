/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether new rules would cut the connection that the command runs over. */
#ifndef FWCTL_COMMANDS_LOCKOUT_H
#define FWCTL_COMMANDS_LOCKOUT_H

#include "language/diagnostic.h"
#include "language/model.h"

/* A warning for each direction in which the operator's SSH session would be dropped. */
void lockout_warn(const struct ruleset *ruleset, struct diagnostics *diagnostics);

#endif
