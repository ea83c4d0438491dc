// SPDX-License-Identifier: GPL-2.0-only
/* Rules and packets through the real programs: each case on both hooks, counters asserted. */
#include <stdio.h>
#include <string.h>

#include "prog_run.h"

struct decided {
	const char *rules; /* of the block, for both hooks */
	const char *packet;
	enum fw_verdict verdict;
	const char *identity;
};

#define PASS FW_VERDICT_PASS
#define DROP FW_VERDICT_DROP

static const struct decided cases[] = {
	{ "pass tcp to port 22 label hit", "tcp_syn", PASS, "hit" },
	{ "pass tcp to port 23 label hit", "tcp_syn", DROP, "default" },
	{ "pass tcp to port 20-30 label hit", "tcp_syn", PASS, "hit" },
	{ "pass tcp from port 1234 to port 22 label hit", "tcp_syn", PASS, "hit" },
	{ "pass tcp from port 22 label hit", "tcp_syn", DROP, "default" },
	{ "pass udp to port 22 label hit", "tcp_syn", DROP, "default" },
	{ "pass udp to port { 53, 123 } label hit", "udp", PASS, "hit" },
	{ "pass to port not 53 label hit", "udp", DROP, "default" },
	{ "pass to port not 22 label hit", "icmp_echo", DROP, "default" },
	{ "pass from 192.0.2.1 label hit", "tcp_syn", PASS, "hit" },
	{ "pass from 192.0.2.0/24 to 198.51.100.0/24 label hit", "tcp_syn", PASS, "hit" },
	{ "pass from not 192.0.2.0/24 label hit", "tcp_syn", DROP, "default" },
	{ "pass from 192.0.2.0-192.0.2.9 label hit", "udp", PASS, "hit" },
	{ "pass from 2001:db8::/32 label hit", "ipv6_tcp_syn", PASS, "hit" },
	{ "pass from 2001:db8::1 to 2001:db8:1::1 tcp label hit", "ipv6_tcp_syn", PASS, "hit" },
	{ "pass from 2001:db8::2 label hit", "ipv6_tcp_syn", DROP, "default" },
	{ "pass from 192.0.2.0/24 label hit", "ipv6_tcp_syn", DROP, "default" },
	{ "pass inet label hit", "ipv6_tcp_syn", DROP, "default" },
	{ "pass inet6 label hit", "ipv6_tcp_syn", PASS, "hit" },
	{ "pass tcp flags S/SA label hit", "tcp_syn", PASS, "hit" },
	{ "pass tcp flags S/SA label hit", "tcp_all_flags", DROP, "default" },
	{ "pass icmp type echo-request label hit", "icmp_echo", PASS, "hit" },
	{ "pass icmp type echo-reply label hit", "icmp_echo", DROP, "default" },
	{ "pass icmp6 type echo-request label hit", "icmp6_echo", PASS, "hit" },
	{ "pass icmp6 type packet-too-big code 0 label hit", "icmp6_packet_too_big", PASS, "hit" },
	{ "pass fragment label hit", "ipv4_later_fragment", PASS, "hit" },
	{ "pass fragment label hit", "ipv4_first_fragment", DROP, "default" },
	{ "pass udp to port 1-65535 label hit", "ipv4_later_fragment", DROP, "default" },
	{ "pass vlan 5 label hit", "vlan_0_before_5_is_5", PASS, "hit" },
	{ "pass vlan 4094 label hit", "vlan_4094", PASS, "hit" },
	{ "pass tcp to port 22 label hit", "vlan", PASS, "hit" },
	{ "pass tcp to port 22 label hit", "qinq_88a8", PASS, "hit" },
	{ "pass ethertype 0x88cc label hit", "lldp", PASS, "hit" },
	{ "pass smac 00:00:5e:00:53:01 label hit", "arp", PASS, "hit" },
	{ "pass dmac 00:00:5e:00:53:01 label hit", "arp", DROP, "default" },
	{ "pass from any label hit", "arp", DROP, "default" },
	{ "pass label hit", "arp", PASS, "hit" },
	{ "pass ttl 1 label hit", "ipv4_ttl_1", PASS, "hit" },
	{ "pass ttl 2-255 label hit", "ipv4_ttl_1", DROP, "default" },
	{ "pass sctp to port 1-65535 label hit", "sctp", PASS, "hit" },
	{ "pass gre label hit", "gre", PASS, "hit" },
	{ "pass tcp to port 22 label hit", "ipv4_options", PASS, "hit" },
	{ "pass tcp to port 22 label hit", "ipv6_chain", PASS, "hit" },
	/* The first that matches decides. */
	{ "drop tcp label first\n pass tcp label second", "tcp_syn", DROP, "first" },
	{ "pass udp label first\n pass tcp label second\n drop label third", "tcp_syn", PASS,
	  "second" },
	{ "reject tcp label hit", "tcp_syn", DROP, "hit" },
};

static void write_rules(char *text, size_t size, const char *rules, const char *fallback)
{
	snprintf(text, size,
		 "option essential off\n"
		 "ingress default %s {\n%s\n}\negress default %s {\n%s\n}\n",
		 fallback, rules, fallback, rules);
}

static void each_case_is_decided_on_both_hooks(void **state)
{
	char text[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame frame = frame_named(cases[i].packet);

		print_message("%s: %s\n", cases[i].rules, cases[i].packet);
		write_rules(text, sizeof(text), cases[i].rules, "drop");
		filter_apply(*state, text);
		for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++)
			assert_decides(*state, hook, &frame, cases[i].verdict, cases[i].identity);
	}
}

