/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows, as the programs and fwctl share them: what names one, what is kept of it, where it lies
 * and what is counted. How a packet changes a flow stands in fw/flow_track.h and fw/flow_tcp.h.
 *
 * There are two tables with the same keys and values, so that a flood of packets that nobody
 * answers can only push out its own kind: `half-open` has the flows that were not seen both ways
 * yet, `assured` those whose originator went on after an answer (TCP: the handshake is complete).
 * A flow stands in one of them. One that has expired counts as absent, wherever it still stands.
 */
#ifndef FW_FLOWS_H
#define FW_FLOWS_H

#include <linux/types.h>

#include "fw/layout.h"
#include "fw/packet.h"

/* Slots of the outer map fw_flow_tables. Both empty: no rules use state. */
enum fw_flow_table {
	FW_FLOWS_ASSURED,
	FW_FLOWS_HALF_OPEN,
	FW_FLOW_TABLES,
};

/* Entries of the tables: `option flows` says how many assured ones. */
#define FW_FLOWS_DEFAULT     262144U
#define FW_FLOWS_LEAST	     1024U /* an LRU of the kernel keeps free ones on each CPU */
#define FW_FLOWS_HALF(flows) ((flows) / 4 < FW_FLOWS_LEAST ? FW_FLOWS_LEAST : (flows) / 4)

/* Later fragments are known by a small table of their own, in slot 0 of fw_flow_fragments. */
#define FW_FLOW_FRAGMENTS	  4096U
#define FW_FLOW_FRAGMENT_LIFETIME 30U /* seconds */

/*
 * Both ends, the lower one (address, then port) first, so that both directions have one key.
 * Addresses as in struct fw_packet. ICMP queries have their identifier as both ports, and are told
 * apart by the request's type and by who asked: both hosts may use the same identifier at a time.
 * Protocols without ports have 0.
 */
struct fw_flow_key {
	__u32 lower[4];
	__u32 upper[4];
	__u16 lower_port;
	__u16 upper_port;
	__u8 family; /* FW_INET, FW_INET6 */
	__u8 protocol;
	__u8 query;	 /* ICMP: type of the request; else 0 */
	__u8 from_upper; /* ICMP: the upper end asked; else 0 */
};

/* Flags of a side: what its packets have shown so far. They are only added, but for FW_SIDE_ANEW.
 */
#define FW_SIDE_SEEN		  (1U << 0)
#define FW_SIDE_SYN		  (1U << 1)
#define FW_SIDE_ACKED		  (1U << 2) /* acknowledged the other side's SYN */
#define FW_SIDE_FIN		  (1U << 3)
#define FW_SIDE_FIN_ACKED	  (1U << 4) /* acknowledged the other side's FIN */
#define FW_SIDE_RESET		  (1U << 5)
#define FW_SIDE_SCALES		  (1U << 6) /* its SYN had the window scale option */
#define FW_SIDE_LOOSE		  (1U << 7) /* picked up: what its windows are scaled by is not known */
#define FW_SIDE_HOOK		  (1U << 8) /* this bit + enum fw_hook: where its packets are counted */
#define FW_SIDE_HOOKS		  (3U << 8)
#define FW_SIDE_ANEW		  (1U << 10) /* sent a SYN within the connection: `start` is of that */
#define FW_SIDE_ANEW_SCALES	  (1U << 11) /* that one had the window scale option */
#define FW_SIDE_FRAGMENTS	  (1U << 12) /* may have sent 64K more than `end` tells */
#define FW_SIDE_MOVED		  (1U << 13) /* originator, half-open: is, or will be, an assured one */
#define FW_SIDE_SCALE(flags)	  ((flags) >> 16 & 15)
#define FW_SIDE_SCALE_FLAG(scale) ((__u32)(scale) << 16)
/* All that is remembered of a SYN within the connection; its scale stands in bits 20 to 23. */
#define FW_SIDE_ANEW_ALL	  (FW_SIDE_ANEW | FW_SIDE_ANEW_SCALES | 15U << 20)
#define FW_SIDE_ANEW_FLAGS(scale) (FW_SIDE_ANEW_SCALES | (__u32)(scale) << 20)

/*
 * One direction. Only packets of this direction write it, so that directions on two CPUs do not
 * get into each other's way. Sequence numbers are host order and, as in TCP, modulo 2^32.
 */
struct fw_flow_side {
	__u64 packets;
	__u64 bytes;   /* of frames */
	__u32 flags;   /* FW_SIDE_* */
	__u32 start;   /* sequence number behind its SYN */
	__u32 end;     /* behind the highest octet that it sent */
	__u32 acked;   /* its highest acknowledgement number */
	__u32 allowed; /* how far it lets the other side send: acknowledgement + window, at most */
	__u32 window;  /* the largest one it offered, scaled */
};

enum fw_flow_direction {
	FW_FLOW_ORIGINATOR, /* packets of who sent the first one */
	FW_FLOW_RESPONDER,
	FW_FLOW_DIRECTIONS,
};

struct fw_flow_entry {
	struct fw_flow_side sides[FW_FLOW_DIRECTIONS];
	__u32 expires;	  /* CLOCK_BOOTTIME in seconds: absent from then on */
	__u32 created;	  /* likewise */
	__u32 rule;	  /* index in the counter image of the rule that recorded it */
	__u32 interface;  /* of the first packet */
	__u32 generation; /* that recorded it */
	__u8 hook;	  /* of the first packet */
	__u8 from_upper;  /* the originator is the upper end */
	__u8 copied; /* FW_FLOW_COPIED() of the table that fwctl copied it to, from a smaller or
		      * larger one; 0: a program put it where it is */
	__u8 pad;
};

#define FW_FLOW_COPIED(table) ((__u8)((table) + 1))

/* A first fragment that belongs to a flow leaves its identification for the later ones. */
struct fw_fragment_key {
	__u32 source[4];
	__u32 destination[4];
	__u32 id;
	__u8 family;
	__u8 protocol; /* IPv6: 0, which is not part of what identifies a packet */
	__u8 pad[2];
};

struct fw_fragment_entry {
	__u32 expires; /* as in struct fw_flow_entry */
	__u32 state;   /* FW_STATE_* */
};

/*
 * What the programs did, per CPU; the only value of fw_flow_counts. What was pushed out of a full
 * table is what was put in less what was taken out less what is there.
 */
struct fw_flow_counts {
	__u64 inserted[FW_FLOW_TABLES];
	__u64 deleted[FW_FLOW_TABLES];
	__u64 failed;  /* flows that could not be recorded: no memory */
	__u64 refused; /* packets that do not fit the flow which they name */
	__u64 related; /* ICMP errors about a flow */
};

/* What a flow is at; made of the flags of both sides. */
enum fw_flow_state {
	FW_FLOW_UNREPLIED, /* not TCP */
	FW_FLOW_REPLIED,
	FW_FLOW_SYN_SENT, /* TCP */
	FW_FLOW_SYN_RECEIVED,
	FW_FLOW_ESTABLISHED,
	FW_FLOW_CLOSING, /* one side has sent its FIN, or both */
	FW_FLOW_TIME_WAIT,
	FW_FLOW_CLOSED, /* reset */
	FW_FLOW_STATES,
};

_Static_assert(sizeof(struct fw_flow_key) == 40, "no padding: the kernel hashes all of it");
_Static_assert(sizeof(struct fw_fragment_key) == 40, "no padding: the kernel hashes all of it");
_Static_assert(sizeof(struct fw_flow_entry) == 104, "with key and kernel's head three lines");

#endif
