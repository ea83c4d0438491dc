/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference evaluator: every kind of match, and every sentence of "Meaning" in the language's
 * contract that is about single packets. Rules and packets are text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/evaluate.h"
#include "analysis/explain.h"
#include "analysis/packet_text.h"
#include "language/language.h"
#include "rules.h"

static struct met_packet read_packet(const char *text)
{
	_cleanup_buffer_ struct buffer error = { 0 };
	struct met_packet met = { 0 };

	if (packet_text_parse(text, &met, &error))
		fail_msg("%s: %s", text, buffer_text(&error));
	return met;
}

/* What decides the packet: a rule's label or text, or "default". */
static const char *decide(const struct ruleset *ruleset, const char *packet,
			  struct explanation *ret_explanation)
{
	struct explanation explanation = { .met = read_packet(packet) };

	explain(ruleset, &explanation);
	if (ret_explanation)
		*ret_explanation = explanation;
	if (explanation.evaluation.rule == EVALUATE_DEFAULT)
		return "default";
	return rule_identity(
		&ruleset->blocks[explanation.met.hook].rules[explanation.evaluation.rule]);
}

#define TCP	 "in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22"
#define TCP6	 "in eth0 tcp [2001:db8::1]:1234 > [2001:db8::2]:22"
#define UDP	 "in eth0 udp 192.0.2.1:53 > 198.51.100.1:5353"
#define ICMP	 "in eth0 icmp 192.0.2.1 > 198.51.100.1"
#define ICMP6	 "in eth0 icmp6 2001:db8::1 > 2001:db8::2"
#define FRAGMENT "in eth0 tcp 192.0.2.1 > 198.51.100.1 fragment"
#define ARP	 "in eth0 arp"

struct question {
	const char *matches;
	const char *packet;
	bool answer;
};

