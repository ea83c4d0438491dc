/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that keep flows share. */
#ifndef FWCTL_DATAPLANE_FLOW_INTERNAL_H
#define FWCTL_DATAPLANE_FLOW_INTERNAL_H

#include "dataplane/flows.h"
#include "dataplane/internal.h"

/*
 * What fwctl itself did, as the programs' counts know nothing of it; mapped memory. What was found
 * to be evicted is kept as well, so that it never seems to become less.
 */
struct flow_ledger {
	uint64_t deleted[FW_FLOW_TABLES];
	uint64_t evicted[FW_FLOW_TABLES];
};

/* --- flow_maps.c: descriptors, or -errno. */
int flow_table_create(uint32_t entries);
int flow_fragments_create(uint32_t entries);
/* The maps that are always there: places for tables, empty, and the counts. */
int flow_outers_create(struct maps *maps);
/* How many entries the table has if `option flows` says `flows`. */
uint32_t flow_table_entries(enum fw_flow_table table, uint64_t flows);
/* Puts new, empty tables for so many flows in place. */
int flow_tables_fill(const struct maps *maps, uint32_t flows);
/* Puts a table or the fragments in place. */
int flow_place(int outer, uint32_t slot, int fd);
/* -ENOENT if there is none. */
int flow_place_open(int outer, uint32_t slot);

/* --- flow_walk.c */
typedef int flow_entry_visit(const struct fw_flow_key *key, const struct fw_flow_entry *entry,
			     void *data);
/* All entries, expired ones too. What the visit returns, if not 0, ends the walk. */
int flow_table_walk(int fd, flow_entry_visit *visit, void *data);
/* Takes one out, and notes it. */
int flow_delete(struct dataplane *dataplane, enum fw_flow_table table, int fd,
		const struct fw_flow_key *key);

/* --- flow_move.c */
/* A table that takes the place of another. */
struct flow_move {
	enum fw_flow_table table;
	int from;
	int to;
	int other; /* the table of the other kind of flows; below 0: none */
	uint32_t now;
	uint64_t expired; /* entries that were left behind */
};
/* Copies `from` to `to`, which no program sees yet. */
int flow_move_begin(struct flow_move *move);
/* When `to` stands in its place, and no program uses `from` any more. */
int flow_move_finish(struct dataplane *dataplane, struct flow_move *move);

/* --- flow_tables.c */
/* Before a switch: tables for so many flows, or more; 0: the rules use no state. */
int flows_prepare(struct dataplane *dataplane, uint64_t flows);
/* Behind it: takes the tables away if neither the rules before nor those now use state. */
void flows_settle(struct dataplane *dataplane, uint64_t before, uint64_t now);
/* With the lock: what a crash left. */
int flows_clean(struct dataplane *dataplane);

#endif
