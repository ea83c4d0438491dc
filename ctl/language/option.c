/* SPDX-License-Identifier: GPL-2.0-only */
/* The statements about the whole: interface and option. */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "language/parser.h"

static void add_interface(struct parser *parser, const char *name, const struct location *at,
			  const char *define)
{
	struct interface *interfaces = parser->interfaces.items, *interface;

	for (size_t i = 0; i < parser->interfaces.count; i++)
		if (!strcmp(interfaces[i].pattern, name)) {
			parser_warn(parser, at,
				    diagnostics_hint(parser->diagnostics, "the first is at %s",
						     parser_place(parser, &interfaces[i].at)),
				    "interface %s is named twice", name);
			break;
		}
	interface = vector_add(&parser->interfaces, sizeof(*interface));
	interface->pattern = name;
	interface->is_pattern = text_is_pattern(name);
	interface->at = *at;
	interface->define = define;
	interface->order = parser->statements;
}

static void add_defined(struct parser *parser, const struct token *use)
{
	const struct define *define = parser_find_define(parser, use);
	const char *name;

	parser->through = define;
	for (size_t i = 0; define && i < define->token_count; i++) {
		struct token token = define->tokens[i];

		token.at = use->at;
		if (interface_of_token(parser, &token, &name))
			break;
		add_interface(parser, name, &use->at, define->name);
	}
	parser->through = NULL;
}

static int one_interface(struct parser *parser)
{
	const struct token *token = &parser->token;
	const char *name;

	if (token->kind == TOKEN_DEFINE) {
		add_defined(parser, token);
	} else if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING) {
		return parser_expected(parser, "an interface", NULL);
	} else if (!interface_of_token(parser, token, &name)) {
		add_interface(parser, name, &token->at, NULL);
	}
	parser_advance(parser);
	return 0;
}

static int interface_mode(struct parser *parser, enum attach_mode *ret_mode)
{
	if (token_is(&parser->token, "auto"))
		*ret_mode = ATTACH_AUTO;
	else if (token_is(&parser->token, "native"))
		*ret_mode = ATTACH_NATIVE;
	else if (token_is(&parser->token, "generic"))
		*ret_mode = ATTACH_GENERIC;
	else
		return parser_expected(parser, "auto, native or generic", NULL);
	parser_advance(parser);
	return 0;
}

int parse_interface(struct parser *parser)
{
	size_t first = parser->interfaces.count;
	enum attach_mode mode = ATTACH_AUTO;
	struct interface *interfaces;
	int err;

	err = one_interface(parser);
	while (!err && parser->token.kind == TOKEN_COMMA) {
		parser_advance(parser);
		err = one_interface(parser);
	}
	if (!err && parser_take_keyword(parser, KEYWORD_MODE))
		err = interface_mode(parser, &mode);
	else if (!err && (parser->token.kind == TOKEN_WORD || parser->token.kind == TOKEN_STRING))
		err = parser_expected(parser, "',', mode or the end of the line",
				      "interfaces have commas between them: eth0, eth1");
	interfaces = parser->interfaces.items;
	for (size_t i = first; i < parser->interfaces.count; i++)
		interfaces[i].mode = mode;
	return err;
}

int parse_duration(struct parser *parser, uint64_t *ret_seconds, const char **ret_text)
{
	char text[DURATION_TEXT_MAX];
	const char *define;
	struct token token;
	uint64_t seconds;
	int err;

	err = parser_scalar(parser, "a duration", "1s", &token, &define);
	if (err)
		return err;
	err = duration_parse(token.text, token.length, &seconds);
	if (err || !seconds) {
		parser_error(parser, &token.at,
			     err == -ERANGE ? "at most 68 years"
			     : !err	    ? "at least 1s"
					    : "a duration is written 90s, 5min, 1h, 2d",
			     "%s is not a duration", token_show(parser, &token));
		seconds = 1;
	}
	duration_print(seconds, text);
	*ret_seconds = seconds;
	*ret_text = define ? define : arena_strndup(parser->arena, text, strlen(text));
	return 0;
}