static const struct question questions[] = {
	{ "", TCP, true },
	{ "", ARP, true },

	{ "on eth0", TCP, true },
	{ "on eth1", TCP, false },
	{ "on eth0", ARP, true },
	{ "on \"eth*\"", TCP, true },
	{ "on \"eth?\"", "in eth10 arp", false },
	{ "on { eth1, eth0 }", TCP, true },
	{ "on not eth0", TCP, false },
	{ "on not eth1", TCP, true },
	{ "on not eth1", "in arp", false }, /* no name, so no name but eth1 */

	{ "inet", TCP, true },
	{ "inet", TCP6, false },
	{ "inet", ARP, false },
	{ "inet6", TCP6, true },
	{ "inet6", TCP, false },

	{ "tcp", TCP, true },
	{ "tcp", TCP6, true },
	{ "tcp", UDP, false },
	{ "tcp", ARP, false },
	{ "tcp", FRAGMENT, true },
	{ "proto { tcp, udp }", UDP, true },
	{ "proto 6", TCP, true },
	{ "proto not tcp", UDP, true },
	{ "proto not tcp", TCP, false },
	{ "proto not tcp", ARP, false },

	{ "from 192.0.2.1", TCP, true },
	{ "from 192.0.2.2", TCP, false },
	{ "from 192.0.2.0/24", TCP, true },
	{ "from 192.0.2.0-192.0.2.1", TCP, true },
	{ "from 192.0.2.2-192.0.2.9", TCP, false },
	{ "from { 192.0.2.2, 192.0.2.1 }", TCP, true },
	{ "from not 192.0.2.1", TCP, false },
	{ "from not 192.0.2.2", TCP, true },
	{ "from not 192.0.2.2", TCP6, false }, /* addresses decide the family */
	{ "from not 192.0.2.2", ARP, false },
	{ "from 2001:db8::1", TCP6, true },
	{ "from 2001:db8::/32", TCP6, true },
	{ "from 2001:db8::2-2001:db8::f", TCP6, false },
	{ "from ::/0", TCP, false },
	{ "from 0.0.0.0/0", TCP6, false },
	{ "from any", TCP, true },
	{ "from any", TCP6, true },
	{ "from any", ARP, false },
	{ "from @mixed", TCP, true },
	{ "from @mixed", TCP6, true },
	{ "from not @mixed", TCP, false },
	{ "from not @mixed", TCP6, false },
	{ "from not @other", TCP, true },
	{ "from not @other", TCP6, true }, /* a set does not decide the family */
	{ "from not @other", ARP, false },
	{ "from @moving", TCP, true },
	{ "from @moving", TCP6, false },
	{ "from not @moving", TCP6, true },
	{ "from { @other, 192.0.2.1 }", TCP, true },
	{ "to 198.51.100.1", TCP, true },
	{ "to 192.0.2.1", TCP, false },
	{ "to @other", TCP, true },
	{ "to not 198.51.100.0/24", TCP, false },
	{ "to 2001:db8::2", TCP6, true },
	{ "to @moving", "in eth0 tcp 198.51.100.1:1 > 192.0.2.1:2", true },

	{ "from port 1234", TCP, true },
	{ "from port 22", TCP, false },
	{ "to port 22", TCP, true },
	{ "to port ssh", TCP, true },
	{ "to port 1234", TCP, false },
	{ "to port 20-30", TCP, true },
	{ "to port { 80, 20-22 }", TCP, true },
	{ "to port not 22", TCP, false },
	{ "to port not 23", TCP, true },
	{ "to port 53", ICMP, false },
	{ "to port not 53", ICMP, false },
	{ "to port 53", FRAGMENT, false },
	{ "to port not 53", FRAGMENT, false },
	{ "to port not 53", ARP, false },
	{ "from 192.0.2.1 port 1234 to 198.51.100.1 port 22", TCP, true },
	{ "from 192.0.2.1 port 1234 to 198.51.100.1 port 23", TCP, false },

	{ "flags S/SA", TCP " flags S", true },
	{ "flags S/SA", TCP " flags SA", false },
	{ "flags S/SA", TCP " flags SP", true },
	{ "flags SA/SA", TCP " flags SA", true },
	{ "flags S/SA", UDP, false },
	{ "flags S/SA", FRAGMENT, false },

	{ "icmp type echo-request", ICMP, true },
	{ "icmp type echo-reply", ICMP, false },
	{ "icmp type { 0, 8 }", ICMP, true },
	{ "icmp type 3 code 4", ICMP " type 3 code 4", true },
	{ "icmp type 3 code 4", ICMP " type 3 code 1", false },
	{ "icmp type not echo-reply", ICMP, true },
	{ "icmp type not echo-reply", ICMP " fragment", false },
	{ "icmp type echo-request", "in eth0 icmp 2001:db8::1 > 2001:db8::2", false },
	{ "icmp", "in eth0 icmp 2001:db8::1 > 2001:db8::2", true }, /* the number only */
	{ "icmp6 type echo-request", ICMP6, true },
	{ "icmp6 type echo-request", ICMP, false },
	{ "icmp6 type 128", "in eth0 icmp6 192.0.2.1 > 198.51.100.1", false },

	{ "state new", TCP, true },
	{ "state established", TCP, false },
	{ "state established, related", TCP " state related", true },
	{ "state new", ARP, false },

	{ "fragment", FRAGMENT, true },
	{ "fragment", TCP, false },
	{ "fragment", ARP, false },
	{ "tcp from 192.0.2.1 fragment", FRAGMENT, true },

	{ "length 40", TCP, true },
	{ "length 0-39", TCP, false },
	{ "length 60", TCP6, true }, /* payload length and 40 */
	{ "length 0-65535", ARP, false },
	{ "ttl 64", TCP, true },
	{ "ttl 1-63", TCP6, false },
	{ "ttl 255", ICMP6 " ttl 255", true },
	{ "dscp ef", TCP " dscp 46", true },
	{ "dscp { cs1, cs2 }", TCP6 " dscp 16", true },
	{ "dscp not ef", TCP, true },
	{ "dscp not ef", ARP, false },

	{ "vlan 5", TCP " vlan 5", true },
	{ "vlan 5", ARP " vlan 5", true },
	{ "vlan 5", TCP " vlan 6", false },
	{ "vlan 1-4094", TCP, false },
	{ "vlan not 5", TCP " vlan 6", true },
	{ "vlan not 5", TCP, false },
	{ "ethertype 0x88cc", "in eth0 ethertype 0x88cc", true },
	{ "ethertype 0x88cc", ARP, false },
	{ "ethertype ip", TCP, true },
	{ "ethertype not arp", TCP, true },
	{ "smac 00:00:5e:00:53:01", TCP, true },
	{ "smac 00:00:5e:00:53:02", TCP, false },
	{ "dmac 00:00:5e:00:53:02", ARP, true },
	{ "dmac { 00:00:5e:00:53:02, 02:00:00:00:00:01 }", ARP, true },
	{ "smac not 00:00:5e:00:53:02", TCP, true },
	{ "smac not 00:00:5e:00:53:02", TCP " layer3", false },

	/* A rule matches when all its matches do. */
	{ "on eth0 tcp from 192.0.2.1 to port 22 flags S/SA vlan 5", TCP " vlan 5", true },
	{ "on eth1 tcp from 192.0.2.1 to port 22 flags S/SA vlan 5", TCP " vlan 5", false },
	{ "on eth0 tcp from 192.0.2.1 to port 22 flags S/SA vlan 6", TCP " vlan 5", false },
};

