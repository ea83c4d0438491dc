/* SPDX-License-Identifier: GPL-2.0-only */
/* What `fwctl check` says of the cost of rules (compiler/forecast.h), and how it comes by it. */
#ifndef FWCTL_COMMANDS_FORECAST_REPORT_H
#define FWCTL_COMMANDS_FORECAST_REPORT_H

#include "compiler/forecast.h"
#include "language/diagnostic.h"

/*
 * Compiles for one link of each kind that the rules tell apart, so that the same file gives the
 * same forecast on every host. Errors as from compile().
 */
int forecast_of(const struct ruleset *ruleset, struct forecast *ret_forecast, char **ret_error);

/* A warning for each hook and family where some packets cost far more than others. */
void forecast_warn(const struct ruleset *ruleset, const struct forecast *forecast,
		   struct diagnostics *diagnostics);

/* To standard output. Programs rely on the shape of the JSON: keys are added, never changed. */
void forecast_print(const struct ruleset *ruleset, const struct forecast *forecast);
void forecast_print_json(const struct ruleset *ruleset, const struct forecast *forecast);

#endif
