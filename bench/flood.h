/* SPDX-License-Identifier: GPL-2.0-only */
/* What the sender's program and fwbench share: where packets come from, and to which port. */
#ifndef FWBENCH_FLOOD_H
#define FWBENCH_FLOOD_H

#include <linux/types.h>

#define FLOOD_SENDERS	  65536
#define FLOOD_IFINDEX	  77	      /* where tc_redirect sends to: `ip link add index 77` */
#define FLOOD_FRAME	  64	      /* bytes: Ethernet, IPv4, UDP, padding */
#define FLOOD_DESTINATION 0xc6120001U /* 198.18.0.1, of the range for benchmarks */

struct flood_sender {
	__u32 address; /* host order */
	__u32 port;    /* UDP destination */
};

#endif
