/* SPDX-License-Identifier: GPL-2.0-only */
/* What the language can say and this data plane does not do yet. */
#ifndef FWCTL_COMMANDS_SUPPORTED_H
#define FWCTL_COMMANDS_SUPPORTED_H

#include "language/diagnostic.h"
#include "language/model.h"

/* An error for everything in the ruleset that would have to be ignored; true if there is none. */
bool ruleset_is_supported(const struct ruleset *ruleset, struct diagnostics *diagnostics);

/* The same as warnings. */
void ruleset_warn_unsupported(const struct ruleset *ruleset, struct diagnostics *diagnostics);

#endif
