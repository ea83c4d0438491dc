/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of packets, there and back, and the frames that are made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/packet_frame.h"
#include "analysis/packet_text.h"
#include "fw/parse.h"
#include "packets.h"

static struct met_packet read_text(const char *text)
{
	_cleanup_buffer_ struct buffer error = { 0 };
	struct met_packet met = { 0 };

	if (packet_text_parse(text, &met, &error))
		fail_msg("%s: %s", text, buffer_text(&error));
	return met;
}

/* Canonical texts: one for each thing that a rule can ask about. */
static const char *const texts[] = {
	"in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S",
	"in tcp 192.0.2.1:1234 > 198.51.100.1:22 flags SA",
	"out wan0 tcp [2001:db8::1]:1234 > [2001:db8:1::1]:22 flags none",
	"in eth0 tcp 0.0.0.0:0 > 255.255.255.255:65535 flags FSRPAUEW",
	"in eth0 udp 192.0.2.1:53 > 198.51.100.1:1234",
	"in eth0 udp 192.0.2.1:53 > 198.51.100.1:1234 length 512",
	"in eth0 udp [::]:53 > [::ffff:192.0.2.1]:1234 length 65575",
	"in eth0 tcp 192.0.2.1 > 198.51.100.1 fragment",
	"in eth0 tcp 2001:db8::1 > 2001:db8:1::1 fragment length 1280",
	"in eth0 icmp 192.0.2.1 > 198.51.100.1 fragment",
	"in eth0 icmp 192.0.2.1 > 198.51.100.1 type echo-request",
	"in eth0 icmp 192.0.2.1 > 198.51.100.1 type destination-unreachable code 4",
	"in eth0 icmp 192.0.2.1 > 198.51.100.1 type 200",
	"out eth0 icmp6 2001:db8::1 > ff02::1 type nd-neighbor-solicit ttl 255",
	"in eth0 icmp6 192.0.2.1 > 198.51.100.1",
	"in eth0 icmp 2001:db8::1 > 2001:db8:1::1",
	"in eth0 sctp 192.0.2.1:1234 > 198.51.100.1:22",
	"in eth0 136 192.0.2.1:1234 > 198.51.100.1:22",
	"in eth0 33 [2001:db8::1]:1234 > [2001:db8:1::1]:22",
	"in eth0 gre 192.0.2.1 > 198.51.100.1",
	"in eth0 ah 192.0.2.1 > 198.51.100.1",
	"in eth0 esp 2001:db8::1 > 2001:db8:1::1",
	"in eth0 99 192.0.2.1 > 198.51.100.1 ttl 1",
	"in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S state established",
	"in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags A state related dscp ef",
	"in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S dscp 5 vlan 4094",
	"in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S smac 02:00:00:00:00:01",
	"in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S dmac ff:ff:ff:ff:ff:ff",
	"in tun0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S layer3",
	"in eth0 arp",
	"in arp",
	"in ethertype 0x88cc",
	"out eth0 ethertype 0x88cc vlan 5 smac 02:00:00:00:00:01 dmac 01:80:c2:00:00:0e",
	"in eth0 ethertype 0x0026",
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static void prints_what_it_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		_cleanup_buffer_ struct buffer printed = { 0 };
		struct met_packet met = read_text(texts[i]);

		packet_text_print(&met, &printed);
		assert_string_equal(buffer_text(&printed), texts[i]);
	}
}

/* The packet without what the parser leaves for the programs, which no rule asks about. */
static struct fw_packet what_rules_see(const struct fw_packet *packet)
{
	struct fw_packet seen = *packet;

	seen.network = 0;
	seen.transport = 0;
	seen.fragment_id = 0;
	seen.has &= (__u8)~FW_IS_FIRST_FRAGMENT;
	return seen;
}

static void the_frame_is_the_packet(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		_cleanup_buffer_ struct buffer bytes = { 0 };
		struct met_packet met = read_text(texts[i]);
		struct fw_frame frame = { .stripped_vlan = FW_NO_VLAN };
		struct fw_packet parsed;

		assert_int_equal(packet_frame(&met.packet, &bytes), 0);
		if (!(met.packet.has & FW_HAS_MAC))
			frame.layer3 = met.packet.ethertype;
		frame.data = bytes.text;
		frame.data_end = bytes.text + bytes.length;
		frame.length = bytes.length;
		assert_int_equal(fw_parse(&frame, &parsed), FW_OK);
		parsed = what_rules_see(&parsed);
		parsed.state = met.packet.state; /* is in no frame */
		assert_memory_equal(&parsed, &met.packet, sizeof(parsed));
	}
}

