// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every named packet through the real programs: a malformed one ends with its reason, any other
 * with the rule that the reference evaluator names.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "analysis/evaluate.h"
#include "packets.h"
#include "prog_run.h"

#define PACKETS (sizeof(named_packets) / sizeof(named_packets[0]))

/*
 * The kernel's test runs refuse frames shorter than an Ethernet header, and on TC also those that
 * end within the IP header: tests/unit/test_packet.c has them all.
 */
static bool is_refused(const struct named_packet *packet, enum fw_hook hook)
{
	return packet->length < 14 ||
	       (hook == FW_EGRESS && (packet->reason == FW_REASON_IPV4_TRUNCATED ||
				      packet->reason == FW_REASON_IPV6_TRUNCATED));
}

static const char block[] = "drop  fragment                                  label is-fragments\n"
			    "pass  tcp flags S/SA to port 22                 label is-syn\n"
			    "pass  tcp from 192.0.2.0/28                     label is-tcp\n"
			    "pass  tcp from 2001:db8::/48                    label is-tcp6\n"
			    "drop  udp to port 53                            label is-dns\n"
			    "pass  icmp type echo-request                    label is-ping\n"
			    "pass  icmp6 type { 128, 129 }                   label is-ping6\n"
			    "drop  vlan 5                                    label is-vlan\n"
			    "pass  ttl 1-10                                  label is-near\n"
			    "drop  proto { 47, 50, 51 }                      label is-tunnels\n"
			    "pass  to port 1-65535                           label is-ports\n"
			    "drop  ethertype 0x88cc                          label is-lldp\n"
			    "pass  dmac 00:00:5e:00:53:02                    label to-us\n";

static void each_packet_gets_its_reason(void **state)
{
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		for (size_t i = 0; i < PACKETS; i++) {
			const struct named_packet *packet = &named_packets[i];
			const struct frame frame = { packet->bytes, packet->length };
			struct fw_counter before, after;

			if (packet->reason == FW_OK || is_refused(packet, hook))
				continue;
			before = filter_reason(*state, hook, packet->reason);
			if (filter_run(*state, hook, &frame) != FW_VERDICT_DROP)
				fail_msg("%s passed", packet->name);
			after = filter_reason(*state, hook, packet->reason);
			if (after.packets != before.packets + 1 ||
			    after.bytes != before.bytes + frame.length)
				fail_msg("%s was not counted as %s", packet->name,
					 fw_reason_name(packet->reason));
		}
	}
}

static void each_packet_gets_the_rule_that_the_reference_names(void **state)
{
	const struct filter *filter = *state;

	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		for (size_t i = 0; i < PACKETS; i++) {
			const struct named_packet *packet = &named_packets[i];
			const struct block *rules = &filter->ruleset->blocks[hook];
			const struct frame frame = { packet->bytes, packet->length };
			struct evaluation expected;
			const char *identity = "default";

			if (packet->reason != FW_OK || is_refused(packet, hook))
				continue;
			evaluate(filter->ruleset, hook, &packet->packet, NULL, &expected);
			if (expected.rule != EVALUATE_DEFAULT)
				identity = rule_identity(&rules->rules[expected.rule]);
			print_message("%s: %s\n", packet->name, identity);
			assert_decides(*state, hook, &frame,
				       expected.action == FW_PASS ? FW_VERDICT_PASS
								  : FW_VERDICT_DROP,
				       identity);
		}
	}
}

static int setup(void **state)
{
	char text[4096];

	filter_setup(state);
	snprintf(text, sizeof(text),
		 "option essential off\n"
		 "ingress default drop {\n%s}\negress default pass {\n%s}\n",
		 block, block);
	filter_apply(*state, text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packet_gets_its_reason),
		cmocka_unit_test(each_packet_gets_the_rule_that_the_reference_names),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, setup, filter_teardown);
}