int parse_count(struct parser *parser, const char *what, const uint64_t bounds[2],
		uint64_t *ret_value, const char **ret_text)
{
	uint64_t value = bounds[0];
	const char *define;
	struct token token;
	int err;

	err = parser_scalar(parser, what, "1", &token, &define);
	if (err)
		return err;
	number_of_token(parser, &token, what, bounds, &value);
	*ret_value = value;
	*ret_text =
		define ? define : arena_printf(parser->arena, "%llu", (unsigned long long)value);
	return 0;
}

/* One of two words; *ret_value is true for the second. */
static int parse_choice(struct parser *parser, const char *const words[2], bool *ret_value,
			const char **ret_text)
{
	const struct token *token = &parser->token;

	for (int i = 0; i < 2; i++) {
		if (!token_is(token, words[i]))
			continue;
		*ret_value = i;
		*ret_text = words[i];
		parser_advance(parser);
		return 0;
	}
	return parser_expected(
		parser, arena_printf(parser->diagnostics->arena, "%s or %s", words[0], words[1]),
		NULL);
}

enum option_kind {
	OPTION_BAN_SET,
	OPTION_ESSENTIAL,
	OPTION_FAIL_POLICY,
	OPTION_FLOWS,
	OPTION_MALFORMED,
	OPTION_PICKUP,
	OPTION_RECHECK_FLOWS,
	OPTION_REJECT_RATE,
	OPTION_SYNCOOKIE_AFTER,
	OPTION_TIMEOUT,
};

static const struct name_value option_names[] = {
	{ "ban-set", OPTION_BAN_SET },
	{ "essential", OPTION_ESSENTIAL },
	{ "fail-policy", OPTION_FAIL_POLICY },
	{ "flows", OPTION_FLOWS },
	{ "malformed", OPTION_MALFORMED },
	{ "pickup", OPTION_PICKUP },
	{ "recheck-flows", OPTION_RECHECK_FLOWS },
	{ "reject-rate", OPTION_REJECT_RATE },
	{ "syncookie-after", OPTION_SYNCOOKIE_AFTER },
	{ "timeout", OPTION_TIMEOUT },
};

static const struct name_list option_list = {
	.items = option_names,
	.count = sizeof(option_names) / sizeof(option_names[0]),
};

/* Packets a second. */
static int parse_rate(struct parser *parser, const uint64_t bounds[2], uint64_t *ret_rate,
		      const char **ret_text)
{
	const char *define;
	struct token token;
	int err;

	err = parser_scalar(parser, "a rate as in 100/s", "1/s", &token, &define);
	if (err)
		return err;
	if (token.length < 3 || memcmp(token.text + token.length - 2, "/s", 2) != 0) {
		parser_error(parser, &token.at, "a rate is written 100/s", "%s is not a rate",
			     token_show(parser, &token));
		return 0;
	}
	token.length -= 2;
	number_of_token(parser, &token, "a rate", bounds, ret_rate);
	*ret_text = define ? define
			   : arena_printf(parser->arena, "%llu/s", (unsigned long long)*ret_rate);
	return 0;
}

/* timeout KIND D: each kind is an option of its own. */
static int parse_timeout(struct parser *parser, struct option *option)
{
	struct options *options = &parser->ruleset->options;
	const struct token token = parser->token;
	const char *text, *nearest;
	uint32_t kind;
	int err;

	if (token.kind != TOKEN_WORD)
		return parser_expected(parser, "what times out", NULL);
	if (!name_find(&names_timeouts, token.text, token.length, &kind)) {
		nearest = name_nearest(&names_timeouts, token.text, token.length);
		parser_error(parser, &token.at,
			     nearest ? diagnostics_hint(parser->diagnostics, "did you mean '%s'?",
							nearest)
				     : "tcp-opening, tcp-established, tcp-closing, tcp-closed; "
				       "udp-, icmp-, other- with unreplied or replied",
			     "nothing is named %s that times out", token_show(parser, &token));
		return -EINVAL;
	}
	parser_advance(parser);
	err = parse_duration(parser, &options->timeouts[kind], &text);
	if (err)
		return err;
	option->name = arena_printf(parser->arena, "timeout %s", name_of(&names_timeouts, kind));
	option->value = text;
	return 0;
}

