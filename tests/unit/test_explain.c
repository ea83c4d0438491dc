/* SPDX-License-Identifier: GPL-2.0-only */
/* What `fwctl explain` prints, and that its JSON keeps its keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/explain.h"
#include "language/language.h"

static const char rules[] = "option essential off\n"
			    "set list { 203.0.113.0/24 }\n"
			    "ingress default drop {\n"
			    "    drop from @list label listed\n"
			    "    count tcp\n"
			    "    drop tcp limit 10/s label flood\n"
			    "    pass inet6 icmp6 type echo-request label ping\n"
			    "    pass tcp to port { 80, 443 }\n"
			    "    pass tcp to port 25 syncookie label mail\n"
			    "}\n";

struct fixture {
	struct ruleset *ruleset;
	struct explanation explanation;
};

static struct fixture explained(const char *packet)
{
	const struct source_file file = { "fw.conf", rules, sizeof(rules) - 1 };
	const struct file_reader reader = file_reader_memory(&file, 1);
	struct fixture fixture = { .explanation = { .number = 3 } };
	_cleanup_buffer_ struct buffer error = { 0 };
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	assert_int_equal(ruleset_parse_text(&file, &reader, &diagnostics, &fixture.ruleset), 0);
	diagnostics_free(&diagnostics);
	if (packet)
		assert_int_equal(packet_text_parse(packet, &fixture.explanation.met, &error), 0);
	else
		fixture.explanation.reason = FW_REASON_IPV4_TRUNCATED;
	explain(fixture.ruleset, &fixture.explanation);
	return fixture;
}

static void assert_text(const char *packet, const struct explain_options *options,
			const char *wanted)
{
	struct fixture fixture = explained(packet);
	_cleanup_buffer_ struct buffer text = { 0 };

	explanation_print(fixture.ruleset, &fixture.explanation, options, &text);
	assert_string_equal(buffer_text(&text), wanted);
	ruleset_free(&fixture.ruleset);
}

static void assert_json(const char *packet, const struct explain_options *options,
			const char *wanted)
{
	struct fixture fixture = explained(packet);
	json_t *object = explanation_json(fixture.ruleset, &fixture.explanation, options);
	char *text = json_dumps(object, JSON_COMPACT);

	assert_string_equal(text, wanted);
	free(text);
	json_decref(object);
	ruleset_free(&fixture.ruleset);
}

static void names_the_rule_and_its_place(void **state)
{
	const struct explain_options plain = { 0 }, numbered = { .numbered = true };

	(void)state;
	assert_text("in eth0 udp 203.0.113.5:1 > 198.51.100.1:2", &plain,
		    "in eth0 udp 203.0.113.5:1 > 198.51.100.1:2\n"
		    "    drop: fw.conf:4: drop from @list label listed\n");
	assert_text("in tcp 192.0.2.1:1 > 198.51.100.1:80", &numbered,
		    "3: in tcp 192.0.2.1:1 > 198.51.100.1:80 flags S\n"
		    "    pass: fw.conf:8: pass tcp to port { 80, 443 }\n"
		    "    counted by fw.conf:5: count tcp\n");
}

static void says_that_a_syn_may_be_answered_with_a_cookie(void **state)
{
	const struct explain_options plain = { 0 };

	(void)state;
	assert_text("in tcp 192.0.2.1:1 > 198.51.100.1:25", &plain,
		    "in tcp 192.0.2.1:1 > 198.51.100.1:25 flags S\n"
		    "    pass: fw.conf:9: pass tcp to port 25 syncookie label mail\n"
		    "    counted by fw.conf:5: count tcp\n"
		    "    in a flood of such packets it is answered with a SYN cookie\n");
	assert_text("in tcp 192.0.2.1:1 > 198.51.100.1:25 flags A", &plain,
		    "in tcp 192.0.2.1:1 > 198.51.100.1:25 flags A\n"
		    "    pass: fw.conf:9: pass tcp to port 25 syncookie label mail\n"
		    "    counted by fw.conf:5: count tcp\n");
}

static void names_what_decides_without_a_rule(void **state)
{
	const struct explain_options plain = { 0 };

	(void)state;
	assert_text("in eth0 arp", &plain,
		    "in eth0 arp\n    drop: fw.conf:3: ingress default drop\n");
	assert_text("out eth0 arp", &plain, "out eth0 arp\n    pass: there is no egress block\n");
	assert_text(NULL, &plain,
		    "in ethertype 0x0000 vlan 0 layer3\n"
		    "    drop: malformed, ipv4-truncated: the frame ends within the IPv4 header\n");
}

static void tells_why_each_rule_before_did_not_decide(void **state)
{
	const struct explain_options why = { .why = true };

	(void)state;
	assert_text("in eth0 tcp 192.0.2.1:1 > 198.51.100.1:80", &why,
		    "in eth0 tcp 192.0.2.1:1 > 198.51.100.1:80 flags S\n"
		    "    pass: fw.conf:8: pass tcp to port { 80, 443 }\n"
		    "    counted by fw.conf:5: count tcp\n"
		    "    before that:\n"
		    "        fw.conf:4: drop from @list label listed\n"
		    "            from @list, but the packet has 192.0.2.1\n"
		    "        fw.conf:5: count tcp\n"
		    "            counts and goes on\n"
		    "        fw.conf:6: drop tcp limit 10/s label flood\n"
		    "            drops only what is over its limit\n"
		    "        fw.conf:7: pass inet6 icmp6 type echo-request label ping\n"
		    "            inet6, but the packet has an IPv4 header\n");
	assert_text("in icmp6 2001:db8::1 > 2001:db8::2 type nd-redirect", &why,
		    "in icmp6 2001:db8::1 > 2001:db8::2 type nd-redirect\n"
		    "    drop: fw.conf:3: ingress default drop\n"
		    "    before that:\n"
		    "        fw.conf:4: drop from @list label listed\n"
		    "            from @list, but the packet has 2001:db8::1\n"
		    "        fw.conf:5: count tcp\n"
		    "            tcp, but the packet has icmp6\n"
		    "        fw.conf:6: drop tcp limit 10/s label flood\n"
		    "            tcp, but the packet has icmp6\n"
		    "        fw.conf:7: pass inet6 icmp6 type echo-request label ping\n"
		    "            icmp6 type echo-request, but the packet has nd-redirect\n"
		    "        fw.conf:8: pass tcp to port { 80, 443 }\n"
		    "            tcp, but the packet has icmp6\n"
		    "        fw.conf:9: pass tcp to port 25 syncookie label mail\n"
		    "            tcp, but the packet has icmp6\n");
}

static void the_object_has_the_promised_keys(void **state)
{
	const struct explain_options plain = { 0 }, why = { .why = true };

	(void)state;
	assert_json(
		"in eth0 udp 203.0.113.5:1 > 198.51.100.1:2", &plain,
		"{\"packet\":3,\"hook\":\"ingress\",\"verdict\":\"drop\",\"rule\":\"listed\","
		"\"file\":\"fw.conf\",\"line\":4,\"reason\":null,\"interface\":\"eth0\",\"note\":null,"
		"\"text\":\"in eth0 udp 203.0.113.5:1 > 198.51.100.1:2\",\"action\":\"drop\","
		"\"counted\":[],\"recorded\":false,\"syncookie\":false}");
	assert_json(
		"out arp", &plain,
		"{\"packet\":3,\"hook\":\"egress\",\"verdict\":\"pass\",\"rule\":\"default\","
		"\"file\":null,\"line\":null,\"reason\":null,\"interface\":null,\"note\":null,"
		"\"text\":\"out arp\",\"action\":\"pass\",\"counted\":[],\"recorded\":false,\"syncookie\":false}");
	assert_json(
		NULL, &plain,
		"{\"packet\":3,\"hook\":\"ingress\",\"verdict\":\"drop\",\"rule\":null,"
		"\"file\":null,\"line\":null,\"reason\":\"ipv4-truncated\",\"interface\":null,\"note\":null,"
		"\"text\":\"in ethertype 0x0000 vlan 0 layer3\",\"action\":\"drop\","
		"\"counted\":[],\"recorded\":false,\"syncookie\":false}");
	assert_json(
		"in tcp 203.0.113.5:1 > 198.51.100.1:80", &why,
		"{\"packet\":3,\"hook\":\"ingress\",\"verdict\":\"drop\",\"rule\":\"listed\","
		"\"file\":\"fw.conf\",\"line\":4,\"reason\":null,\"interface\":null,\"note\":null,"
		"\"text\":\"in tcp 203.0.113.5:1 > 198.51.100.1:80 flags S\","
		"\"action\":\"drop\",\"counted\":[],\"recorded\":false,\"syncookie\":false,\"why\":[]}");
	assert_json(
		"in tcp 192.0.2.1:1 > 198.51.100.1:80", &why,
		"{\"packet\":3,\"hook\":\"ingress\",\"verdict\":\"pass\","
		"\"rule\":\"pass tcp to port { 80, 443 }\","
		"\"file\":\"fw.conf\",\"line\":8,\"reason\":null,\"interface\":null,\"note\":null,"
		"\"text\":\"in tcp 192.0.2.1:1 > 198.51.100.1:80 flags S\","
		"\"action\":\"pass\",\"counted\":[\"count tcp\"],\"recorded\":false,\"syncookie\":false,\"why\":["
		"{\"rule\":\"listed\",\"file\":\"fw.conf\",\"line\":4,"
		"\"match\":\"from @list\",\"packet\":\"192.0.2.1\"},"
		"{\"rule\":\"count tcp\",\"file\":\"fw.conf\",\"line\":5,"
		"\"match\":null,\"packet\":null},"
		"{\"rule\":\"flood\",\"file\":\"fw.conf\",\"line\":6,"
		"\"match\":null,\"packet\":null},"
		"{\"rule\":\"ping\",\"file\":\"fw.conf\",\"line\":7,"
		"\"match\":\"inet6\",\"packet\":\"an IPv4 header\"}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_rule_and_its_place),
		cmocka_unit_test(says_that_a_syn_may_be_answered_with_a_cookie),
		cmocka_unit_test(names_what_decides_without_a_rule),
		cmocka_unit_test(tells_why_each_rule_before_did_not_decide),
		cmocka_unit_test(the_object_has_the_promised_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
