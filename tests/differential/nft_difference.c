/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames of which nftables' netdev hook means something else on purpose. docs/differential.md says
 * why; only what stands there is left out.
 */
#include "judge.h"

static unsigned load16(const struct frame *frame, size_t at)
{
	return at + 2 <= frame->length ? (unsigned)frame->bytes[at] << 8 | frame->bytes[at + 1] : 0;
}

/* Headers that a rule of ours looks through, and nft does not. */
static bool nft_stops_at(uint8_t next)
{
	return next == 51 || next == 135 || next == 139 || next == 140;
}

static bool nft_walks(uint8_t next)
{
	return next == 0 || next == 43 || next == 44 || next == 60;
}

static const char *inet6_difference(const struct frame *frame, size_t at)
{
	uint8_t next = at + 40 <= frame->length ? frame->bytes[at + 6] : 59;
	unsigned fragments = 0;

	at += 40;
	while (nft_walks(next) && at + 8 <= frame->length) {
		const uint8_t *header = frame->bytes + at;

		if (next == 44) {
			if (fragments++)
				return "more than one IPv6 fragment header";
			if (load16(frame, at + 2) & 0xfff8)
				return nft_walks(header[0]) || nft_stops_at(header[0])
					       ? "a later IPv6 fragment of an extension header"
					       : NULL;
			at += 8;
		} else {
			at += (header[1] + 1U) * 8;
		}
		next = header[0];
	}
	return nft_stops_at(next) ? "an AH, mobility, HIP or shim6 header behind IPv6" : NULL;
}

const char *nft_difference(const struct frame *frame)
{
	unsigned type = load16(frame, 12);
	size_t at = 14;

	if (type == 0x9100)
		return "a tag of type 0x9100";
	if (type == 0x8100 || type == 0x88a8) {
		type = load16(frame, 16);
		at = 18;
	}
	if (type == 0x8100 || type == 0x88a8 || type == 0x9100)
		return "two VLAN tags";
	return type == 0x86dd ? inet6_difference(frame, at) : NULL;
}
