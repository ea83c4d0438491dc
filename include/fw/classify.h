/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a packet to the record of the rule that decides it, by tables in an image. Pure: the image
 * is a base pointer, and every access is a load at base + (offset & mask).
 */
#ifndef FW_CLASSIFY_H
#define FW_CLASSIFY_H

#include "fw/image.h"
#include "fw/packet.h"

/* Records are numbered: ingress rules, ingress default, egress rules, egress default. */
struct fw_match_result {
	__u32 record;
	__u32 counted_count;
	__u32 counted[FW_MAX_COUNTED]; /* records of `count` rules that matched before */
};

#endif