static void matches_what_the_rule_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const struct question *question = &questions[i];
		struct ruleset *ruleset;
		const char *decided;
		char text[1024];

		snprintf(text, sizeof(text),
			 "option essential off\n"
			 "set mixed { 192.0.2.0/24, 2001:db8::1 }\n"
			 "set other { 198.51.100.0/24, 2001:db8:f::/48 }\n"
			 "set unused live\n"
			 "set moving live size 10 { 192.0.2.1 }\n"
			 "ingress default drop {\n pass %s label it\n}\n",
			 question->matches);
		ruleset = rules_read(text);
		decided = decide(ruleset, question->packet, NULL);
		if (!strcmp(decided, "it") != question->answer)
			fail_msg("'%s' and '%s': decided by %s", question->matches,
				 question->packet, decided);
		ruleset_free(&ruleset);
	}
}

static void the_first_rule_that_matches_decides(void **state)
{
	struct ruleset *ruleset = rules_read("ingress default pass {\n"
					     " pass from 192.0.2.1 label one\n"
					     " drop tcp label two\n"
					     " reject from 192.0.2.1 label three\n}\n"
					     "egress default drop {\n pass tcp label out\n}\n");
	struct explanation explanation;

	(void)state;
	assert_string_equal(decide(ruleset, TCP, &explanation), "one");
	assert_int_equal(explanation.verdict, FW_VERDICT_PASS);
	assert_string_equal(decide(ruleset, TCP6, &explanation), "two");
	assert_int_equal(explanation.verdict, FW_VERDICT_DROP);
	assert_string_equal(decide(ruleset, ICMP6, &explanation), "default");
	assert_int_equal(explanation.verdict, FW_VERDICT_PASS);
	assert_string_equal(decide(ruleset, "out eth0 udp 192.0.2.1:1 > 192.0.2.2:2", &explanation),
			    "default");
	assert_int_equal(explanation.verdict, FW_VERDICT_DROP);
	assert_string_equal(decide(ruleset, "out eth0 tcp 192.0.2.1:1 > 192.0.2.2:2", &explanation),
			    "out");
	ruleset_free(&ruleset);
}

static void reject_drops(void **state)
{
	struct ruleset *ruleset =
		rules_read("ingress default pass {\n reject tcp to port 22 label no\n}\n");
	struct explanation explanation;

	(void)state;
	assert_string_equal(decide(ruleset, TCP, &explanation), "no");
	assert_int_equal(explanation.evaluation.action, FW_REJECT);
	assert_int_equal(explanation.verdict, FW_VERDICT_DROP);
	ruleset_free(&ruleset);
}

static void count_goes_on(void **state)
{
	struct ruleset *ruleset = rules_read("option essential off\n"
					     "ingress default drop {\n"
					     " count tcp label a\n count udp label b\n"
					     " count label c\n pass to port 22 label d\n"
					     " count label e\n}\n");
	struct explanation explanation;

	(void)state;
	assert_string_equal(decide(ruleset, TCP, &explanation), "d");
	assert_int_equal(explanation.evaluation.counted_count, 2);
	assert_int_equal(explanation.evaluation.counted[0], 0);
	assert_int_equal(explanation.evaluation.counted[1], 2);
	assert_string_equal(decide(ruleset, UDP, &explanation), "default");
	assert_int_equal(explanation.evaluation.counted_count, 3);
	ruleset_free(&ruleset);
}

