/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One rule: an action, matches in any order but each once, then modifiers. What the matches say
 * about the packet's family is drawn together here.
 */
#include <errno.h>
#include <string.h>

#include "language/parser.h"

#define PROTOCOL_ICMP  1
#define PROTOCOL_ICMP6 58

/* The matches of the rule that is being parsed, by kind. */
struct slots {
	struct match matches[MATCH_KINDS];
	uint32_t present; /* 1 << kind */
};

static bool has_slot(const struct slots *slots, enum match_kind kind)
{
	return slots->present >> kind & 1;
}

/* Our words, and those that other firewalls have for them. */
static const struct name_value foreign_actions[] = {
	{ "accept", FW_PASS }, { "allow", FW_PASS },  { "block", FW_DROP },
	{ "count", FW_COUNT }, { "deny", FW_DROP },   { "drop", FW_DROP },
	{ "pass", FW_PASS },   { "permit", FW_PASS }, { "reject", FW_REJECT },
};

static const struct name_list foreign_list = {
	.items = foreign_actions,
	.count = sizeof(foreign_actions) / sizeof(foreign_actions[0]),
};

static const struct name_value own_actions[] = {
	{ "count", FW_COUNT },
	{ "drop", FW_DROP },
	{ "pass", FW_PASS },
	{ "reject", FW_REJECT },
};

static const struct name_list action_list = {
	.items = own_actions,
	.count = sizeof(own_actions) / sizeof(own_actions[0]),
};

static int parse_action(struct parser *parser, enum fw_action *ret_action)
{
	const struct token *token = &parser->token;
	const char *nearest, *hint = NULL;
	bool found = false;
	uint32_t value;

	if (token->kind == TOKEN_WORD) {
		if (name_find(&action_list, token->text, token->length, &value)) {
			*ret_action = (enum fw_action)value;
			parser_advance(parser);
			return 0;
		}
		nearest = name_nearest(&foreign_list, token->text, token->length);
		if (nearest)
			found = name_find(&foreign_list, nearest, strlen(nearest), &value);
		else
			found = name_find(&foreign_list, token->text, token->length, &value);
	}
	if (found)
		hint = diagnostics_hint(parser->diagnostics, "did you mean '%s'?",
					action_name((enum fw_action)value));
	return parser_expected(parser, "pass, drop, reject or count", hint);
}

/* The slot of a kind; NULL and a message if it is taken. `at` is that of the keyword. */
static struct match *take_slot(struct parser *parser, struct slots *slots, enum match_kind kind,
			       const struct token *token)
{
	struct match *match = &slots->matches[kind];

	const char *hint = kind == MATCH_PROTOCOL
				   ? "several protocols are written proto { tcp, udp }"
			   : kind == MATCH_FAMILY ? "a rule without inet and inet6 is for both"
						  : "several values are written { ..., ... }";

	if (has_slot(slots, kind)) {
		parser_error(parser, &token->at, hint,
			     "%s is the second match of its kind in this rule",
			     token_show(parser, token));
		return NULL;
	}
	slots->present |= 1U << kind;
	*match = (struct match){ .kind = kind, .at = token->at };
	return match;
}

/* A match that is a keyword and a list. The keyword is the token that is looked at. */
static int parse_listed(struct parser *parser, struct slots *slots, enum match_kind kind,
			bool icmp6)
{
	const struct token keyword = parser->token;
	struct match *match = take_slot(parser, slots, kind, &keyword);

	if (!match)
		return -EINVAL;
	parser_advance(parser);
	return parse_list(parser, match, icmp6);
}

/* `not port PORTS`: another way to write `port not PORTS`. */
static int parse_not_ports(struct parser *parser, struct slots *slots, enum match_kind kind)
{
	const struct token keyword = parser->token;
	struct match *match = take_slot(parser, slots, kind, &keyword);

	if (!match)
		return -EINVAL;
	match->negated = true;
	parser_advance(parser);
	parser_advance(parser);
	if (parser_at_keyword(parser, KEYWORD_NOT))
		return parser_expected(parser, "a port", "one 'not' is enough");
	return parse_list(parser, match, false);
}

static bool at_not_port(struct parser *parser)
{
	struct lexer ahead = parser->lexer;
	struct token next;

	if (!parser_at_keyword(parser, KEYWORD_NOT))
		return false;
	lexer_next(&ahead, &next);
	return token_is(&next, "port");
}