struct spelling {
	const char *text;
	const char *canonical;
};

static void reads_other_spellings(void **state)
{
	static const struct spelling spellings[] = {
		{ "in udp 192.0.2.1:53->198.51.100.1:9", "in udp 192.0.2.1:53 > 198.51.100.1:9" },
		{ "in udp 192.0.2.1:53 -> 198.51.100.1:9", "in udp 192.0.2.1:53 > 198.51.100.1:9" },
		{ "in eth0 tcp 192.0.2.1:1234>198.51.100.1:ssh",
		  "in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S" },
		{ "in  eth0\ttcp 192.0.2.1:1 > [198.51.100.1]:22 flags AS vlan 0 ttl 0x40",
		  "in eth0 tcp 192.0.2.1:1 > 198.51.100.1:22 flags SA" },
		{ "out eth0 ipv6-icmp [2001:DB8::1] > 2001:db8:0::2 code 0",
		  "out eth0 icmp6 2001:db8::1 > 2001:db8::2 type echo-request" },
		{ "in eth0 icmp 192.0.2.1 > 198.51.100.1 type 3 code frag-needed",
		  "in eth0 icmp 192.0.2.1 > 198.51.100.1 type destination-unreachable code 4" },
		{ "in eth0 tcp 192.0.2.1:1 > 198.51.100.1:2 state new dscp cs0 length 40",
		  "in eth0 tcp 192.0.2.1:1 > 198.51.100.1:2 flags S" },
		{ "in eth0 ethertype arp", "in eth0 arp" },
		{ "in eth0 ethertype lldp smac 02:AB:00:00:00:01",
		  "in eth0 ethertype 0x88cc smac 02:ab:00:00:00:01" },
		/* An interface may have the name of a protocol. */
		{ "in tcp udp 192.0.2.1:1 > 198.51.100.1:2",
		  "in tcp udp 192.0.2.1:1 > 198.51.100.1:2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		_cleanup_buffer_ struct buffer printed = { 0 };
		struct met_packet met = read_text(spellings[i].text);

		packet_text_print(&met, &printed);
		assert_string_equal(buffer_text(&printed), spellings[i].canonical);
	}
}

/* Texts, and a part of what is said of each. */
static const struct spelling wrong[] = {
	{ "", "begins with 'in' or 'out'" },
	{ "eth0 tcp 192.0.2.1:1 > 198.51.100.1:2", "begins with 'in' or 'out'" },
	{ "in", "neither PROTOCOL SOURCE" },
	{ "in eth0", "neither PROTOCOL SOURCE" },
	{ "in eth0 tcp 192.0.2.1:1 198.51.100.1:2", "neither PROTOCOL SOURCE" },
	{ "in eth0 tcp 192.0.2.1:1 >", "missing behind '>'" },
	{ "in > 198.51.100.1", "protocol is missing" },
	{ "in 192.0.2.1:1 > 198.51.100.1:2", "protocol is missing" },
	{ "in eth0 eth1 tcp 192.0.2.1:1 > 198.51.100.1:2", "'eth1' is not known here" },
	{ "in interface-is-too-long tcp 192.0.2.1:1 > 198.51.100.1:2", "too long" },
	{ "in eth0 tpc 192.0.2.1:1 > 198.51.100.1:2", "'tpc' is not a protocol" },
	{ "in eth0 256 192.0.2.1 > 198.51.100.1", "'256' is not a protocol" },
	{ "in eth0 tcp 192.0.2.300:1 > 198.51.100.1:2", "'192.0.2.300' is not an address" },
	{ "in eth0 tcp 192.0.2.1:1 > [2001:db8::1]:2", "of two families" },
	{ "in eth0 tcp [2001:db8::1]2 > [2001:db8::1]:2", "is not [ADDRESS]:PORT" },
	{ "in eth0 tcp 192.0.2.1:65536 > 198.51.100.1:2", "'65536' is not a port" },
	{ "in eth0 tcp 192.0.2.1 > 198.51.100.1", "both ends need a port" },
	{ "in eth0 udp 192.0.2.1:1 > 198.51.100.1", "both ends need a port" },
	{ "in udp 2001:db8::1 > 2001:db8::2", "as in [2001:db8::1]:1234" },
	{ "in ->", "a protocol is missing" },
	{ "in eth0 gre 192.0.2.1:1 > 198.51.100.1:2", "has no ports" },
	{ "in eth0 tcp 192.0.2.1:1 > 198.51.100.1:2 fragment", "has no ports" },
	{ "in eth0 udp 192.0.2.1:1 > 198.51.100.1:2 flags S", "only a tcp packet" },
	{ "in eth0 tcp 192.0.2.1:1 > 198.51.100.1:2 flags X", "'X' is not letters" },
	{ "in eth0 tcp 192.0.2.1:1 > 198.51.100.1:2 flags", "letters are missing" },
	{ "in eth0 tcp 192.0.2.1 > 198.51.100.1 fragment flags S", "contradict" },
	{ "in eth0 tcp 192.0.2.1:1 > 198.51.100.1:2 type 8", "only icmp over IPv4" },
	{ "in eth0 icmp 2001:db8::1 > 2001:db8::2 code 1", "only icmp over IPv4" },
	{ "in eth0 icmp 192.0.2.1 > 198.51.100.1 type 256", "'256' is not" },
	{ "in eth0 icmp 192.0.2.1 > 198.51.100.1 type packet-too-big", "is not a name" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 length 19", "the headers take 20" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 length 65536", "contradict" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 length x", "'x' is not a number" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 ttl", "a value is missing" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 ttl -1", "'-1' is not" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 dscp 64", "from 0 to 63" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 vlan 4096", "from 0 to 4095" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 state old", "new, established or related" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 smac 02:00", "00:00:5e:00:53:01" },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 dmac 02-00-00-00-00-01", "dmac: " },
	{ "in eth0 gre 192.0.2.1 > 198.51.100.1 port 22", "'port' is not known here" },
	{ "in eth0 0 2001:db8::1 > 2001:db8::2", "extension header" },
	{ "in eth0 ah 2001:db8::1 > 2001:db8::2", "extension header" },
	{ "in eth0 arp ttl 5", "only an IP packet" },
	{ "in eth0 ethertype ip", "an IP packet is written" },
	{ "in eth0 ethertype 0x8100", "contradict" },
};

static void says_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		_cleanup_buffer_ struct buffer error = { 0 };
		struct met_packet met;

		if (!packet_text_parse(wrong[i].text, &met, &error))
			fail_msg("%s: was read", wrong[i].text);
		if (!strstr(buffer_text(&error), wrong[i].canonical))
			fail_msg("%s: %s", wrong[i].text, buffer_text(&error));
	}
}

