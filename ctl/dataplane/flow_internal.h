/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that keep flows share. */
#ifndef FWCTL_DATAPLANE_FLOW_INTERNAL_H
#define FWCTL_DATAPLANE_FLOW_INTERNAL_H

#include "dataplane/internal.h"
#include "fw/flows.h"

/* --- flow_maps.c: descriptors, or -errno. */
int flow_table_create(uint32_t entries);
int flow_fragments_create(uint32_t entries);
/* The maps that are always there: places for tables, empty, and the counts. */
int flow_outers_create(struct maps *maps);
/* Puts new, empty tables for so many assured flows in place. */
int flow_tables_fill(const struct maps *maps, uint32_t flows);

#endif
