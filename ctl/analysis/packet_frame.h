/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way back from struct fw_packet to a frame: the smallest one that the parser reads as that
 * packet. Used to put packets that were written down, or that lint found, before a program.
 */
#ifndef FWCTL_ANALYSIS_PACKET_FRAME_H
#define FWCTL_ANALYSIS_PACKET_FRAME_H

#include <stdint.h>

#include "base/buffer.h"
#include "fw/packet.h"

/* Those of a packet of which nothing else is said (RFC 7042). */
#define PACKET_SOURCE_MAC      0x00005e005301ULL
#define PACKET_DESTINATION_MAC 0x00005e005302ULL
#define PACKET_TTL	       64

/* The smallest `length` of an IP packet with these headers; 0 for other frames. */
uint32_t packet_smallest_length(const struct fw_packet *packet);

/*
 * Replaces the buffer's contents by the frame's bytes. Interface, state and sets are not in a
 * frame. -EINVAL if no frame is such a packet: TCP without ports, a length that its headers do
 * not fit in, IPv6 with a protocol that is an extension header, ...
 */
int packet_frame(const struct fw_packet *packet, struct buffer *frame);

#endif
