/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmark's programs and fwbench share: the part of a packet that ClassBench varies. */
#ifndef FWBENCH_HEADER_H
#define FWBENCH_HEADER_H

#include <linux/types.h>

#define BENCH_HEADERS 65536

struct bench_header {
	__u32 source[4];
	__u32 destination[4];
	__u16 source_port;
	__u16 destination_port;
	__u8 protocol;
	__u8 family;
	__u8 has;
	__u8 pad[9];
};

_Static_assert(sizeof(struct bench_header) == 48, "three quarters of a line");

#endif
