// SPDX-License-Identifier: GPL-2.0-only
#include "talk.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#define LINK	  14
#define INNER_MAX 512 /* bytes of a packet that an error carries */

/* A frame while it is written. */
struct pen {
	struct talk_frame *frame;
	size_t at;
};

static void put8(struct pen *pen, uint8_t value)
{
	pen->frame->bytes[pen->at++] = value;
}

static void put16(struct pen *pen, uint16_t value)
{
	put8(pen, (uint8_t)(value >> 8));
	put8(pen, (uint8_t)value);
}

static void put32(struct pen *pen, uint32_t value)
{
	put16(pen, (uint16_t)(value >> 16));
	put16(pen, (uint16_t)value);
}

static void put_zeros(struct pen *pen, size_t count)
{
	memset(pen->frame->bytes + pen->at, 0, count);
	pen->at += count;
}

static void set16(struct talk_frame *frame, size_t at, uint16_t value)
{
	frame->bytes[at] = (uint8_t)(value >> 8);
	frame->bytes[at + 1] = (uint8_t)value;
}

static uint32_t sum(const uint8_t *bytes, size_t length, uint32_t total)
{
	for (size_t i = 0; i < length; i++)
		total += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return total;
}

static uint16_t folded(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static void put_address(struct pen *pen, bool inet6, uint32_t last)
{
	if (inet6) {
		put32(pen, 0x20010db8);
		put32(pen, 0);
		put32(pen, 0);
	}
	put32(pen, last);
}

static void put_tcp(struct pen *pen, const struct talk_packet *packet)
{
	bool scales = packet->flags & TALK_SYN && packet->scale != TALK_NO_SCALE;

	put16(pen, packet->source_port);
	put16(pen, packet->destination_port);
	put32(pen, packet->sequence);
	put32(pen, packet->acknowledgement);
	put8(pen, scales ? 7 << 4 : 5 << 4);
	put8(pen, packet->flags);
	put16(pen, packet->window);
	put32(pen, 0);
	if (scales) {
		put32(pen, 0x020405b4); /* MSS 1460 */
		put32(pen, 0x01030300U | packet->scale);
	}
}

static void put_icmp(struct pen *pen, const struct talk_packet *packet)
{
	put8(pen, packet->type);
	put8(pen, packet->code);
	put16(pen, 0);
	put16(pen, packet->inner ? 0 : packet->id);
	put16(pen, 0);
	if (packet->inner) {
		size_t length = packet->inner->length - LINK;

		if (length > INNER_MAX)
			length = INNER_MAX;
		memcpy(pen->frame->bytes + pen->at, packet->inner->bytes + LINK, length);
		pen->at += length;
	}
}

/* Where the checksum stands in the transport header; 0: it has none. */
static size_t put_transport(struct pen *pen, const struct talk_packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		put_tcp(pen, packet);
		return 16;
	case IPPROTO_UDP:
		put16(pen, packet->source_port);
		put16(pen, packet->destination_port);
		put16(pen, (uint16_t)(packet->payload + 8));
		put16(pen, 0);
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put_icmp(pen, packet);
		return 2;
	case IPPROTO_SCTP:
		put16(pen, packet->source_port);
		put16(pen, packet->destination_port);
		put32(pen, 0);
		put32(pen, 0);
	}
	return 0;
}

static void put_ipv4(struct pen *pen, const struct talk_packet *packet)
{
	put8(pen, 0x45);
	put8(pen, 0);
	put16(pen, 0); /* length: finish() */
	put16(pen, (uint16_t)packet->fragment_id);
	put16(pen, (uint16_t)((packet->more ? 0x2000 : 0) | packet->offset / 8));
	put8(pen, 64);
	put8(pen, packet->protocol);
	put16(pen, 0);
	put_address(pen, false, packet->source);
	put_address(pen, false, packet->destination);
}

static void put_ipv6(struct pen *pen, const struct talk_packet *packet)
{
	bool is_fragment = packet->more || packet->offset;

	put32(pen, 0x60000000);
	put16(pen, 0); /* length: finish() */
	put8(pen, is_fragment ? IPPROTO_FRAGMENT : packet->protocol);
	put8(pen, 64);
	put_address(pen, true, packet->source);
	put_address(pen, true, packet->destination);
	if (is_fragment) {
		put8(pen, packet->protocol);
		put8(pen, 0);
		put16(pen, (uint16_t)(packet->offset | packet->more));
		put32(pen, packet->fragment_id);
	}
}

/* Of the pseudo header and what stands behind `transport`. */
static uint16_t transport_checksum(const struct talk_frame *frame, const struct talk_packet *packet,
				   size_t transport)
{
	size_t length = frame->length - transport;
	size_t addresses = packet->inet6 ? LINK + 8 : LINK + 12;
	uint32_t total = 0;
	uint16_t checksum;

	if (packet->protocol != IPPROTO_ICMP) {
		total = sum(frame->bytes + addresses, packet->inet6 ? 32 : 8, 0);
		total += (uint32_t)length + packet->protocol;
	}
	checksum = folded(sum(frame->bytes + transport, length, total));
	return checksum || packet->protocol != IPPROTO_UDP ? checksum : 0xffff;
}

static void finish(struct talk_frame *frame, const struct talk_packet *packet, size_t transport,
		   size_t checksum)
{
	if (packet->inet6) {
		set16(frame, LINK + 4, (uint16_t)(frame->length - LINK - 40));
	} else {
		set16(frame, LINK + 2, (uint16_t)(frame->length - LINK));
		set16(frame, LINK + 10, folded(sum(frame->bytes + LINK, 20, 0)));
	}
	/* That of a fragmented packet is of the whole, which nobody has here. */
	if (checksum && !packet->more && !packet->offset)
		set16(frame, transport + checksum, transport_checksum(frame, packet, transport));
}

void talk_build(const struct talk_packet *packet, struct talk_frame *ret_frame)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };
	struct pen pen = { ret_frame, sizeof(macs) };
	size_t transport, checksum = 0;

	memcpy(ret_frame->bytes, macs, sizeof(macs));
	put16(&pen, packet->inet6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	if (packet->inet6)
		put_ipv6(&pen, packet);
	else
		put_ipv4(&pen, packet);
	transport = pen.at;
	if (!packet->offset)
		checksum = put_transport(&pen, packet);
	put_zeros(&pen, packet->payload);
	ret_frame->length = pen.at;
	finish(ret_frame, packet, transport, checksum);
}
