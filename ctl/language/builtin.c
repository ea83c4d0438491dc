/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a host cannot live without: rules that `option essential on` puts ahead of a block whose
 * default is drop. They are text, parsed like any other, listed, counted and labelled.
 */
#include "language/parser.h"

/*
 * Neighbour discovery comes with a hop limit of 255, or has been forwarded (RFC 4861), queries of
 * multicast routers with 1 (RFC 3810).
 */
static const char *const ingress_rules[] = {
	"pass ethertype arp label builtin:arp",
	"pass icmp6 type 133-136 ttl 255 label builtin:nd",
	"pass icmp type destination-unreachable code frag-needed label builtin:pmtu",
	"pass icmp6 type packet-too-big label builtin:pmtu6",
	"pass icmp6 type mld-listener-query ttl 1 label builtin:mld",
	"pass inet udp from port 67 to port 68 label builtin:dhcp",
	"pass inet6 udp from port 547 to port 546 label builtin:dhcp6",
	NULL,
};

/*
 * Reports to multicast routers and switches keep the groups of neighbour discovery alive: who does
 * not answer their queries is forgotten, and its neighbours find it no more.
 */
static const char *const egress_rules[] = {
	"pass ethertype arp label builtin:arp",
	"pass icmp6 type 133-136 ttl 255 label builtin:nd",
	"pass icmp type destination-unreachable code frag-needed label builtin:pmtu",
	"pass icmp6 type packet-too-big label builtin:pmtu6",
	"pass icmp6 type { 131, 132, 143 } label builtin:mld",
	"pass inet udp from port 68 to port 67 label builtin:dhcp",
	"pass inet6 udp from port 546 to port 547 label builtin:dhcp6",
	NULL,
};

void builtin_rules(struct parser *parser, enum fw_hook hook, struct vector *ret_rules)
{
	const char *const *texts = hook == FW_INGRESS ? ingress_rules : egress_rules;

	parser->builtin = true;
	for (; *texts; texts++) {
		const struct source_file file = {
			.path = "<built-in>",
			.text = *texts,
			.length = strlen(*texts),
		};
		struct rule rule;

		lexer_init(&parser->lexer, file.text, file.length, parser_add_file(parser, &file));
		parser_advance(parser);
		if (!parse_rule(parser, hook, &rule))
			*(struct rule *)vector_add(ret_rules, sizeof(rule)) = rule;
	}
	parser->builtin = false;
}
