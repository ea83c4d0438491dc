/* SPDX-License-Identifier: GPL-2.0-only */
/* One word as a port, a protocol, a type, ... : numbers, names and ranges of them. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/number.h"
#include "language/parser.h"

struct value_type {
	const char *what;  /* "a port" */
	const char *these; /* "ports" */
	uint64_t low;
	uint64_t high;
	enum number_form form;
};

static const struct value_type value_types[MATCH_KINDS] = {
	[MATCH_INTERFACE] = { .what = "an interface" },
	[MATCH_PROTOCOL] = { "a protocol", "protocols", 0, 255, NUMBER_DECIMAL },
	[MATCH_SOURCE] = { .what = "an address" },
	[MATCH_SOURCE_PORT] = { "a port", "ports", 0, 65535, NUMBER_DECIMAL },
	[MATCH_DESTINATION] = { .what = "an address" },
	[MATCH_DESTINATION_PORT] = { "a port", "ports", 0, 65535, NUMBER_DECIMAL },
	[MATCH_FLAGS] = { .what = "a set and mask of TCP flags" },
	[MATCH_ICMP_TYPE] = { "an ICMP type", "ICMP types", 0, 255, NUMBER_DECIMAL },
	[MATCH_ICMP_CODE] = { "an ICMP code", "ICMP codes", 0, 255, NUMBER_DECIMAL },
	[MATCH_STATE] = { .what = "a state", .high = UINT8_MAX },
	[MATCH_LENGTH] = { "a packet length", "packet lengths", 0, 65575, NUMBER_DECIMAL },
	[MATCH_TTL] = { "a TTL", "TTLs", 0, 255, NUMBER_DECIMAL },
	[MATCH_DSCP] = { "a DSCP value", "DSCP values", 0, 63, NUMBER_ANY },
	[MATCH_VLAN] = { "a VLAN ID", "VLAN IDs", 1, 4095, NUMBER_DECIMAL },
	[MATCH_ETHERTYPE] = { "an ethertype", "ethertypes", 0, 65535, NUMBER_ANY },
	[MATCH_SOURCE_MAC] = { .what = "a MAC address" },
	[MATCH_DESTINATION_MAC] = { .what = "a MAC address" },
};

const char *value_kind_name(enum match_kind kind)
{
	return value_types[kind].what;
}

/* A hint about where the value comes from wins over one about the value. */
static int value_error(struct parser *parser, const struct token *token, const char *what,
		       const char *hint)
{
	const struct define *through = parser->through;

	if (through)
		parser_error(parser, &token->at,
			     diagnostics_hint(parser->diagnostics, "$%s is defined at %s",
					      through->name, parser_place(parser, &through->at)),
			     "%s in $%s is not %s", token_show(parser, token), through->name, what);
	else
		parser_error(parser, &token->at, hint, "%s is not %s", token_show(parser, token),
			     what);
	return -EINVAL;
}

static const struct name_list *services(struct parser *parser)
{
	if (!parser->services_read)
		parser->services = names_read("/etc/services", parser->arena);
	parser->services_read = true;
	return &parser->services;
}

static const struct name_list *protocols(struct parser *parser)
{
	if (!parser->protocols_read)
		parser->protocols = names_read("/etc/protocols", parser->arena);
	parser->protocols_read = true;
	return &parser->protocols;
}

/* The names that values of a kind have, the second list being asked after the first; or NULL. */
static void kind_names(struct parser *parser, enum match_kind kind, bool icmp6,
		       const struct name_list *ret_lists[2])
{
	ret_lists[0] = ret_lists[1] = NULL;
	switch (kind) {
	case MATCH_PROTOCOL:
		ret_lists[0] = &names_protocols;
		ret_lists[1] = protocols(parser);
		break;
	case MATCH_SOURCE_PORT:
	case MATCH_DESTINATION_PORT:
		ret_lists[0] = services(parser);
		break;
	case MATCH_ICMP_TYPE:
		ret_lists[0] = icmp6 ? &names_icmp6_types : &names_icmp_types;
		break;
	case MATCH_ICMP_CODE:
		ret_lists[0] = icmp6 ? &names_icmp6_codes : &names_icmp_codes;
		break;
	case MATCH_DSCP:
		ret_lists[0] = &names_dscp;
		break;
	case MATCH_ETHERTYPE:
		ret_lists[0] = &names_ethertypes;
		break;
	case MATCH_STATE:
		ret_lists[0] = &names_states;
		break;
	default:
		break;
	}
}

