/* SPDX-License-Identifier: GPL-2.0-only */
/* Warnings about state: rules and options that cannot do what they say. */
#ifndef FWCTL_ANALYSIS_STATE_LINT_H
#define FWCTL_ANALYSIS_STATE_LINT_H

#include "language/diagnostic.h"
#include "language/model.h"

/* Does any rule of either hook record or ask for flows? Then they are followed on both hooks. */
bool ruleset_uses_state(const struct ruleset *ruleset);

void state_warn(const struct ruleset *ruleset, struct diagnostics *diagnostics);

#endif
