/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fwctl tells the program that changes elements of live sets where they are. An update from
 * user space puts another element in the old one's place, and what packets counted on the old one
 * meanwhile would be lost.
 */
#ifndef FW_RENEW_H
#define FW_RENEW_H

#include "fw/sets.h"

#define FW_RENEWALS 1024 /* in one run */

struct fw_renewal {
	__u32 slot;
	__u32 kind;	/* enum fw_set_kind */
	__u32 is_inet6; /* the family's index */
	__u32 found;	/* out: the element was there */
	__u32 key[5];	/* of the set's map */
	__u32 length;	/* of a network */
	__u32 expires;	/* if it is to be changed */
	__u32 renews;	/* it is */
	__u64 packets;	/* to be added */
	__u64 bytes;
};

struct fw_renewals {
	__u32 count;
	__u32 pad;
	struct fw_renewal items[FW_RENEWALS];
};

#endif
