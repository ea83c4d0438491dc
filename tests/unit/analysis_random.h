/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random rules over a universe that is small enough to judge every packet of it, for the tests of
 * lint and diff. A round picks a few subjects that its rules ask about, so that the universe of
 * that round, which has one packet for each way in which the rules could differ, stays small.
 */
#ifndef TESTS_UNIT_ANALYSIS_RANDOM_H
#define TESTS_UNIT_ANALYSIS_RANDOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/evaluate.h"
#include "analysis/packet_frame.h"
#include "analysis/packet_kinds.h"
#include "language/language.h"

static uint64_t random_state;

static inline uint32_t random_below(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 11) % bound);
}

static inline bool chance(uint32_t percent)
{
	return random_below(100) < percent;
}

static inline int random_seed(void **state)
{
	const char *text = getenv("FW_TEST_SEED");

	(void)state;
	random_state = text ? strtoull(text, NULL, 0) : 0x5eed;
	print_message("FW_TEST_SEED=0x%llx\n", (unsigned long long)random_state);
	return 0;
}

/* NULL if the text is no rule file. */
static inline struct ruleset *parse(const char *text, bool must)
{
	const struct source_file file = { .path = "test", .text = text, .length = strlen(text) };
	struct diagnostics diagnostics;
	struct ruleset *ruleset = NULL;
	int error;

	diagnostics_init(&diagnostics);
	error = ruleset_parse_text(&file, &file_reader_system, &diagnostics, &ruleset);
	if (error && must) {
		diagnostics_print(&diagnostics, stderr);
		print_message("%s", text);
		fail();
	}
	diagnostics_free(&diagnostics);
	return error ? NULL : ruleset;
}

/* What the rules of a round may ask about, a bit each. */
enum subject_bit {
	ASK_SOURCE = 1,
	ASK_DESTINATION = 2,
	ASK_SOURCE_PORT = 4,
	ASK_PORT = 8,
	ASK_PROTOCOL = 16,
	ASK_FAMILY = 32,
	ASK_INTERFACE = 64,
	ASK_STATE = 128,
	ASK_LIVE = 256,
	ASK_LINK = 512,	      /* vlan, ethertype, smac */
	ASK_IP = 1024,	      /* ttl, dscp, length */
	ASK_TRANSPORT = 2048, /* flags, type, fragment */
	ASK_ALL = 4095,
};

static inline const char *one_of(const char *const *texts, size_t count)
{
	return texts[random_below((uint32_t)count)];
}

