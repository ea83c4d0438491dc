/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled classifier against the reference evaluator: random rule files that try every field,
 * and packets whose values lie at the edges of what the rules name. Verdict, rule and the `count`
 * rules that were met must be the same. The seed of a failure is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/evaluate.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "compiler/compile.h"
#include "fw/set_rows.h"
#include "language/language.h"
#include "random.h"
#include "rules.h"

static struct random numbers;

static uint64_t next(void)
{
	return random_next(&numbers);
}

static uint32_t below(uint32_t count)
{
	return next() % count;
}

#define PICK(array) ((array)[below(sizeof(array) / sizeof((array)[0]))])

/* The last one is a part of a bond, which its packets come in by but do not go out by. */
static const struct link links[] = {
	{ .name = "eth0", .index = 2 },
	{ .name = "wan0", .index = 3 },
	{ .name = "wan1", .index = 70000 },
	{ .name = "eth1", .index = 5, .whole = "wan0" },
};
static const uint32_t interfaces[] = { 2, 3, 70000, 5, 9, 0 };

static const char *interface_name(uint32_t index, enum fw_hook hook)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].index == index)
			return hook == FW_INGRESS && links[i].whole ? links[i].whole
								    : links[i].name;
	return NULL;
}

static const char *const inet[] = {
	"192.0.2.0/24", "192.0.2.1",	   "192.0.2.128/25", "198.51.100.7-198.51.100.99",
	"0.0.0.0/0",	"128.0.0.0/1",	   "192.0.0.0/16",   "255.255.255.255",
	"0.0.0.0/8",	"198.51.100.0/30", "10.0.0.0/9",     "10.255.255.255-11.0.0.0",
};

static const char *const inet6[] = {
	"2001:db8::/32",
	"2001:db8::1",
	"2001:db8:0:1::/64",
	"2001:db8::ffff:0:0/96",
	"2001:db8::1-2001:db8::1:0:5",
	"::/0",
	"8000::/1",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"::1",
	"fe80::/10",
	"2001:db8:7:8:1234:5678:9abc:def0",
	"2001:db8:7:8:1234:5678:9abc:def1-2001:db8:7:8:1234:5678:9abc:e000",
};

static const char *const sets[] = { "@mixed", "@four", "@six", "@livea", "@liveb", "@livej" };

/* A list is of one family, or of sets. */
static void write_addresses(struct buffer *buffer, const char *side)
{
	uint32_t kind = below(8), count = 1 + below(3);

	if (kind == 0) {
		buffer_printf(buffer, " %s any", side);
		return;
	}
	buffer_printf(buffer, " %s%s {", side, below(4) ? "" : " not");
	for (uint32_t i = 0; i < count; i++)
		buffer_printf(buffer, "%s %s", i ? "," : "",
			      kind < 4	 ? PICK(inet)
			      : kind < 6 ? PICK(inet6)
					 : PICK(sets));
	if (kind == 3 || kind == 5)
		buffer_printf(buffer, ", %s", PICK(sets));
	buffer_printf(buffer, " }");
}

static void write_values(struct buffer *buffer, const char *name, const char *const *values,
			 size_t count)
{
	buffer_printf(buffer, " %s%s { %s, %s }", name, below(4) ? "" : " not",
		      values[below(count)], values[below(count)]);
}

#define VALUES(buffer, name, ...)                                                          \
	do {                                                                               \
		static const char *const values_[] = { __VA_ARGS__ };                      \
		write_values(buffer, name, values_, sizeof(values_) / sizeof(values_[0])); \
	} while (0)

static void write_link_matches(struct buffer *buffer)
{
	if (!below(6))
		VALUES(buffer, "on", "eth0", "\"wan*\"", "wan1", "gone");
	if (!below(8))
		VALUES(buffer, "vlan", "1", "2", "7-20", "4095", "100");
	if (!below(8))
		VALUES(buffer, "ethertype", "0x0800", "0x86dd", "0x0806", "0x88cc");
	if (!below(10))
		VALUES(buffer, "smac", "00:00:5e:00:53:01", "ff:ff:ff:ff:ff:ff",
		       "00:00:5e:00:53:02", "00:00:00:00:00:00");
	if (!below(10))
		VALUES(buffer, "dmac", "00:00:5e:00:53:01", "ff:ff:ff:ff:ff:ff");
}

static void write_network_matches(struct buffer *buffer, uint32_t protocol)
{
	if (!below(8))
		VALUES(buffer, "length", "40", "60-1500", "65535", "28", "65575");
	if (!below(8))
		VALUES(buffer, "ttl", "1", "64", "255", "0-63");
	if (!below(8))
		VALUES(buffer, "dscp", "0", "46", "8-15", "63");
	if (!below(8))
		VALUES(buffer, "state", "new", "established", "related");
	if (!below(10) && protocol > 4)
		buffer_printf(buffer, " fragment");
}