static bool find_named(struct parser *parser, enum match_kind kind, bool icmp6,
		       const struct token *word, uint64_t *ret_value)
{
	const struct name_list *lists[2];
	uint32_t value;

	if (!word->length)
		return false;
	kind_names(parser, kind, icmp6, lists);
	for (int i = 0; i < 2; i++) {
		if (!lists[i] || !name_find(lists[i], word->text, word->length, &value) ||
		    value > value_types[kind].high)
			continue;
		*ret_value = value;
		return true;
	}
	return false;
}

/* 0, -EINVAL or -ERANGE, without a message. */
static int parse_single(struct parser *parser, enum match_kind kind, bool icmp6,
			const struct token *word, uint64_t *ret_value)
{
	const struct value_type *type = &value_types[kind];
	const uint64_t bounds[2] = { type->low, type->high };
	int err = -EINVAL;

	if (kind != MATCH_STATE)
		err = number_parse(word->text, word->length, type->form, bounds, ret_value);
	if (err == -EINVAL && find_named(parser, kind, icmp6, word, ret_value))
		return 0;
	return err;
}

static int range_error(struct parser *parser, enum match_kind kind, const struct token *token)
{
	const struct value_type *type = &value_types[kind];

	return value_error(parser, token, type->what,
			   diagnostics_hint(parser->diagnostics, "%s go from %llu to %llu",
					    type->these, (unsigned long long)type->low,
					    (unsigned long long)type->high));
}

static int unknown_error(struct parser *parser, enum match_kind kind, bool icmp6,
			 const struct token *token)
{
	const struct value_type *type = &value_types[kind];
	const struct name_list *lists[2];
	const char *hint = NULL, *nearest = NULL;

	kind_names(parser, kind, icmp6, lists);
	for (int i = 0; i < 2 && !nearest; i++)
		if (lists[i])
			nearest = name_nearest(lists[i], token->text, token->length);
	if (memchr(token->text, ':', token->length))
		hint = "a range is written LOW-HIGH";
	else if (kind == MATCH_STATE && !nearest)
		hint = "states are new, established and related";
	else if (nearest)
		hint = diagnostics_hint(parser->diagnostics, "did you mean '%s'?", nearest);
	else if (text_is_name(token->text, token->length) && lists[0] && !lists[0]->count)
		hint = "the system has no file of such names";
	return value_error(parser, token, type->what, hint);
}

/* LOW-HIGH, at whichever '-' has a value on both sides. */
static int parse_range(struct parser *parser, enum match_kind kind, bool icmp6,
		       const struct token *token, struct range *ret_range)
{
	const char *end = token->text + token->length;
	struct token first = *token, last = *token;
	bool out_of_range = false;
	struct range range = { 0 };

	for (const char *dash = token->text; dash < end; dash++) {
		int low, high;

		if (*dash != '-')
			continue;
		first.length = (uint32_t)(dash - token->text);
		last.text = dash + 1;
		last.length = (uint32_t)(end - dash - 1);
		low = parse_single(parser, kind, icmp6, &first, &range.low);
		high = parse_single(parser, kind, icmp6, &last, &range.high);
		if (!low && !high) {
			if (range.low > range.high)
				return value_error(parser, token,
						   "a range: it ends before it starts", NULL);
			*ret_range = range;
			return 0;
		}
		out_of_range |= low != -EINVAL && high != -EINVAL;
	}
	if (out_of_range)
		return range_error(parser, kind, token);
	return unknown_error(parser, kind, icmp6, token);
}

static int hex_pair(const char *text)
{
	static const uint64_t bounds[2] = { 0, 255 };
	char number[4] = { '0', 'x', text[0], text[1] };
	uint64_t value;

	return number_parse(number, sizeof(number), NUMBER_ANY, bounds, &value) ? -1 : (int)value;
}

#define MAC_TEXT_LENGTH 17

/* Six pairs of digits with colons; `text` has MAC_TEXT_LENGTH bytes. */
static bool parse_mac(const char *text, uint64_t *ret_mac)
{
	uint64_t mac = 0;

	for (int i = 0; i < 6; i++) {
		int byte = hex_pair(text + 3 * i);

		if (byte < 0 || (i < 5 && text[3 * i + 2] != ':'))
			return false;
		mac = mac << 8 | (unsigned)byte;
	}
	*ret_mac = mac;
	return true;
}

static int mac_of_token(struct parser *parser, const struct token *token,
			struct element *ret_element)
{
	static const char hint[] = "a MAC address is written 00:00:5e:00:53:01";
	struct range *range = &ret_element->range;