static int option_value(struct parser *parser, enum option_kind kind, struct option *option)
{
	static const char *const on_off[2] = { "off", "on" };
	static const char *const pass_drop[2] = { "pass", "drop" };
	static const char *const drop_pass[2] = { "drop", "pass" };
	static const uint64_t flow_bounds[2] = { 1, 1U << 26 };
	static const uint64_t reject_bounds[2] = { 1, 1000000 };
	static const uint64_t syncookie_bounds[2] = { 0, 1000000 };
	struct options *options = &parser->ruleset->options;

	switch (kind) {
	case OPTION_BAN_SET:
		option->at = parser->token.at;
		return parser_name(parser, "the name of a live set", &option->value);
	case OPTION_ESSENTIAL:
		return parse_choice(parser, on_off, &options->essential, &option->value);
	case OPTION_FAIL_POLICY:
		return parse_choice(parser, pass_drop, &options->fail_drop, &option->value);
	case OPTION_FLOWS:
		return parse_count(parser, "a number of flows", flow_bounds, &options->flows,
				   &option->value);
	case OPTION_MALFORMED:
		return parse_choice(parser, drop_pass, &options->malformed_pass, &option->value);
	case OPTION_PICKUP:
		return parse_choice(parser, on_off, &options->pickup, &option->value);
	case OPTION_RECHECK_FLOWS:
		return parse_choice(parser, on_off, &options->recheck_flows, &option->value);
	case OPTION_REJECT_RATE:
		return parse_rate(parser, reject_bounds, &options->reject_rate, &option->value);
	case OPTION_SYNCOOKIE_AFTER:
		return parse_rate(parser, syncookie_bounds, &options->syncookie_after,
				  &option->value);
	case OPTION_TIMEOUT:
		return parse_timeout(parser, option);
	}
	return -EINVAL;
}

static int unknown_option(struct parser *parser)
{
	const struct token *token = &parser->token;
	const char *nearest = token->kind == TOKEN_WORD
				      ? name_nearest(&option_list, token->text, token->length)
				      : NULL;

	parser_error(parser, &token->at,
		     nearest ? diagnostics_hint(parser->diagnostics, "did you mean '%s'?", nearest)
			     : "ban-set, essential, fail-policy, flows, malformed, pickup, "
			       "recheck-flows, reject-rate, syncookie-after, timeout",
		     "expected an option, not %s", token_show(parser, token));
	return -EINVAL;
}

int parse_option(struct parser *parser)
{
	struct option option = { .at = parser->token.at, .order = parser->statements };
	struct option *all = parser->option_lines.items;
	const struct token token = parser->token;
	const uint32_t *earlier;
	uint32_t kind;
	int err;

	if (token.kind != TOKEN_WORD || !name_find(&option_list, token.text, token.length, &kind))
		return unknown_option(parser);
	option.name = option_names[kind].name;
	parser_advance(parser);
	err = option_value(parser, (enum option_kind)kind, &option);
	if (err)
		return err;
	earlier = table_find(&parser->options, option.name, strlen(option.name));
	if (earlier) {
		parser_error(parser, &token.at,
			     diagnostics_hint(parser->diagnostics, "the first is at %s",
					      parser_place(parser, &all[*earlier].at)),
			     "option %s is given twice", option.name);
		return 0;
	}
	table_add(&parser->options, option.name, strlen(option.name),
		  (uint32_t)parser->option_lines.count);
	*(struct option *)vector_add(&parser->option_lines, sizeof(option)) = option;
	return 0;
}

/* What only the whole file tells: the set that `ban-set` names may stand behind it. */
void options_check(struct parser *parser)
{
	const struct option *options = parser->option_lines.items;
	struct set *const *sets = parser->set_items.items;
	const uint32_t *line = table_find(&parser->options, "ban-set", strlen("ban-set"));
	const uint32_t *index;
	const struct option *option;

	if (!line)
		return;
	option = &options[*line];
	index = table_find(&parser->sets, option->value, strlen(option->value));
	if (!index)
		parser_error(parser, &option->at, NULL, "no set is named '%s'", option->value);
	else if (sets[*index]->kind != SET_LIVE)
		parser_error(parser, &option->at,
			     diagnostics_hint(parser->diagnostics, "it is defined at %s",
					      parser_place(parser, &sets[*index]->at)),
			     "set %s is not live: it cannot be changed while running",
			     option->value);
	else
		sets[*index]->used = true;
	parser->ruleset->options.ban_set = option->value;
}