static void write_rule(struct buffer *buffer)
{
	static const char *const actions[] = { "pass", "drop", "reject", "pass", "drop", "count" };
	static const char *const protocols[] = {
		"tcp", "udp", "icmp", "icmp6", "proto not { 6, 17 }", "", "", "gre"
	};
	static const char *const flags[] = { "S/SA", "/FSRPAUEW", "SA/SA", "F/F",
					     "FSRPAUEW/FSRPAUEW" };
	uint32_t protocol = below(8);
	bool link_only = !below(10);

	buffer_printf(buffer, "%s", PICK(actions));
	write_link_matches(buffer);
	if (!link_only) {
		buffer_printf(buffer, " %s", protocols[protocol]);
		if (below(3))
			write_addresses(buffer, "from");
		if (protocol < 2 && !below(3))
			VALUES(buffer, "from port", "1", "53", "1024-65535", "65535", "0-9");
		if (below(3))
			write_addresses(buffer, "to");
		if (protocol < 2 && below(3))
			VALUES(buffer, "to port", "22", "80", "443", "8000-8100", "0", "65535");
		if (protocol == 0 && !below(3))
			buffer_printf(buffer, " flags %s", PICK(flags));
		if (protocol == 2 && below(2))
			buffer_printf(buffer, " type %s%s", below(2) ? "8" : "{ 0, 3 }",
				      below(2) ? " code { 0, 4 }" : "");
		if (protocol == 3 && below(2))
			buffer_printf(buffer, " type not { 128, 134-136 }");
		write_network_matches(buffer, protocol);
	}
	buffer_printf(buffer, " label r%u", (uint32_t)next());
}

static const char declarations[] =
	"option essential off\n"
	"set mixed { 192.0.2.64/26, 2001:db8:7::/48 }\n"
	"set four { 10.0.0.0/8, 198.51.100.0/24 }\n"
	"set six { fe80::/64, 2001:db8::/33 }\n"
	"set livea live\nset liveb live\nset livec live\nset lived live\nset livee live\n"
	"set livef live\nset liveg live\nset liveh live\nset livei live\nset livej live\n"
	"ingress default drop {\n}\negress default pass {\n}\n";

/* Many rules with the same addresses, which only their ports tell apart. */
static void write_port_rule(struct buffer *buffer)
{
	static const uint16_t ends[] = { 0,    1,    9,	   10,	  22,	 23,	53,    79,
					 80,   442,  443,  1023,  1024,	 4095,	4096,  7999,
					 8000, 8100, 9000, 32767, 32768, 49151, 65534, 65535 };
	static const char *const from[] = { "", "", " from 192.0.2.0/24", " from 2001:db8::/32" };

	buffer_printf(buffer, "%s%s%s", below(16) ? (below(2) ? "drop" : "pass") : "count",
		      below(2) ? " tcp" : " proto { 6, 17 }", PICK(from));
	for (int side = 0; side < 2; side++) {
		uint16_t low = PICK(ends), high = PICK(ends);

		if (!below(side ? 8 : 2))
			continue;
		buffer_printf(buffer, " %s port %u", side ? "to" : "from", low < high ? low : high);
		if (below(4))
			buffer_printf(buffer, "-%u", low < high ? high : low);
	}
	buffer_printf(buffer, " label r%u", (uint32_t)next());
}

/* Adds random rules; those that the language refuses (of no family, ...) are left out. */
static size_t add_rules(struct ruleset *ruleset, enum fw_hook hook, uint32_t count,
			void (*write_one)(struct buffer *buffer))
{
	struct rule_place place = { .hook = hook, .kind = PLACE_END };
	size_t added = 0;

	for (uint32_t i = 0; i < count; i++) {
		_cleanup_buffer_ struct buffer buffer = { 0 };
		struct diagnostics diagnostics;
		size_t index;

		diagnostics_init(&diagnostics);
		write_one(&buffer);
		added += !rule_parse_into(ruleset, &place, buffer_text(&buffer), &diagnostics,
					  &index);
		diagnostics_free(&diagnostics);
	}
	return added;
}

static void random_address(uint8_t family, uint32_t word[4])
{
	const char *text = family == FW_INET ? PICK(inet) : PICK(inet6);
	struct address low, high;
	size_t length = strcspn(text, "/-");

	assert_true(address_parse(text, length, &low));
	high = low;
	if (text[length] == '/')
		prefix_bounds(&low, strtoul(text + length + 1, NULL, 10), &low, &high);
	else if (text[length] == '-')
		assert_true(address_parse(text + length + 1, strlen(text + length + 1), &high));
	memcpy(word, below(2) ? low.word : high.word, sizeof(low.word));
	/* The address itself, a neighbour, or one with a few bits changed. */
	switch (below(4)) {
	case 0:
		word[family == FW_INET ? 0 : 3] += below(2) ? 1 : -1;
		break;
	case 1:
		word[family == FW_INET ? 0 : below(4)] ^= 1U << below(32);
	}
}