#define ONE_OF(...)                                  \
	one_of((const char *const[]){ __VA_ARGS__ }, \
	       sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static inline void add_addresses(unsigned asks, struct buffer *rule)
{
	if (asks & ASK_LIVE && chance(40))
		buffer_puts(rule, ONE_OF("@banned", "not @banned", "{ 10.0.0.0/31, @banned }"));
	else
		buffer_puts(rule,
			    ONE_OF("10.0.0.0", "10.0.0.0/31", "10.0.0.0/30", "10.0.0.1-10.0.0.2",
				   "not 10.0.0.0/31", "{ 10.0.0.0, 10.0.0.3 }", "@static",
				   "not @static", "2001:db8::1", "2001:db8::/127", "any",
				   "not 2001:db8::/127"));
}

static inline void add_ports(struct buffer *rule)
{
	buffer_puts(rule, ONE_OF("1", "2", "1-2", "2-3", "{ 1, 3 }", "not 2", "not 1-2", "0-65535",
				 "4-65535"));
}

/* One side of a rule: " from ADDRS port PORTS". */
static inline void add_side(unsigned asks, bool source, struct buffer *rule)
{
	bool addresses = asks & (source ? ASK_SOURCE : ASK_DESTINATION) && chance(60);
	bool ports = asks & (source ? ASK_SOURCE_PORT : ASK_PORT) && chance(60);

	if (!addresses && !ports)
		return;
	buffer_puts(rule, source ? " from " : " to ");
	if (addresses)
		add_addresses(source ? asks : asks & ~(unsigned)ASK_LIVE, rule);
	if (addresses && ports)
		buffer_putc(rule, ' ');
	if (ports) {
		buffer_puts(rule, "port ");
		add_ports(rule);
	}
}

static inline void random_rule(unsigned asks, unsigned number, struct buffer *rule)
{
	buffer_clear(rule);
	buffer_puts(rule, ONE_OF("pass", "pass", "drop", "drop", "reject", "count"));
	if (asks & ASK_INTERFACE && chance(40))
		buffer_puts(rule, ONE_OF(" on eth0", " on \"eth*\"", " on not eth0", " on wan0",
					 " on { eth0, wan0 }", " on \"*\"", " on not \"eth*\""));
	if (asks & ASK_FAMILY && chance(30))
		buffer_puts(rule, ONE_OF(" inet", " inet6"));
	if (asks & ASK_PROTOCOL && chance(60))
		buffer_puts(rule, ONE_OF(" tcp", " udp", " icmp", " proto { tcp, udp }",
					 " proto not tcp", " gre"));
	else if (asks & ASK_TRANSPORT && chance(40))
		buffer_puts(rule, ONE_OF(" icmp type 8", " icmp6 type 128 code 0",
					 " icmp type 8 code not 0", " tcp flags S/SA",
					 " tcp flags S/S", " fragment", " fragment tcp"));
	add_side(asks, true, rule);
	add_side(asks, false, rule);
	if (asks & ASK_STATE && chance(40))
		buffer_puts(rule, ONE_OF(" state new", " state established, related",
					 " state { new, related }", " state established"));
	if (asks & ASK_IP && chance(40))
		buffer_puts(rule, ONE_OF(" ttl 64", " ttl not 64", " dscp 0", " length 0-100",
					 " length 101-2000", " length 0-27"));
	if (asks & ASK_LINK && chance(40))
		buffer_puts(rule, ONE_OF(" vlan 5", " vlan not 5", " ethertype 0x0800",
					 " ethertype 0x88cc", " ethertype not 0x0800",
					 " smac 00:00:5e:00:53:01", " vlan 1-4095"));
	if (chance(10))
		buffer_puts(rule, " log");
	if (chance(10))
		buffer_puts(rule, " limit 10/s");
	if (strncmp(buffer_text(rule), "pass", 4) == 0 && chance(10))
		buffer_puts(rule, " keep state");
	buffer_printf(rule, " label r%u", number);
}

#define HEADER                                                              \
	"set static { 10.0.0.1, 10.0.0.3, 2001:db8::1 }\nset banned live\n" \
	"option essential off\ningress default "

/* A whole file; lines that the language refuses are left out. The caller frees the text. */
static inline char *random_file(unsigned asks, unsigned count)
{
	_cleanup_buffer_ struct buffer rule = { 0 }, one = { 0 };
	struct buffer file = { 0 };

	buffer_printf(&file, HEADER "%s {\n", chance(50) ? "drop" : "pass");
	for (unsigned i = 0; i < count; i++) {
		struct ruleset *alone;

		random_rule(asks, i, &rule);
		buffer_clear(&one);
		buffer_printf(&one, HEADER "drop {\n%s\n}\n", buffer_text(&rule));
		alone = parse(buffer_text(&one), false);
		if (alone)
			buffer_printf(&file, "%s\n", buffer_text(&rule));
		ruleset_free(&alone);
	}
	buffer_puts(&file, "}\n");
	return buffer_take(&file);
}

/* The packets of a round. */
struct universe {
	struct fw_packet *packets;
	const char **interfaces;
	size_t count;
	size_t capacity;
};

static inline void universe_free(struct universe *universe)
{
	free(universe->packets);
	free(universe->interfaces);
	*universe = (struct universe){ 0 };
}

static inline void universe_add(struct universe *universe, const struct fw_packet *packet,
				const char *interface)
{
	if (universe->count == universe->capacity) {
		universe->capacity = universe->capacity ? universe->capacity * 2 : 1024;
		universe->packets = reallocarray(universe->packets, universe->capacity,
						 sizeof(universe->packets[0]));
		universe->interfaces = reallocarray(universe->interfaces, universe->capacity,
						    sizeof(universe->interfaces[0]));
		assert_non_null(universe->packets);
		assert_non_null(universe->interfaces);
	}
	universe->packets[universe->count] = *packet;
	universe->interfaces[universe->count++] = interface;
}

/* How many of the first values of a list a round looks at: all if it asks about them, else one. */
#define SOME(asked, values) ((asked) ? sizeof(values) / sizeof((values)[0]) : 1)

static inline void add_interfaces(unsigned asks, struct universe *universe,
				  const struct fw_packet *packet)
{
	static const char *const names[] = { "lo", "eth0", "eth1", "wan0" };

	for (size_t i = 0; i < SOME(asks & ASK_INTERFACE, names); i++)
		universe_add(universe, packet, names[i]);
}

static inline void add_links(unsigned asks, struct universe *universe, struct fw_packet packet)
{
	static const uint16_t vlans[] = { FW_NO_VLAN, 5, 6 };
	static const uint64_t macs[] = { 0x020000000001, 0x00005e005301 };

	for (size_t i = 0; i < SOME(asks & ASK_LINK, vlans); i++) {
		packet.vlan = vlans[i];
		for (size_t j = 0; j < SOME(asks & ASK_LINK, macs); j++) {
			packet.has |= FW_HAS_MAC;
			packet.source_mac = macs[j];
			packet.destination_mac = macs[0];
			add_interfaces(asks, universe, &packet);
		}
		packet.has &= (uint8_t)~FW_HAS_MAC;
		packet.source_mac = packet.destination_mac = 0;
		if (asks & ASK_LINK)
			add_interfaces(asks, universe, &packet);
	}
}

static inline void add_ip_fields(unsigned asks, struct universe *universe, struct fw_packet packet)
{
	static const uint8_t ttls[] = { 64, 1 }, dscps[] = { 0, 10 };
	static const uint32_t lengths[] = { 0, 20, 60, 200, 5000 };
	static const uint8_t states[] = { FW_STATE_NEW, FW_STATE_ESTABLISHED, FW_STATE_RELATED };

	for (size_t i = 0; i < SOME(asks & ASK_IP, ttls); i++)
		for (size_t j = 0; j < SOME(asks & ASK_IP, dscps); j++)
			for (size_t k = 0; k < SOME(asks & ASK_IP, lengths); k++)
				for (size_t l = 0; l < SOME(asks & ASK_STATE, states); l++) {
					packet.ttl = ttls[i];
					packet.dscp = dscps[j];
					packet.state = states[l];
					if (!(packet_states(&packet) & states[l]))
						continue;
					packet.length = packet_smallest_length(&packet);
					if (lengths[k] && lengths[k] < packet.length)
						continue;
					if (lengths[k])
						packet.length = lengths[k];
					add_links(asks, universe, packet);
				}
}

static inline void add_transport(unsigned asks, struct universe *universe, struct fw_packet packet)
{
	static const uint16_t ports[] = { 0, 1, 2, 3, 4 };
	static const uint8_t flags[] = { 0x02, 0x12, 0x10 }, types[] = { 8, 128, 0, 129, 3 };
	static const uint8_t codes[] = { 0, 1 };
	bool is_tcp = packet.protocol == FW_PROTOCOL_TCP;

	if (is_tcp || packet.protocol == FW_PROTOCOL_UDP || packet.protocol == FW_PROTOCOL_SCTP) {
		packet.has |= FW_HAS_PORTS | (is_tcp ? FW_HAS_FLAGS : 0);
		for (size_t i = 0; i < SOME(asks & ASK_SOURCE_PORT, ports); i++)
			for (size_t j = 0; j < SOME(asks & ASK_PORT, ports); j++)
				for (size_t k = 0; k < SOME(is_tcp && asks & ASK_TRANSPORT, flags);
				     k++) {
					packet.source_port = ports[i];
					packet.destination_port = ports[j];
					packet.tcp_flags = is_tcp ? flags[k] : 0;
					add_ip_fields(asks, universe, packet);
				}
		return;
	}
	if (packet.protocol == (packet.family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6)) {
		packet.has |= FW_HAS_ICMP;
		for (size_t i = 0; i < SOME(asks & (ASK_TRANSPORT | ASK_STATE), types); i++)
			for (size_t j = 0; j < SOME(asks & ASK_TRANSPORT, codes); j++) {
				packet.icmp_type = types[i];
				packet.icmp_code = codes[j];
				add_ip_fields(asks, universe, packet);
			}
		return;
	}
	add_ip_fields(asks, universe, packet);
}

static inline void add_protocols(unsigned asks, struct universe *universe, struct fw_packet packet)
{
	static const uint8_t protocols[] = { 6, 17, 132, 1, 58, 47, 89 };

	for (size_t i = 0; i < sizeof(protocols); i++) {
		packet.protocol = protocols[i];
		packet.has = 0;
		add_transport(asks, universe, packet);
		packet.has = FW_IS_FRAGMENT;
		add_ip_fields(asks, universe, packet);
	}
}

static inline void set_address(uint8_t family, size_t number, uint32_t word[4])
{
	memset(word, 0, 4 * sizeof(word[0]));
	if (family == FW_INET) {
		word[0] = number < 4 ? 0x0a000000 + (uint32_t)number : 0xc0000201;
		return;
	}
	word[0] = number < 3 ? 0x20010db8 : 0x20010db9;
	word[3] = (uint32_t)number;
}

/* Every address that a rule may tell from the others, and one more, of either family. */
static inline void universe_build(unsigned asks, struct universe *universe)
{
	static const size_t address_counts[] = { [FW_INET] = 5, [FW_INET6] = 4 };
	static const uint16_t ethertypes[] = { FW_ETHERTYPE_ARP, 0x88cc };
	struct fw_packet packet = { 0 };

	for (size_t i = 0; i < SOME(asks & ASK_LINK, ethertypes); i++) {
		packet.ethertype = ethertypes[i];
		add_links(asks, universe, packet);
	}
	for (uint8_t family = FW_INET; family <= FW_INET6; family++) {
		size_t count = address_counts[family];

		packet.family = family;
		packet.ethertype = family == FW_INET ? FW_ETHERTYPE_IPV4 : FW_ETHERTYPE_IPV6;
		for (size_t i = 0; i < (asks & ASK_SOURCE ? count : 1); i++)
			for (size_t j = 0; j < (asks & ASK_DESTINATION ? count : 1); j++)
				for (size_t k = 0; k <= (asks & ASK_LIVE ? 1 : 0); k++) {
					set_address(family, i, packet.source);
					set_address(family, j, packet.destination);
					packet.source_sets = k;
					add_protocols(asks, universe, packet);
				}
	}
}

/* A few subjects at once: rules that ask about all of them hardly ever overlap. */
static inline unsigned random_asks(void)
{
	unsigned asks = 0;

	for (int i = 0; i < 3; i++)
		asks |= 1U << random_below(12);
	if (asks & ASK_LIVE)
		asks |= ASK_SOURCE;
	return asks;
}

#endif
