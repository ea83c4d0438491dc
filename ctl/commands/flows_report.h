/* SPDX-License-Identifier: GPL-2.0-only */
/* The totals of flows, as `fwctl flows count` and `fwctl stats` tell them. */
#ifndef FWCTL_COMMANDS_FLOWS_REPORT_H
#define FWCTL_COMMANDS_FLOWS_REPORT_H

#include <jansson.h>

#include "dataplane/flows.h"
#include "language/model.h"

/* "assured", "half-open" */
const char *flow_table_name(enum fw_flow_table table);

void flow_totals_print(const struct flow_totals *totals);
json_t *flow_totals_to_json(const struct flow_totals *totals);
void flow_totals_print_prometheus(const struct flow_totals *totals);

/* Behind a change of the rules: what they ask to be done to the flows, and a line about it. */
void flows_settle_told(struct dataplane *dataplane, const struct ruleset *ruleset);

#endif