static void random_transport(struct fw_packet *packet)
{
	static const uint16_t ports[] = { 0,	1,    9,    10,	  22,	53,   80,    443,
					  1023, 1024, 7999, 8000, 8100, 8101, 65534, 65535 };
	static const uint8_t protocols[] = { 6, 17, 6, 17, 1, 58, 47, 0, 255 };
	static const uint8_t types[] = { 0, 3, 8, 128, 134, 136, 255 };

	packet->protocol = PICK(protocols);
	if (!below(8)) {
		packet->has |= FW_IS_FRAGMENT;
		return;
	}
	if (packet->protocol == 6 || packet->protocol == 17) {
		packet->has |= FW_HAS_PORTS;
		packet->source_port = PICK(ports);
		packet->destination_port = PICK(ports);
	}
	if (packet->protocol == 6) {
		packet->has |= FW_HAS_FLAGS;
		packet->tcp_flags = below(2) ? (uint8_t)next() : 2;
	}
	if (packet->protocol == (packet->family == FW_INET ? 1 : 58)) {
		packet->has |= FW_HAS_ICMP;
		packet->icmp_type = PICK(types);
		packet->icmp_code = below(6);
	}
}

static void random_packet(struct fw_packet *packet)
{
	static const uint16_t vlans[] = { FW_NO_VLAN, FW_NO_VLAN, 1, 7, 20, 21, 4095, 100 };
	static const uint16_t ethertypes[] = { 0x0806, 0x88cc, 0x0805, 0x1234, 0, 0xffff };
	static const uint64_t macs[] = { 0x5e005301, 0x5e005302, 0xffffffffffff, 0,
					 0x123456789abc };
	static const uint32_t lengths[] = {
		20, 28, 40, 41, 59, 60, 1500, 1501, 65534, 65535, 65575
	};
	static const uint8_t ttls[] = { 0, 1, 2, 63, 64, 255 };
	static const uint8_t states[] = { 0, FW_STATE_NEW, FW_STATE_ESTABLISHED, FW_STATE_RELATED };

	*packet = (struct fw_packet){ .family = below(8) ? 1 + below(2) : FW_OTHER };
	packet->interface = PICK(interfaces);
	packet->vlan = PICK(vlans);
	packet->ethertype = packet->family == FW_INET	 ? 0x0800
			    : packet->family == FW_INET6 ? 0x86dd
							 : PICK(ethertypes);
	if (below(4)) {
		packet->has |= FW_HAS_MAC;
		packet->source_mac = PICK(macs);
		packet->destination_mac = PICK(macs);
	}
	if (packet->family == FW_OTHER)
		return;
	random_address(packet->family, packet->source);
	random_address(packet->family, packet->destination);
	packet->length = PICK(lengths);
	packet->ttl = PICK(ttls);
	packet->dscp = below(64);
	packet->state = PICK(states);
	packet->source_sets = next() & next() & 0x3ff;
	packet->destination_sets = next() & next() & 0x3ff;
	random_transport(packet);
}

static void compare(const struct ruleset *ruleset, const struct image *image,
		    const struct fw_packet *packet, enum fw_hook hook, uint64_t seed)
{
	const struct fw_image_header *header = image->bytes;
	struct evaluation expected;
	struct fw_match_result result;
	uint32_t first = header->first_record[hook];
	struct fw_packet asked = *packet;
	uint32_t record;
	bool same;

	evaluate(ruleset, hook, packet, interface_name(packet->interface, hook), &expected);
	fw_find_sets_row(image->bytes, (__u32)(image->block - 1), hook, &asked);
	assert_int_equal(fw_classify(image->bytes, image->block - 1, hook, &asked, &result), 0);
	record = expected.rule == EVALUATE_DEFAULT ? header->default_record[hook]
						   : first + expected.rule;
	same = result.record == record && result.counted_count == expected.counted_count &&
	       fw_record(image->bytes, image->block - 1, record)->action == expected.action &&
	       fw_record(image->bytes, image->block - 1, record)->counter == record;
	for (size_t i = 0; same && i < expected.counted_count; i++)
		same = result.counted[i] == first + expected.counted[i];
	if (!same)
		fail_msg("seed %lu hook %d family %d: record %u, not %u; %u counted, not %zu", seed,
			 hook, packet->family, result.record, record, result.counted_count,
			 expected.counted_count);
}