static void a_packet_within_the_limit_passes_and_is_not_dropped(void **state)
{
	struct ruleset *ruleset = rules_read("ingress default drop {\n"
					     " drop tcp limit 10/s label flood\n"
					     " reject udp limit 10/s label flood2\n"
					     " pass tcp limit 10/s label some\n}\n");

	(void)state;
	assert_string_equal(decide(ruleset, TCP, NULL), "some");
	assert_string_equal(decide(ruleset, UDP, NULL), "default");
	ruleset_free(&ruleset);
}

static void a_hook_without_a_block_passes(void **state)
{
	struct ruleset *ruleset = rules_read("ingress default drop {\n}\n");
	struct explanation explanation;

	(void)state;
	assert_string_equal(decide(ruleset, "out eth0 arp", &explanation), "default");
	assert_int_equal(explanation.verdict, FW_VERDICT_PASS);
	ruleset_free(&ruleset);
}

static void built_in_rules_keep_the_essential_alive(void **state)
{
	static const char *const packets[] = {
		"in eth0 arp",
		"in eth0 icmp6 fe80::1 > ff02::1:ff00:1 type nd-neighbor-solicit ttl 255",
		"in eth0 icmp6 fe80::1 > ff02::1 type nd-router-advert ttl 255",
		ICMP " type destination-unreachable code frag-needed",
		ICMP6 " type packet-too-big",
		"in eth0 icmp6 fe80::1 > ff02::1 type mld-listener-query ttl 1",
		"in eth0 udp 192.0.2.1:67 > 255.255.255.255:68",
		"in eth0 udp [fe80::1]:547 > [fe80::2]:546",
	};
	struct ruleset *with = rules_read("ingress default drop {\n}\n");
	struct ruleset *without = rules_read("option essential off\ningress default drop {\n}\n");

	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		if (strncmp(decide(with, packets[i], NULL), "builtin:", 8) != 0)
			fail_msg("no built-in rule passes '%s'", packets[i]);
		assert_string_equal(decide(without, packets[i], NULL), "default");
	}
	/* A neighbour is on the link: its hop limit was not counted down (RFC 4861). */
	assert_string_equal(decide(with, ICMP6 " type nd-neighbor-solicit ttl 254", NULL),
			    "default");
	assert_string_equal(decide(with, TCP, NULL), "default");
	ruleset_free(&with);
	ruleset_free(&without);
}

static void malformed_packets_are_dropped_unless_told_otherwise(void **state)
{
	struct ruleset *strict = rules_read("ingress default pass {\n}\n");
	struct ruleset *lax = rules_read("option malformed pass\ningress default drop {\n}\n");
	struct explanation explanation = { .reason = FW_REASON_IPV4_TRUNCATED };

	(void)state;
	explain(strict, &explanation);
	assert_int_equal(explanation.verdict, FW_VERDICT_DROP);
	explain(lax, &explanation);
	assert_int_equal(explanation.verdict, FW_VERDICT_PASS);
	assert_int_equal(explanation.reason, FW_REASON_IPV4_TRUNCATED);
	ruleset_free(&strict);
	ruleset_free(&lax);
}

/* The match that failed is the first in the rule's order, and of a wrong family, the family. */
static void tells_the_first_match_that_failed(void **state)
{
	struct ruleset *ruleset = rules_read("option essential off\ningress default drop {\n"
					     " pass on eth0 tcp from 192.0.2.2 to port 23\n}\n");
	const struct rule *rule = &ruleset->blocks[FW_INGRESS].rules[0];
	const struct met_packet tcp = read_packet(TCP), tcp6 = read_packet(TCP6);

	(void)state;
	assert_int_equal(rule_failing_match(rule, &tcp.packet, "eth1")->kind, MATCH_INTERFACE);
	assert_int_equal(rule_failing_match(rule, &tcp.packet, "eth0")->kind, MATCH_SOURCE);
	assert_int_equal(rule_failing_match(rule, &tcp6.packet, "eth0")->kind, MATCH_FAMILY);
	ruleset_free(&ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_what_the_rule_says),
		cmocka_unit_test(the_first_rule_that_matches_decides),
		cmocka_unit_test(reject_drops),
		cmocka_unit_test(count_goes_on),
		cmocka_unit_test(a_packet_within_the_limit_passes_and_is_not_dropped),
		cmocka_unit_test(a_hook_without_a_block_passes),
		cmocka_unit_test(built_in_rules_keep_the_essential_alive),
		cmocka_unit_test(malformed_packets_are_dropped_unless_told_otherwise),
		cmocka_unit_test(tells_the_first_match_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
