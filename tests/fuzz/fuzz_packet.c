/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a frame. The first four say how the frame is handed over: how much of it is in
 * reach, a stripped tag, no link-layer header.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fw/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* What must be so of every packet that is not malformed. */
static void check_packet(const struct fw_frame *frame, const struct fw_packet *packet)
{
	int is_ip = packet->family == FW_INET || packet->family == FW_INET6;

	check(is_ip || packet->family == FW_OTHER);
	check(is_ip || !(packet->has & ~FW_HAS_MAC));
	check(packet->length <= frame->length);
	check(packet->vlan == FW_NO_VLAN || (packet->vlan > 0 && packet->vlan < 4096));
	check(!(packet->has & FW_IS_FRAGMENT) || !(packet->has & (FW_HAS_PORTS | FW_HAS_ICMP)));
	check(!(packet->has & FW_HAS_FLAGS) || packet->protocol == FW_PROTOCOL_TCP);
	check(packet->has & FW_HAS_PORTS || (!packet->source_port && !packet->destination_port));
	check(!(packet->has & FW_HAS_MAC) == !!frame->layer3);
	check(packet->dscp < 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint16_t layer3[] = { 0, 0, FW_ETHERTYPE_IPV4, FW_ETHERTYPE_IPV6 };
	struct fw_frame frame = { .stripped_vlan = FW_NO_VLAN };
	struct fw_packet packet, again;
	enum fw_reason reason;
	uint8_t *copy;
	size_t reach;

	if (size < 4)
		return -1;
	reach = size - 4;
	if (bytes[0] & 1)
		reach -= reach < bytes[1] ? reach : bytes[1];
	if (bytes[0] & 2)
		frame.stripped_vlan = (bytes[2] << 8 | bytes[3]) & 0xfff;
	frame.layer3 = layer3[bytes[0] >> 6];
	frame.length = size - 4;

	copy = malloc(reach ? reach : 1);
	check(copy != NULL);
	memcpy(copy, bytes + 4, reach);
	frame.data = copy;
	frame.data_end = copy + reach;
	reason = fw_parse(&frame, &packet);
	check(reason <= FW_LAST_MALFORMED);
	check(reason != FW_REASON_HEADER_NOT_LINEAR || reach < size - 4);
	if (reason == FW_OK)
		check_packet(&frame, &packet);
	memset(&again, 0xff, sizeof(again));
	check(fw_parse(&frame, &again) == reason && !memcmp(&packet, &again, sizeof(packet)));
	free(copy);
	return 0;
}