/* Counters are numbered like records, so that a test sees them mixed up. */
static int compile_rules(const struct ruleset *ruleset, enum compile_form form,
			 struct image *ret_image, char **ret_error)
{
	struct compile_input input = {
		.ruleset = ruleset,
		.form = form,
		.links = links,
		.link_count = sizeof(links) / sizeof(links[0]),
	};
	size_t ingress = ruleset->blocks[FW_INGRESS].count + 1;
	size_t count = ingress + ruleset->blocks[FW_EGRESS].count + 1;
	_cleanup_free_ uint32_t *counters = calloc(count, sizeof(*counters));

	for (size_t i = 0; i < count; i++)
		counters[i] = i;
	input.counters[FW_INGRESS] = counters;
	input.counters[FW_EGRESS] = counters + ingress;
	return compile(&input, ret_image, ret_error);
}

struct case_size {
	uint32_t rules; /* of each hook */
	uint32_t packets;
};

/* Returns how many rules the language took. */
static size_t check_random(enum compile_form form, uint64_t seed, struct case_size size,
			   void (*write_one)(struct buffer *buffer))
{
	_cleanup_free_ char *error = NULL;
	struct ruleset *ruleset = rules_read(declarations);
	struct image image = { 0 };
	size_t added;

	numbers.state = seed;
	added = add_rules(ruleset, FW_INGRESS, size.rules, write_one) +
		add_rules(ruleset, FW_EGRESS, size.rules, write_one);
	if (compile_rules(ruleset, form, &image, &error)) {
		/* Few groups may overlap, and random rules have little in common. */
		if (!strstr(error, "count and go on") &&
		    (form == COMPILE_TERMS || !strstr(error, "overlap")))
			fail_msg("seed %lu: %s", seed, error);
		ruleset_free(&ruleset);
		return 0;
	}
	for (uint32_t i = 0; i < size.packets; i++) {
		struct fw_packet packet;

		random_packet(&packet);
		for (int hook = 0; hook < FW_HOOKS; hook++)
			compare(ruleset, &image, &packet, hook, seed);
	}
	image_free(&image);
	ruleset_free(&ruleset);
	return added;
}

static void check_small(enum compile_form form)
{
	size_t added = 0;

	for (uint64_t seed = 1; seed <= 1500; seed++)
		added += check_random(form, seed, (struct case_size){ 1 + seed % 16, 60 },
				      write_rule);
	assert_true(added > 12000); /* of 25,500: the generator is not refused in general */
}

static void check_ports(enum compile_form form)
{
	size_t added = 0;

	for (uint64_t seed = 1; seed <= 60; seed++)
		added += check_random(form, seed, (struct case_size){ 4 + 2 * seed, 300 },
				      write_port_rule);
	assert_true(added > 4000);
}

static void check_larger(enum compile_form form)
{
	size_t added = 0;

	for (uint64_t seed = 1; seed <= 25; seed++)
		added += check_random(form, seed << 32, (struct case_size){ 10 + 4 * seed, 400 },
				      write_rule);
	assert_true(added > 1000);
}

static void a_bit_per_term_decides_small_sets_like_the_evaluator(void **unused)
{
	(void)unused;
	check_small(COMPILE_TERMS);
}

static void a_bit_per_term_decides_larger_sets_like_the_evaluator(void **unused)
{
	(void)unused;
	check_larger(COMPILE_TERMS);
}

static void a_bit_per_group_decides_small_sets_like_the_evaluator(void **unused)
{
	(void)unused;
	check_small(COMPILE_GROUPS);
}

static void a_bit_per_group_decides_larger_sets_like_the_evaluator(void **unused)
{
	(void)unused;
	check_larger(COMPILE_GROUPS);
}

static void groups_merged_decide_small_sets_like_the_evaluator(void **unused)
{
	(void)unused;
	check_small(COMPILE_MERGED);
}

static void groups_tell_port_ranges_of_one_address_apart(void **unused)
{
	(void)unused;
	check_ports(COMPILE_GROUPS);
}

static void groups_merged_tell_port_ranges_of_one_address_apart(void **unused)
{
	(void)unused;
	check_ports(COMPILE_MERGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bit_per_term_decides_small_sets_like_the_evaluator),
		cmocka_unit_test(a_bit_per_term_decides_larger_sets_like_the_evaluator),
		cmocka_unit_test(a_bit_per_group_decides_small_sets_like_the_evaluator),
		cmocka_unit_test(a_bit_per_group_decides_larger_sets_like_the_evaluator),
		cmocka_unit_test(groups_merged_decide_small_sets_like_the_evaluator),
		cmocka_unit_test(groups_tell_port_ranges_of_one_address_apart),
		cmocka_unit_test(groups_merged_tell_port_ranges_of_one_address_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
