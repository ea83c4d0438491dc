/* SPDX-License-Identifier: GPL-2.0-only */
/* Which flows a command means: conditions in the words of rules. */
#ifndef FWCTL_COMMANDS_FLOWS_FILTER_H
#define FWCTL_COMMANDS_FLOWS_FILTER_H

#include <net/if.h>

#include "commands/command.h"
#include "commands/set_input.h"
#include "dataplane/flows.h"

/* One end of a flow. */
struct flow_end {
	struct set_input addresses; /* none: any */
	bool has_ports;
	uint16_t port_low;
	uint16_t port_high;
};

struct flow_filter {
	bool is_empty; /* every flow matches */
	int protocol;  /* -1: any */
	struct flow_end from;
	struct flow_end to;
	struct flow_end either; /* its addresses and its ports: each of one of both ends */
	enum fw_family family;	/* FW_OTHER: any */
	const char *rule;	/* identity */
	int state;		/* enum fw_flow_state; -1: any */
	int table;		/* enum fw_flow_table; -1: any */
	uint32_t interface;	/* 0: any */
};

/*
 *	filter = { condition }
 *	condition = PROTOCOL | "proto" PROTOCOL | "inet" | "inet6" | "from" end | "to" end
 *	          | "address" ADDRS | "port" PORTS | "state" STATE | "rule" LABEL|TEXT
 *	          | "on" INTERFACE
 *	end = ADDRS [ "port" PORTS ] | "port" PORTS
 *
 * False after a message. Free it in any case.
 */
bool flow_filter_parse(const struct context *context, int count, char **words,
		       struct flow_filter *ret_filter);
void flow_filter_free(struct flow_filter *filter);

/* False after a message: no rule of the running ones, or of those before them, is called so. */
bool flow_filter_check(const struct flow_filter *filter, const struct context *context,
		       struct dataplane *dataplane);

bool flow_filter_holds(const struct flow_filter *filter, const struct flow *flow);

#endif