/* from ADDRS [port PORTS] | from [not] port PORTS, and the same with to. */
static int parse_side(struct parser *parser, struct slots *slots, bool source)
{
	enum match_kind addresses = source ? MATCH_SOURCE : MATCH_DESTINATION;
	enum match_kind ports = source ? MATCH_SOURCE_PORT : MATCH_DESTINATION_PORT;
	const struct token keyword = parser->token;
	struct match *match;
	int err;

	parser_advance(parser);
	if (at_not_port(parser))
		return parse_not_ports(parser, slots, ports);
	if (!parser_at_keyword(parser, KEYWORD_PORT)) {
		match = take_slot(parser, slots, addresses, &keyword);
		err = match ? parse_list(parser, match, false) : -EINVAL;
		if (err)
			return err;
	}
	if (!parser_at_keyword(parser, KEYWORD_PORT))
		return 0;
	return parse_listed(parser, slots, ports, false);
}

/* The rule's one protocol, or -1. */
static int single_protocol(const struct slots *slots)
{
	const struct match *match = &slots->matches[MATCH_PROTOCOL];

	if (!has_slot(slots, MATCH_PROTOCOL) || match->negated || match->ranges.count != 1 ||
	    match->ranges.items[0].low != match->ranges.items[0].high)
		return -1;
	return (int)match->ranges.items[0].low;
}

static int parse_icmp(struct parser *parser, struct slots *slots, enum keyword keyword)
{
	int protocol = single_protocol(slots);
	bool icmp6 = protocol == PROTOCOL_ICMP6;

	if (protocol != PROTOCOL_ICMP && !icmp6) {
		parser_error(parser, &parser->token.at, NULL, "%s stands only behind icmp or icmp6",
			     token_show(parser, &parser->token));
		return -EINVAL;
	}
	if (keyword == KEYWORD_TYPE)
		return parse_listed(parser, slots, MATCH_ICMP_TYPE, icmp6);
	if (!has_slot(slots, MATCH_ICMP_TYPE)) {
		parser_error(parser, &parser->token.at, NULL, "'code' stands only behind a type");
		return -EINVAL;
	}
	return parse_listed(parser, slots, MATCH_ICMP_CODE, icmp6);
}

/* A match that is one word. */
static int parse_plain(struct parser *parser, struct slots *slots, enum match_kind kind,
		       enum fw_family family)
{
	const struct token token = parser->token;
	struct match *match = take_slot(parser, slots, kind, &token);

	if (!match)
		return -EINVAL;
	if (kind == MATCH_FAMILY)
		match->family = family;
	parser_advance(parser);
	return 0;
}

/* Keywords of matches that are followed by a list. */
static bool listed_kind(enum keyword keyword, enum match_kind *ret_kind)
{
	switch (keyword) {
	case KEYWORD_ON:
		*ret_kind = MATCH_INTERFACE;
		return true;
	case KEYWORD_PROTO:
		*ret_kind = MATCH_PROTOCOL;
		return true;
	case KEYWORD_FLAGS:
		*ret_kind = MATCH_FLAGS;
		return true;
	case KEYWORD_STATE:
		*ret_kind = MATCH_STATE;
		return true;
	case KEYWORD_LENGTH:
		*ret_kind = MATCH_LENGTH;
		return true;
	case KEYWORD_TTL:
		*ret_kind = MATCH_TTL;
		return true;
	case KEYWORD_DSCP:
		*ret_kind = MATCH_DSCP;
		return true;
	case KEYWORD_VLAN:
		*ret_kind = MATCH_VLAN;
		return true;
	case KEYWORD_ETHERTYPE:
		*ret_kind = MATCH_ETHERTYPE;
		return true;
	case KEYWORD_SMAC:
		*ret_kind = MATCH_SOURCE_MAC;
		return true;
	case KEYWORD_DMAC:
		*ret_kind = MATCH_DESTINATION_MAC;
		return true;
	default:
		return false;
	}
}

static bool is_action(enum keyword keyword)
{
	return keyword == KEYWORD_PASS || keyword == KEYWORD_DROP || keyword == KEYWORD_REJECT ||
	       keyword == KEYWORD_COUNT;
}