/* All packets that are not malformed can be written down, as far as rules can ask about them. */
static void named_packets_are_the_same_from_their_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMED_PACKETS; i++) {
		const struct named_packet *named = &named_packets[i];
		struct met_packet met = { .packet = what_rules_see(&named->packet) }, read;
		_cleanup_buffer_ struct buffer text = { 0 };

		if (named->reason != FW_OK)
			continue;
		met.packet.state = met.packet.family == FW_OTHER ? 0 : FW_STATE_NEW;
		/* A fragment of options, which no program sees the inside of, is not for people. */
		packet_text_print(&met, &text);
		read = read_text(buffer_text(&text));
		if (memcmp(&read.packet, &met.packet, sizeof(read.packet)) != 0)
			fail_msg("%s: is another as %s", named->name, buffer_text(&text));
	}
}

static void makes_no_frame_of_contradictions(void **state)
{
	const struct met_packet good = read_text("in udp 192.0.2.1:1 > 198.51.100.1:2");
	_cleanup_buffer_ struct buffer frame = { 0 };
	struct fw_packet bad;

	(void)state;
	assert_int_equal(packet_frame(&good.packet, &frame), 0);
	bad = good.packet;
	bad.has &= ~FW_HAS_PORTS;
	assert_int_not_equal(packet_frame(&bad, &frame), 0);
	bad = good.packet;
	bad.protocol = 99;
	bad.length = 20;
	assert_int_not_equal(packet_frame(&bad, &frame), 0);
	bad = good.packet;
	bad.length = 27;
	assert_int_not_equal(packet_frame(&bad, &frame), 0);
	bad = good.packet;
	bad.ethertype = FW_ETHERTYPE_IPV6;
	assert_int_not_equal(packet_frame(&bad, &frame), 0);
	bad = good.packet;
	bad.dscp = 64;
	assert_int_not_equal(packet_frame(&bad, &frame), 0);
	bad = good.packet;
	bad.source[1] = 1;
	assert_int_not_equal(packet_frame(&bad, &frame), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_what_it_reads),
		cmocka_unit_test(the_frame_is_the_packet),
		cmocka_unit_test(reads_other_spellings),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(named_packets_are_the_same_from_their_text),
		cmocka_unit_test(makes_no_frame_of_contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
