/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recorded flows, seen from the commands. Every function returns 0 or -errno with a line in
 * dataplane_error(). The tables themselves come and go with dataplane_switch(): the image says
 * whether its rules use state, and for how many flows.
 */
#ifndef FWCTL_DATAPLANE_FLOWS_H
#define FWCTL_DATAPLANE_FLOWS_H

#include "base/address.h"
#include "dataplane/dataplane.h"
#include "fw/flows.h"

struct flow {
	enum fw_flow_table table;
	enum fw_flow_state state;
	uint8_t protocol;
	struct address source; /* who sent the first packet */
	struct address destination;
	uint16_t source_port; /* ICMP: the identifier, on both sides */
	uint16_t destination_port;
	uint32_t age;  /* seconds */
	uint32_t left; /* seconds until it expires if nothing more is seen */
	struct fw_counter sent[FW_FLOW_DIRECTIONS];
	enum fw_hook hook; /* where its first packet was seen */
	uint32_t interface;
	uint32_t generation; /* that recorded it */
	const char *rule;    /* identity; NULL: it is not known any more */
	const struct fw_flow_key *key;
	const struct fw_flow_entry *entry;
};

/* "syn-sent", "established", ... */
const char *flow_state_name(enum fw_flow_state state);
bool flow_state_find(const char *name, enum fw_flow_state *ret_state);

enum flow_answer {
	FLOW_GO_ON,
	FLOW_DELETE, /* and go on; only of a data plane that was opened with `change` */
	FLOW_STOP,
};

/* `flow` and all it points at are valid during the call only. */
typedef enum flow_answer flow_visit(const struct flow *flow, void *data);

/*
 * Shows every flow that has not expired, in no order. While packets come and go a flow may be
 * shown twice or be missed if it appears or goes meanwhile. *ret_deleted may be NULL.
 */
int dataplane_flows_visit(struct dataplane *dataplane, flow_visit *visit, void *data,
			  uint64_t *ret_deleted);

struct flow_table_total {
	uint64_t size;	  /* entries that there is room for */
	uint64_t present; /* not expired */
	uint64_t expired; /* still there */
	uint64_t inserted;
	uint64_t deleted; /* because they ended or expired, or by command */
	uint64_t evicted; /* pushed out by others because the table was full */
};

struct flow_totals {
	bool recording; /* the tables are there */
	struct flow_table_total tables[FW_FLOW_TABLES];
	uint64_t failed;  /* flows that could not be recorded */
	uint64_t refused; /* packets that did not fit the flow which they name */
	uint64_t related; /* ICMP errors about a flow */
};

int dataplane_flow_totals(struct dataplane *dataplane, struct flow_totals *ret_totals);

/*
 * Deletes the flows whose first packet the running rules would not pass: `option recheck-flows`.
 * What is not kept of that packet (MAC addresses, VLAN, length, ttl, dscp) is taken to be usual.
 */
int dataplane_flows_recheck(struct dataplane *dataplane, uint64_t *ret_deleted);

/* When a change is complete: tables that are larger than the running rules want are made smaller.
 */
int dataplane_settle_flows(struct dataplane *dataplane);

/*
 * Of a private data plane: makes the packet one of a recorded flow, as its `state` says. -ENOENT if
 * the rules use no state, -EOPNOTSUPP if there can be no such flow.
 */
int dataplane_flow_suppose(struct dataplane *dataplane, const struct fw_packet *packet);
/* And back to none. */
void dataplane_flows_forget(struct dataplane *dataplane);

/* Bytes of kernel memory that tables for so many flows take, all of it at once. */
uint64_t flows_memory(uint64_t flows);

#endif