#define HINT_SECOND_ACTION "a rule has one action; the next rule stands on a line of its own"

/* Of a word that stands where a match should: what other firewalls write there, or a slip. */
/* Words of others, some of which /etc/protocols has as names of something else. */
static const struct {
	const char *word;
	const char *hint;
} foreign_matches[] = {
	{ "all", "a rule without matches is for every packet; 'from any' for every IP packet" },
	{ "ip",
	  "IPv4 packets are 'inet', IPv6 packets 'inet6'; a rule without either is for both" },
	{ "ipv4", "IPv4 packets are 'inet'" },
	{ "ip6", "IPv6 packets are 'inet6'" },
	{ "ipv6", "IPv6 packets are 'inet6'; IPv6 in IP is 'proto 41'" },
	{ "saddr", "source addresses stand behind 'from'" },
	{ "daddr", "destination addresses stand behind 'to'" },
	{ "sport", "source ports stand behind 'from port'" },
	{ "dport", "destination ports stand behind 'to port'" },
	{ "iif", "interfaces stand behind 'on'" },
	{ "iifname", "interfaces stand behind 'on'" },
	{ "ct", "states stand behind 'state': new, established, related" },
	{ "counter", "every rule counts; 'count' is the action that only does that" },
	{ "comment", "a rule's name stands behind 'label'; a comment begins with #" },
};

static const char *foreign_hint(const struct token *token)
{
	for (size_t i = 0; i < sizeof(foreign_matches) / sizeof(foreign_matches[0]); i++)
		if (token_is(token, foreign_matches[i].word))
			return foreign_matches[i].hint;
	return NULL;
}

static const char *match_hint(struct parser *parser, const struct token *token)
{
	enum keyword keyword = token_keyword(token);
	const char *nearest;
	struct element address;

	if (token_is_address(token, &address))
		return "addresses stand behind from or to";
	if (token->kind == TOKEN_COMMA)
		return "several values stand in braces: proto { tcp, udp }, port { 80, 443 }";
	if (token->kind != TOKEN_WORD)
		return NULL;
	if (keyword == KEYWORD_PORT)
		return "did you mean 'to port'? ports stand behind from or to";
	if (is_action(keyword))
		return HINT_SECOND_ACTION;
	if (keyword != KEYWORD_NONE)
		return NULL;
	if (foreign_hint(token))
		return foreign_hint(token);
	nearest = keyword_nearest(token->text, token->length);
	if (!nearest)
		nearest = name_nearest(&names_protocols, token->text, token->length);
	return nearest ? diagnostics_hint(parser->diagnostics, "did you mean '%s'?", nearest)
		       : NULL;
}

/* Those that the language knows itself are nothing else; of others it has to be asked. */
static bool token_is_protocol(struct parser *parser, const struct token *token)
{
	struct element address;
	uint32_t number;

	if (token->kind != TOKEN_WORD)
		return false;
	if (name_find(&names_protocols, token->text, token->length, &number))
		return true;
	return !token_is_address(token, &address) && !foreign_hint(token) &&
	       protocol_is_known(parser, token);
}

/* A protocol without the word proto: tcp, igmp, 89. */
static int parse_protocol(struct parser *parser, struct slots *slots)
{
	const struct token token = parser->token;
	struct match *match;

	if (!token_is_protocol(parser, &token))
		return parser_expected(parser, "a match or a modifier", match_hint(parser, &token));
	match = take_slot(parser, slots, MATCH_PROTOCOL, &token);
	return match ? parse_list(parser, match, false) : -EINVAL;
}

static int parse_match(struct parser *parser, struct slots *slots)
{
	enum keyword keyword = token_keyword(&parser->token);
	enum match_kind kind;
	int err;

	if (listed_kind(keyword, &kind)) {
		err = parse_listed(parser, slots, kind, false);
		if (!err && kind == MATCH_FLAGS && slots->matches[kind].written.count > 1)
			parser_error(parser, &slots->matches[kind].at, NULL,
				     "flags take one SET/MASK");
		return err;
	}
	switch (keyword) {
	case KEYWORD_INET:
		return parse_plain(parser, slots, MATCH_FAMILY, FW_INET);
	case KEYWORD_INET6:
		return parse_plain(parser, slots, MATCH_FAMILY, FW_INET6);
	case KEYWORD_FRAGMENT:
		return parse_plain(parser, slots, MATCH_FRAGMENT, FW_OTHER);
	case KEYWORD_FROM:
	case KEYWORD_TO:
		return parse_side(parser, slots, keyword == KEYWORD_FROM);
	case KEYWORD_TYPE:
	case KEYWORD_CODE:
		return parse_icmp(parser, slots, keyword);
	default:
		return parse_protocol(parser, slots);
	}
}

