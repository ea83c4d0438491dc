// SPDX-License-Identifier: GPL-2.0-only
#include "set_run.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 0x2545f4914f6cdd1dULL;

uint32_t pick(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % bound;
}

/* --- Packets ------------------------------------------------------------------------------ */

struct udp4 {
	struct ether_header link;
	struct iphdr network;
	struct udphdr transport;
} __attribute__((packed));

struct udp6 {
	struct ether_header link;
	struct ip6_hdr network;
	struct udphdr transport;
} __attribute__((packed));

void packet_write4(const struct address *from, const struct address *to,
		   uint8_t ret_bytes[PACKET_LENGTH])
{
	const struct udp4 packet = {
		.link.ether_type = htons(ETHERTYPE_IP),
		.network = {
			.version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(sizeof(packet) - sizeof(packet.link)),
			.saddr = htonl(from->word[0]),
			.daddr = htonl(to->word[0]),
		},
		.transport = { .source = htons(1), .dest = htons(2), .len = htons(8) },
	};

	_Static_assert(sizeof(packet) == PACKET_LENGTH, "what callers have room for");
	memcpy(ret_bytes, &packet, sizeof(packet));
}

static enum fw_verdict run4(struct filter *filter, enum fw_hook hook, const struct address *from,
			    const struct address *to)
{
	uint8_t bytes[PACKET_LENGTH];
	const struct frame frame = { bytes, sizeof(bytes) };

	packet_write4(from, to, bytes);
	return filter_run(filter, hook, &frame);
}

static enum fw_verdict run6(struct filter *filter, enum fw_hook hook, const struct address *from,
			    const struct address *to)
{
	struct udp6 packet = {
		.link.ether_type = htons(ETHERTYPE_IPV6),
		.network.ip6_nxt = IPPROTO_UDP,
		.network.ip6_hlim = 64,
		.network.ip6_plen = htons(8),
		.transport = { .source = htons(1), .dest = htons(2), .len = htons(8) },
	};
	const struct frame frame = { &packet, sizeof(packet) };

	packet.network.ip6_vfc = 0x60;
	for (int i = 0; i < 4; i++) {
		packet.network.ip6_src.s6_addr32[i] = htonl(from->word[i]);
		packet.network.ip6_dst.s6_addr32[i] = htonl(to->word[i]);
	}
	return filter_run(filter, hook, &frame);
}

enum fw_verdict packet_run(struct filter *filter, enum fw_hook hook, const struct address *from,
			   const struct address *to)
{
	return from->family == FW_INET ? run4(filter, hook, from, to)
				       : run6(filter, hook, from, to);
}

struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, strlen(text), &address));
	return address;
}

enum fw_verdict packet_run_text(struct filter *filter, const char *from)
{
	const struct address source = address_of(from);
	const struct address target = address_of(strchr(from, ':') ? "2001:db8::ffff" : "10.9.9.9");

	return packet_run(filter, FW_INGRESS, &source, &target);
}

/* --- Changes ------------------------------------------------------------------------------ */

struct live_set set_named(struct filter *filter, const char *name)
{
	struct live_set set;

	if (dataplane_find_set(filter->dataplane, name, &set))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return set;
}

struct set_element element_of(const char *text, uint32_t expires)
{
	const char *slash = strchr(text, '/');
	struct set_element element = { .expires = expires, .added = 1 };

	assert_true(address_parse(text, slash ? (size_t)(slash - text) : strlen(text),
				  &element.address));
	element.length = element.address.family == FW_INET ? 32 : 128;
	if (slash)
		element.length = (uint8_t)atoi(slash + 1);
	return element;
}

int set_add_text(struct filter *filter, const char *name, const char *text, uint32_t expires)
{
	struct set_element element = element_of(text, expires);
	const struct set_elements elements = { &element, 1, 1 };
	const struct live_set set = set_named(filter, name);
	struct set_change change;

	return dataplane_set_add(filter->dataplane, &set, &elements, &change);
}

void set_delete_text(struct filter *filter, const char *name, const char *text)
{
	struct set_element element = element_of(text, 0);
	const struct set_elements elements = { &element, 1, 1 };
	const struct live_set set = set_named(filter, name);
	struct set_change change;

	assert_int_equal(dataplane_set_delete(filter->dataplane, &set, &elements, &change), 0);
	assert_int_equal(change.deleted, 1);
}