static void hooks_have_rules_of_their_own(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	filter_apply(*state, "ingress default drop {\n pass tcp label in\n}\n"
			     "egress default pass {\n drop tcp label out\n}\n");
	assert_decides(*state, FW_INGRESS, &frame, PASS, "in");
	assert_decides(*state, FW_EGRESS, &frame, DROP, "out");
}

static void hook_without_block_passes(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	filter_apply(*state, "ingress default drop {\n}\n");
	assert_int_equal(filter_run(*state, FW_INGRESS, &frame), DROP);
	assert_int_equal(filter_run(*state, FW_EGRESS, &frame), PASS);
}

static void default_may_pass(void **state)
{
	struct frame frame = frame_named("udp");
	char text[256];

	write_rules(text, sizeof(text), "drop tcp", "pass");
	filter_apply(*state, text);
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++)
		assert_decides(*state, hook, &frame, PASS, "default");
}

static void count_counts_and_goes_on(void **state)
{
	struct frame tcp = frame_named("tcp_syn"), udp = frame_named("udp");
	char text[512];

	write_rules(text, sizeof(text),
		    "count label all\n count tcp label of-tcp\n pass to port 22 label ssh\n"
		    "count label rest\n pass udp label of-udp",
		    "drop");
	filter_apply(*state, text);
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		struct fw_counter all = filter_rule(*state, hook, "all");

		assert_decides(*state, hook, &tcp, PASS, "ssh");
		assert_decides(*state, hook, &udp, PASS, "of-udp");
		assert_int_equal(filter_rule(*state, hook, "all").packets, all.packets + 2);
		assert_int_equal(filter_rule(*state, hook, "all").bytes,
				 all.bytes + tcp.length + udp.length);
		assert_int_equal(filter_rule(*state, hook, "of-tcp").packets, 1);
		assert_int_equal(filter_rule(*state, hook, "rest").packets, 1);
	}
}

static void malformed_is_dropped_and_named(void **state)
{
	struct frame frame = frame_named("tcp_header_length_16");

	filter_apply(*state, "ingress default pass {\n}\negress default pass {\n}\n");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		enum fw_reason reason = FW_REASON_TCP_HEADER_LENGTH;
		struct fw_counter before = filter_reason(*state, hook, reason);
		struct hook_total total = filter_hook(*state, hook);

		assert_int_equal(filter_run(*state, hook, &frame), DROP);
		assert_int_equal(filter_reason(*state, hook, reason).packets, before.packets + 1);
		assert_int_equal(filter_reason(*state, hook, reason).bytes,
				 before.bytes + frame.length);
		assert_int_equal(filter_hook(*state, hook).drop.packets, total.drop.packets + 1);
	}
}

static void malformed_may_pass_and_is_still_named(void **state)
{
	struct frame frame = frame_named("udp_truncated");

	filter_apply(*state, "option malformed pass\n"
			     "ingress default drop {\n}\negress default drop {\n}\n");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		struct hook_total total = filter_hook(*state, hook);
		uint64_t before = filter_reason(*state, hook, FW_REASON_UDP_TRUNCATED).packets;

		assert_int_equal(filter_run(*state, hook, &frame), PASS);
		assert_int_equal(filter_reason(*state, hook, FW_REASON_UDP_TRUNCATED).packets,
				 before + 1);
		assert_int_equal(filter_hook(*state, hook).pass.packets, total.pass.packets + 1);
	}
}

/* An image that is not one (or of another format) decides nothing: the fail policy does. */
static void damaged_image_leaves_it_to_the_fail_policy(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	for (int drop = 0; drop < 2; drop++) {
		filter_apply(*state,
			     drop ? "option fail-policy drop\n" : "option fail-policy pass\n");
		filter_damage(*state);
		for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
			uint64_t before = filter_reason(*state, hook, FW_REASON_NO_IMAGE).packets;

			assert_int_equal(filter_run(*state, hook, &frame), drop ? DROP : PASS);
			assert_int_equal(filter_reason(*state, hook, FW_REASON_NO_IMAGE).packets,
					 before + 1);
		}
	}
}

/* A data plane of its own: nothing was ever applied to it. */
static void without_generation_packets_pass_and_are_named(void **state)
{
	struct frame frame = frame_named("tcp_syn");
	void *fresh;

	(void)state;
	filter_setup(&fresh);
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		assert_int_equal(filter_run(fresh, hook, &frame), PASS);
		assert_int_equal(filter_reason(fresh, hook, FW_REASON_NO_GENERATION).packets, 1);
		assert_int_equal(filter_hook(fresh, hook).pass.packets, 1);
	}
	filter_teardown(&fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_is_decided_on_both_hooks),
		cmocka_unit_test(hooks_have_rules_of_their_own),
		cmocka_unit_test(hook_without_block_passes),
		cmocka_unit_test(default_may_pass),
		cmocka_unit_test(count_counts_and_goes_on),
		cmocka_unit_test(malformed_is_dropped_and_named),
		cmocka_unit_test(malformed_may_pass_and_is_still_named),
		cmocka_unit_test(damaged_image_leaves_it_to_the_fail_policy),
		cmocka_unit_test(without_generation_packets_pass_and_are_named),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
