/* SPDX-License-Identifier: GPL-2.0-only */
/* Captured frames out of pcap and pcapng files. */
#ifndef FWCTL_ANALYSIS_CAPTURE_H
#define FWCTL_ANALYSIS_CAPTURE_H

#include <stdint.h>

#include "base/buffer.h"

struct capture;

struct captured_frame {
	const uint8_t *bytes; /* valid until the next call */
	uint32_t captured;    /* bytes at hand */
	uint32_t length;      /* bytes of the frame as it was; never less */
};

/* "-" is standard input. 0, or -EINVAL and one line in `error` that begins with the path. */
int capture_open(const char *path, struct capture **ret_capture, struct buffer *error);

/* 1 and a frame, 0 at the end, -EINVAL and a line if the file is damaged. */
int capture_next(struct capture *capture, struct captured_frame *ret_frame, struct buffer *error);

/* NULL is fine; sets the pointer to NULL. */
void capture_close(struct capture **capture);

#endif