/* Families of the addresses that are written out; a set may hold both. */
static uint8_t address_families(const struct address_list *addresses)
{
	uint8_t families = 0;

	if (addresses->any || addresses->set_count)
		return FAMILY_IP;
	if (addresses->ranges.inet_count)
		families |= FAMILY_BIT(FW_INET);
	if (addresses->ranges.inet6_count)
		families |= FAMILY_BIT(FW_INET6);
	return families;
}

static uint8_t match_families(const struct match *match, int protocol)
{
	switch (match->kind) {
	case MATCH_INTERFACE:
	case MATCH_VLAN:
	case MATCH_ETHERTYPE:
	case MATCH_SOURCE_MAC:
	case MATCH_DESTINATION_MAC:
		return FAMILY_ANY;
	case MATCH_FAMILY:
		return FAMILY_BIT(match->family);
	case MATCH_SOURCE:
	case MATCH_DESTINATION:
		return address_families(&match->addresses);
	case MATCH_ICMP_TYPE:
	case MATCH_ICMP_CODE:
		return FAMILY_BIT(protocol == PROTOCOL_ICMP6 ? FW_INET6 : FW_INET);
	default:
		return FAMILY_IP;
	}
}

static void rule_take_slots(struct parser *parser, const struct slots *slots, struct rule *rule)
{
	size_t count = (size_t)__builtin_popcount(slots->present);
	struct match *matches = arena_alloc(parser->arena, count * sizeof(*matches));
	int protocol = single_protocol(slots);

	rule->families = FAMILY_ANY;
	rule->matches = matches;
	for (uint32_t left = slots->present; left; left &= left - 1) {
		const struct match *match = &slots->matches[__builtin_ctz(left)];

		matches[rule->match_count++] = *match;
		rule->families &= match_families(match, protocol);
	}
}

/* `start` is where the rule stands in the file; what was printed before needs no printing. */
static const char *canonical_text(struct parser *parser, const struct rule *rule, const char *start)
{
	if (parser->canonical && !parser->builtin && parser->taken.line == rule->at.line)
		return arena_strndup(parser->arena, start, rule->at.length);
	buffer_clear(&parser->text);
	rule_print(rule, &parser->text);
	return arena_strndup(parser->arena, parser->text.text, parser->text.length);
}

int parse_rule(struct parser *parser, enum fw_hook hook, struct rule *ret_rule)
{
	struct rule rule = { .at = parser->token.at, .builtin = parser->builtin };
	const char *start = parser->token.text;
	struct slots slots;
	bool modified = false;
	int err;

	slots.present = 0;
	slots.matches[MATCH_PROTOCOL] = (struct match){ 0 };
	err = parse_action(parser, &rule.action);
	while (!err && parser->token.kind != TOKEN_NEWLINE && parser->token.kind != TOKEN_CLOSE &&
	       parser->token.kind != TOKEN_END) {
		enum keyword keyword = token_keyword(&parser->token);

		if (keyword_is_modifier(keyword)) {
			modified = true;
			err = parse_modifier(parser, keyword, &rule);
		} else if (modified && keyword != KEYWORD_NONE) {
			err = parser_expected(
				parser, "a modifier or the end of the rule",
				is_action(keyword)
					? HINT_SECOND_ACTION
					: "matches stand before label, log, limit, keep state "
					  "and syncookie");
		} else if (modified) {
			err = parser_expected(parser, "a modifier or the end of the rule", NULL);
		} else {
			err = parse_match(parser, &slots);
		}
	}
	if (err)
		return err;
	rule.at = location_join(&rule.at, &parser->taken);
	rule_take_slots(parser, &slots, &rule);
	rule_check(parser, hook, &rule);
	rule.text = canonical_text(parser, &rule, start);
	*ret_rule = rule;
	return 0;
}
