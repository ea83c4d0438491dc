/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/packet_frame.h"
#include "fw/parse.h"

#include <errno.h>
#include <string.h>

#define FRAGMENT_OFFSET 1480 /* of a fragment after the first: as Ethernet would make them */
#define FRAGMENT_HEADER 8    /* of IPv6 */
#define FRAME_SMALLEST	60

static uint32_t transport_header(const struct fw_packet *packet)
{
	if (packet->has & FW_IS_FRAGMENT)
		return 0;
	switch (packet->protocol) {
	case FW_PROTOCOL_TCP:
		return FW_TCP_HEADER;
	case FW_PROTOCOL_UDP:
	case FW_PROTOCOL_UDPLITE:
		return FW_UDP_HEADER;
	case FW_PROTOCOL_SCTP:
	case FW_PROTOCOL_DCCP:
		return FW_PORTS_HEADER;
	case FW_PROTOCOL_ICMP:
	case FW_PROTOCOL_ICMP6:
		return FW_ICMP_HEADER;
	default:
		return 0;
	}
}

static uint32_t network_header(const struct fw_packet *packet)
{
	if (packet->family == FW_INET)
		return FW_IPV4_HEADER;
	return FW_IPV6_HEADER + (packet->has & FW_IS_FRAGMENT ? FRAGMENT_HEADER : 0);
}

uint32_t packet_smallest_length(const struct fw_packet *packet)
{
	if (packet->family == FW_OTHER)
		return 0;
	return network_header(packet) + transport_header(packet);
}

static void add_number(struct buffer *frame, uint64_t value, unsigned int bytes)
{
	while (bytes--)
		buffer_putc(frame, (char)(value >> 8 * bytes));
}

static void add_zeros(struct buffer *frame, size_t count)
{
	while (count--)
		buffer_putc(frame, 0);
}

static void add_ethernet(const struct fw_packet *packet, struct buffer *frame)
{
	add_number(frame, packet->destination_mac, 6);
	add_number(frame, packet->source_mac, 6);
	if (packet->vlan != FW_NO_VLAN) {
		add_number(frame, 0x8100, 2);
		add_number(frame, packet->vlan, 2);
	}
	add_number(frame, packet->ethertype, 2);
}

static uint16_t inet_checksum(const uint8_t *header)
{
	uint32_t sum = 0;

	for (int i = 0; i < FW_IPV4_HEADER; i += 2)
		sum += fw_load16(header + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void add_inet(const struct fw_packet *packet, struct buffer *frame)
{
	size_t start = frame->length;
	uint16_t checksum;

	add_number(frame, 0x45, 1);
	add_number(frame, packet->dscp << 2, 1);
	add_number(frame, packet->length, 2);
	add_number(frame, 0, 2);
	add_number(frame, packet->has & FW_IS_FRAGMENT ? FRAGMENT_OFFSET / 8 : 0, 2);
	add_number(frame, packet->ttl, 1);
	add_number(frame, packet->protocol, 1);
	add_number(frame, 0, 2);
	add_number(frame, packet->source[0], 4);
	add_number(frame, packet->destination[0], 4);
	checksum = inet_checksum((const uint8_t *)frame->text + start);
	frame->text[start + 10] = (char)(checksum >> 8);
	frame->text[start + 11] = (char)checksum;
}

static void add_inet6(const struct fw_packet *packet, struct buffer *frame)
{
	int is_fragment = packet->has & FW_IS_FRAGMENT;

	add_number(frame, 6U << 28 | (uint32_t)packet->dscp << 22, 4);
	add_number(frame, packet->length - FW_IPV6_HEADER, 2);
	add_number(frame, is_fragment ? FW_PROTOCOL_FRAGMENT : packet->protocol, 1);
	add_number(frame, packet->ttl, 1);
	for (int i = 0; i < 4; i++)
		add_number(frame, packet->source[i], 4);
	for (int i = 0; i < 4; i++)
		add_number(frame, packet->destination[i], 4);
	if (is_fragment) {
		add_number(frame, packet->protocol, 1);
		add_number(frame, 0, 1);
		add_number(frame, FRAGMENT_OFFSET, 2);
		add_number(frame, 0, 4);
	}
}

/* The header and zeros behind it: `size` bytes, at least those of the header. */
static void add_transport(const struct fw_packet *packet, uint32_t size, struct buffer *frame)
{
	size_t end = frame->length + size;

	if (packet->has & FW_HAS_PORTS) {
		add_number(frame, packet->source_port, 2);
		add_number(frame, packet->destination_port, 2);
	}
	if (packet->has & FW_HAS_FLAGS) {
		add_zeros(frame, 8);
		add_number(frame, FW_TCP_HEADER / 4 << 4, 1);
		add_number(frame, packet->tcp_flags, 1);
		add_number(frame, 65535, 2);
	} else if (packet->has & FW_HAS_PORTS && packet->protocol == FW_PROTOCOL_UDP) {
		add_number(frame, size, 2);
	}
	if (packet->has & FW_HAS_ICMP) {
		add_number(frame, packet->icmp_type, 1);
		add_number(frame, packet->icmp_code, 1);
	}
	if (frame->length < end) /* else headers that the protocol does not have: refused below */
		add_zeros(frame, end - frame->length);
}

/*
 * The parser has the last word. What is not in a frame is taken from the packet, and so is where
 * headers lie: no rule asks for that.
 */
static int frame_check(const struct fw_packet *packet, const struct buffer *frame)
{
	const struct fw_frame made = {
		.data = frame->text,
		.data_end = frame->text + frame->length,
		.length = (uint32_t)frame->length,
		.interface = packet->interface,
		.stripped_vlan = FW_NO_VLAN,
		.layer3 = packet->has & FW_HAS_MAC ? 0 : packet->ethertype,
	};
	struct fw_packet parsed;

	if (fw_parse(&made, &parsed) != FW_OK)
		return -EINVAL;
	parsed.state = packet->state;
	parsed.source_sets = packet->source_sets;
	parsed.destination_sets = packet->destination_sets;
	parsed.network = packet->network;
	parsed.transport = packet->transport;
	parsed.fragment_id = packet->fragment_id;
	return memcmp(&parsed, packet, sizeof(parsed)) ? -EINVAL : 0;
}

int packet_frame(const struct fw_packet *packet, struct buffer *frame)
{
	uint32_t smallest = packet_smallest_length(packet);
	uint32_t longest = 65535 + (packet->family == FW_INET6 ? FW_IPV6_HEADER : 0);
	uint32_t size = packet->length - network_header(packet);

	buffer_clear(frame);
	if (packet->length < smallest || packet->length > longest)
		return -EINVAL;
	if (packet->has & FW_HAS_MAC)
		add_ethernet(packet, frame);
	if (packet->family == FW_INET)
		add_inet(packet, frame);
	else if (packet->family == FW_INET6)
		add_inet6(packet, frame);
	if (packet->family != FW_OTHER)
		add_transport(packet, size, frame);
	if (frame->length < FRAME_SMALLEST && packet->has & FW_HAS_MAC)
		add_zeros(frame, FRAME_SMALLEST - frame->length);
	return frame_check(packet, frame);
}