	ret_element->kind = ELEMENT_VALUE;
	if (token->length == MAC_TEXT_LENGTH && parse_mac(token->text, &range->low)) {
		range->high = range->low;
		return 0;
	}
	if (token->length != 2 * MAC_TEXT_LENGTH + 1 || token->text[MAC_TEXT_LENGTH] != '-' ||
	    !parse_mac(token->text, &range->low) ||
	    !parse_mac(token->text + MAC_TEXT_LENGTH + 1, &range->high))
		return value_error(parser, token, "a MAC address", hint);
	if (range->low > range->high)
		return value_error(parser, token, "a range: it ends before it starts", NULL);
	if (range->low < range->high)
		ret_element->kind = ELEMENT_RANGE;
	return 0;
}

/* Set and mask of flags, as in S/SA. */
static int flags_of_token(struct parser *parser, const struct token *token,
			  struct element *ret_element)
{
	const char *slash = memchr(token->text, '/', token->length);
	const char *end = token->text + token->length;
	uint8_t set, mask;

	ret_element->kind = ELEMENT_VALUE;
	if (!slash || !flags_parse(token->text, (size_t)(slash - token->text), &set) ||
	    !flags_parse(slash + 1, (size_t)(end - slash - 1), &mask) || !mask)
		return value_error(parser, token, "a set and mask of TCP flags",
				   "write SET/MASK with letters of FSRPAUEW: S/SA");
	if (set & ~mask)
		return value_error(parser, token, "a set within its mask",
				   "what stands before '/' stands behind it too");
	ret_element->range = (struct range){ .low = set, .high = mask };
	return 0;
}

int interface_of_token(struct parser *parser, const struct token *token, const char **ret_name)
{
	const char *name = arena_strndup(parser->arena, token->text, token->length);
	const char *hint = NULL;

	if (!token->length)
		hint = "it is empty";
	else if (token->kind == TOKEN_WORD && !text_is_name(token->text, token->length))
		hint = "what is not a plain name stands in quotes: \"wan*\"";
	else if (token_keyword(token) != KEYWORD_NONE)
		hint = "a keyword as a name stands in quotes";
	else if (!text_is_pattern(name) && token->length >= IFNAMSIZ)
		hint = "interface names have at most 15 bytes";
	if (hint)
		return value_error(parser, token, "an interface", hint);
	*ret_name = name;
	return 0;
}

bool text_is_pattern(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}

bool protocol_is_known(struct parser *parser, const struct token *token)
{
	uint64_t value;

	return parse_single(parser, MATCH_PROTOCOL, false, token, &value) != -EINVAL;
}

int number_of_token(struct parser *parser, const struct token *token, const char *what,
		    const uint64_t bounds[2], uint64_t *ret_value)
{
	int err = number_parse(token->text, token->length, NUMBER_DECIMAL, bounds, ret_value);

	if (!err)
		return 0;
	return value_error(parser, token, what,
			   err == -EINVAL ? NULL
					  : diagnostics_hint(parser->diagnostics,
							     "it goes from %llu to %llu",
							     (unsigned long long)bounds[0],
							     (unsigned long long)bounds[1]));
}

/* Of a range that ends there, all VLANs are meant. */
static void warn_reserved(struct parser *parser, enum match_kind kind,
			  const struct element *element)
{
	if (kind == MATCH_VLAN && element->range.low == 4095)
		parser_warn(parser, &element->at, "VLAN IDs of frames go from 1 to 4094",
			    "VLAN 4095 is reserved (IEEE 802.1Q): no frame should have it");
}

int value_of_token(struct parser *parser, enum match_kind kind, bool icmp6,
		   const struct token *token, struct element *ret_element)
{
	struct range *range = &ret_element->range;
	int err;

	*ret_element = (struct element){ .kind = ELEMENT_VALUE, .at = token->at };
	if (kind == MATCH_SOURCE || kind == MATCH_DESTINATION)
		return address_of_token(parser, token, ret_element);
	if (kind == MATCH_SOURCE_MAC || kind == MATCH_DESTINATION_MAC)
		return mac_of_token(parser, token, ret_element);
	if (kind == MATCH_FLAGS)
		return flags_of_token(parser, token, ret_element);
	if (kind == MATCH_INTERFACE) {
		ret_element->kind = ELEMENT_NAME;
		return interface_of_token(parser, token, &ret_element->name);
	}
	err = parse_single(parser, kind, icmp6, token, &range->low);
	range->high = range->low;
	if (!err) {
		warn_reserved(parser, kind, ret_element);
		return 0;
	}
	if (err == -ERANGE)
		return range_error(parser, kind, token);
	if (kind == MATCH_STATE || !memchr(token->text, '-', token->length))
		return unknown_error(parser, kind, icmp6, token);
	err = parse_range(parser, kind, icmp6, token, range);
	if (!err && range->low < range->high)
		ret_element->kind = ELEMENT_RANGE;
	return err;
}
