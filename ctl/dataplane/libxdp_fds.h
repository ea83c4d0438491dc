/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libxdp 1.3.1 leaves descriptors of the programs open that it looked at (xdp-tools issue 343;
 * closed in 1.4). A process that stays, as `fwctl watch`, would run out of them, and keep programs
 * alive that `fwctl down` waits for.
 */
#ifndef FWCTL_DATAPLANE_LIBXDP_FDS_H
#define FWCTL_DATAPLANE_LIBXDP_FDS_H

#include <stdint.h>

#define LIBXDP_FDS 1024 /* above are not looked after */

/* Which descriptors were open. */
struct libxdp_fds {
	uint64_t bits[LIBXDP_FDS / 64];
};

/* Before calls of libxdp. */
void libxdp_fds_note(struct libxdp_fds *ret_fds);

/*
 * Behind them, when the caller has closed what it opened itself: closes the programs that were not
 * open before. Others, and all without /proc, stay.
 */
void libxdp_fds_close(const struct libxdp_fds *before);

#endif
