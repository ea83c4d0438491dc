/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live sets, as the programs and fwctl share them. A set has a slot, which is its bit in
 * fw_packet.source_sets and its place in four maps of maps: hosts (HASH) and nets (LPM_TRIE) of
 * each family. The sets are apart, so no element of one can hide one of another; within a set the
 * longest prefix is asked first, and if it has expired the next shorter one.
 */
#ifndef FW_SETS_H
#define FW_SETS_H

#include <linux/types.h>

#include "fw/layout.h"

/* Indexes of what is kept by family: FW_INET - 1, FW_INET6 - 1. */
#define FW_SET_FAMILIES 2

enum fw_set_kind {
	FW_SET_HOSTS,
	FW_SET_NETS,
	FW_SET_KINDS,
};

/* Words of keys: those of hosts in host order, those of nets in network order. */
struct fw_host_key4 {
	__u32 address;
};

struct fw_host_key6 {
	__u32 address[4];
};

struct fw_net_key4 {
	__u32 length;
	__u32 address;
};

struct fw_net_key6 {
	__u32 length;
	__u32 address[4];
};

struct fw_element {
	__u32 expires; /* CLOCK_BOOTTIME in seconds, rounded up; 0 = never */
	__u32 added;   /* seconds since 1970 */
	__u64 packets; /* only of a set with `counters` */
	__u64 bytes;
};

struct fw_net_element {
	struct fw_element element;
	__u32 length; /* of the prefix: what a lookup found does not say */
	__u32 pad;
};

/* What the rule file says of a set. */
#define FW_SET_COUNTERS (1U << 0)
#define FW_SET_BANS	(1U << 1) /* `option ban-set` names it */

struct fw_set_properties {
	__u64 size; /* most elements */
	__u64 timeout;
	__u32 flags; /* FW_SET_* */
	__u32 pad;
};

#define FW_SET_NAME_MAX 64

/* A set as fwctl keeps it; the programs do not look at it. No name: the slot is free. */
struct fw_set_slot {
	char name[FW_SET_NAME_MAX];
	struct fw_set_properties properties[2]; /* of even and odd generations */
	__u32 born;				/* the first generation that names it */
	__u32 last;				/* the last one */
	__u32 dirty;	/* counts are not true: somebody died while he changed the set */
	__u32 earliest; /* nothing in the set expires before; 0 = nothing expires */
	__u64 count[FW_SET_KINDS][FW_SET_FAMILIES]; /* expired ones included, until removed */
	__u64 room[FW_SET_FAMILIES];		    /* max_entries of the hashes */
	__u64 refused;				    /* elements, because the set was full */
};

/* The one value of the map fw_sets. */
struct fw_sets {
	__u64 occupied[FW_SET_KINDS][FW_SET_FAMILIES]; /* bit n: slot n holds something */
	__u64 counted;				       /* bit n: count packets of its elements */
	__u64 clock;				       /* of the programs: tick, seconds */
	struct fw_set_slot slots[FW_MAX_LIVE_SETS];
};

#endif
