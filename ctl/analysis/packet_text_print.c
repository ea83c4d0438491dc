/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes a packet in the form that packet_text.c reads. */
#include "analysis/packet_frame.h"
#include "analysis/packet_text.h"
#include "analysis/packet_value.h"
#include "base/address.h"
#include "language/names.h"

#include <string.h>

static void print_named(const struct name_list *names, uint32_t value, struct buffer *buffer)
{
	const char *name = name_of(names, value);

	if (name)
		buffer_puts(buffer, name);
	else
		buffer_number(buffer, value);
}

static void print_end(const struct fw_packet *packet, const uint32_t word[4], uint16_t port,
		      struct buffer *buffer)
{
	bool ports = packet->has & FW_HAS_PORTS;
	bool brackets = ports && packet->family == FW_INET6;

	if (brackets)
		buffer_putc(buffer, '[');
	packet_address_print(packet, word, buffer);
	if (brackets)
		buffer_putc(buffer, ']');
	if (ports)
		buffer_printf(buffer, ":%u", port);
}

static void print_mac(uint64_t mac, struct buffer *buffer)
{
	for (int i = 5; i >= 0; i--)
		buffer_printf(buffer, "%02x%s", (unsigned int)(mac >> 8 * i & 0xff), i ? ":" : "");
}

static void print_flags(uint8_t flags, struct buffer *buffer)
{
	char text[9];

	flags_print(flags, text);
	buffer_puts(buffer, flags ? text : "none");
}

static void print_icmp(const struct fw_packet *packet, struct buffer *buffer)
{
	bool icmp6 = packet->family == FW_INET6;

	buffer_puts(buffer, " type ");
	print_named(icmp6 ? &names_icmp6_types : &names_icmp_types, packet->icmp_type, buffer);
	if (packet->icmp_code)
		buffer_printf(buffer, " code %u", packet->icmp_code);
}

static void print_ip(const struct fw_packet *packet, struct buffer *buffer)
{
	print_named(&names_protocols, packet->protocol, buffer);
	buffer_putc(buffer, ' ');
	print_end(packet, packet->source, packet->source_port, buffer);
	buffer_puts(buffer, " > ");
	print_end(packet, packet->destination, packet->destination_port, buffer);
	if (packet->has & FW_HAS_FLAGS) {
		buffer_puts(buffer, " flags ");
		print_flags(packet->tcp_flags, buffer);
	}
	if (packet->has & FW_HAS_ICMP)
		print_icmp(packet, buffer);
	if (packet->has & FW_IS_FRAGMENT)
		buffer_puts(buffer, " fragment");
	if (packet->state && packet->state != FW_STATE_NEW) {
		buffer_puts(buffer, " state ");
		print_named(&names_states, packet->state, buffer);
	}
	if (packet->length != packet_smallest_length(packet))
		buffer_printf(buffer, " length %u", packet->length);
	if (packet->ttl != PACKET_TTL)
		buffer_printf(buffer, " ttl %u", packet->ttl);
	if (packet->dscp) {
		buffer_puts(buffer, " dscp ");
		print_named(&names_dscp, packet->dscp, buffer);
	}
}

static void print_other(const struct fw_packet *packet, struct buffer *buffer)
{
	if (packet->ethertype == FW_ETHERTYPE_ARP)
		buffer_puts(buffer, "arp");
	else
		buffer_printf(buffer, "ethertype 0x%04x", packet->ethertype);
}

static void print_link(const struct fw_packet *packet, struct buffer *buffer)
{
	if (packet->vlan != FW_NO_VLAN)
		buffer_printf(buffer, " vlan %u", packet->vlan);
	if (!(packet->has & FW_HAS_MAC)) {
		buffer_puts(buffer, " layer3");
		return;
	}
	if (packet->source_mac != PACKET_SOURCE_MAC) {
		buffer_puts(buffer, " smac ");
		print_mac(packet->source_mac, buffer);
	}
	if (packet->destination_mac != PACKET_DESTINATION_MAC) {
		buffer_puts(buffer, " dmac ");
		print_mac(packet->destination_mac, buffer);
	}
}

void packet_text_print(const struct met_packet *met, struct buffer *buffer)
{
	buffer_puts(buffer, met->hook == FW_INGRESS ? "in " : "out ");
	if (met->interface[0])
		buffer_printf(buffer, "%s ", met->interface);
	if (met->packet.family == FW_OTHER)
		print_other(&met->packet, buffer);
	else
		print_ip(&met->packet, buffer);
	print_link(&met->packet, buffer);
}
