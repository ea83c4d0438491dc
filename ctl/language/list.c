/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of values: [not] one | { one, ... }. What is written goes into element_list; what it
 * means, with defines replaced, into the parser's scratch vectors and from there, sorted and
 * merged, into the match.
 */
#include <errno.h>
#include <string.h>

#include "language/parser.h"

/* What a list is of. */
struct list {
	enum match_kind kind; /* MATCH_SOURCE also for the elements of a set */
	bool icmp6;	      /* names are those of ICMPv6 */
	bool is_set;	      /* the elements of a set, not a match */
};

static void scratch_clear(struct parser *parser)
{
	parser->elements.count = 0;
	parser->spans.count = 0;
	parser->addresses.count = 0;
	parser->names.count = 0;
	parser->set_names.count = 0;
}

static bool is_address_kind(enum match_kind kind)
{
	return kind == MATCH_SOURCE || kind == MATCH_DESTINATION;
}

/* Keeps what one literal value means. */
static void mean_value(struct parser *parser, const struct list *list,
		       const struct element *element)
{
	uint32_t index = (uint32_t)parser->elements.count - 1;
	struct address_span *addresses;
	struct span *span;

	if (is_address_kind(list->kind)) {
		addresses = vector_add(&parser->addresses, sizeof(*addresses));
		addresses->low = element->address.low;
		addresses->high = element->address.high;
		addresses->element = index;
	} else if (list->kind == MATCH_INTERFACE) {
		*(const char **)vector_add(&parser->names, sizeof(char *)) = element->name;
	} else {
		span = vector_add(&parser->spans, sizeof(*span));
		span->low = element->range.low;
		span->high = element->range.high;
		span->element = index;
	}
}

static void mean_range(struct parser *parser, const uint32_t *low, const uint32_t *high,
		       enum fw_family family)
{
	struct address_span *span = vector_add(&parser->addresses, sizeof(*span));
	size_t words = family == FW_INET ? 1 : 4;

	memcpy(span->low.word, low, words * sizeof(*low));
	memcpy(span->high.word, high, words * sizeof(*high));
	span->low.family = span->high.family = (uint8_t)family;
	span->element = (uint32_t)parser->elements.count - 1;
}

/* A set among the elements of another is copied; in a match it stays a reference. */
static int mean_set(struct parser *parser, const struct list *list, const struct token *token)
{
	struct set *set;

	if (!is_address_kind(list->kind)) {
		parser_error(parser, &token->at, NULL, "@%.*s is a set of addresses, not %s",
			     (int)token->length, token->text, value_kind_name(list->kind));
		return -EINVAL;
	}
	set = parser_find_set(parser, token);
	if (!set)
		return -EINVAL;
	set->used = true;
	if (set == &parser->unknown_set)
		return 0;
	if (!list->is_set) {
		*(uint32_t *)vector_add(&parser->set_names, sizeof(uint32_t)) = set->index;
		return 0;
	}
	if (set->kind == SET_LIVE) {
		parser_error(parser, &token->at, "use both sets in the rule: from { @a, @b }",
			     "a set cannot hold the live set @%s", set->name);
		return -EINVAL;
	}
	for (size_t i = 0; i < set->ranges.inet_count; i++)
		mean_range(parser, &set->ranges.inet[i].low, &set->ranges.inet[i].high, FW_INET);
	for (size_t i = 0; i < set->ranges.inet6_count; i++)
		mean_range(parser, set->ranges.inet6[i].low, set->ranges.inet6[i].high, FW_INET6);
	return 0;
}

/* One word of a define, where it is used. */
static int mean_token(struct parser *parser, const struct list *list, struct token token,
		      const struct location *at)
{
	struct element element;

	token.at = *at;
	if (token.kind == TOKEN_SET)
		return mean_set(parser, list, &token);
	if (value_of_token(parser, list->kind, list->icmp6, &token, &element))
		return -EINVAL;
	mean_value(parser, list, &element);
	return 0;
}

static int mean_define(struct parser *parser, const struct list *list, const struct token *token)
{
	const struct define *define = parser_find_define(parser, token);
	int err = 0;

	if (!define)
		return -EINVAL;
	parser->through = define;
	for (size_t i = 0; i < define->token_count && !err; i++)
		err = mean_token(parser, list, define->tokens[i], &token->at);
	parser->through = NULL;
	return err;
}

static const char *misplaced_hint(enum keyword keyword)
{
	switch (keyword) {
	case KEYWORD_NOT:
		return "'not' stands before the whole list";
	case KEYWORD_ANY:
		return "'any' stands alone, in place of a list of addresses";
	default:
		return NULL;
	}
}

static int parse_word(struct parser *parser, const struct list *list, struct element *element)
{
	const struct token *token = &parser->token;
	enum keyword keyword = token_keyword(token);

	if (keyword != KEYWORD_NONE && list->kind != MATCH_INTERFACE)
		return parser_expected(parser, value_kind_name(list->kind),
				       misplaced_hint(keyword));
	/* Said; the rest of a list is still worth reading, behind a word it may be nonsense. */
	if (value_of_token(parser, list->kind, list->icmp6, token, element))
		return parser->open_lists || !text_is_name(token->text, token->length) ? 0
										       : -EINVAL;
	*(struct element *)vector_add(&parser->elements, sizeof(*element)) = *element;
	mean_value(parser, list, element);
	return 0;
}

static int parse_string(struct parser *parser, const struct list *list, struct element *element)
{
	if (list->kind != MATCH_INTERFACE)
		return parser_expected(parser, value_kind_name(list->kind),
				       "values stand without quotes");
	if (value_of_token(parser, list->kind, false, &parser->token, element))
		return 0;
	*(struct element *)vector_add(&parser->elements, sizeof(*element)) = *element;
	mean_value(parser, list, element);
	return 0;
}

/* $name or @name. A wrong one has been told of, and the list goes on. */
static void parse_reference(struct parser *parser, const struct list *list)
{
	const struct token *token = &parser->token;
	struct element *element = vector_add(&parser->elements, sizeof(*element));

	element->kind = token->kind == TOKEN_SET ? ELEMENT_SET : ELEMENT_DEFINE;
	element->at = token->at;
	element->name = arena_strndup(parser->arena, token->text, token->length);
	if (token->kind == TOKEN_SET)
		mean_set(parser, list, token);
	else
		mean_define(parser, list, token);
}

static int parse_one(struct parser *parser, const struct list *list)
{
	struct element element;
	int err = 0;

	switch (parser->token.kind) {
	case TOKEN_WORD:
		err = parse_word(parser, list, &element);
		break;
	case TOKEN_STRING:
		err = parse_string(parser, list, &element);
		break;
	case TOKEN_DEFINE:
	case TOKEN_SET:
		parse_reference(parser, list);
		break;
	default:
		return parser_expected(
			parser, value_kind_name(list->kind),
			parser->token.kind == TOKEN_OPEN ? "lists do not stand in lists" : NULL);
	}
	if (!err)
		parser_advance(parser);
	return err;
}

int list_skip_newlines(struct parser *parser, const struct location *open)
{
	bool newline = false;

	while (parser->token.kind == TOKEN_NEWLINE) {
		newline = true;
		parser_advance(parser);
	}
	if (parser->token.kind != TOKEN_END &&
	    !(newline && keyword_starts_statement(token_keyword(&parser->token))))
		return 0;
	parser_error(parser, open, NULL, "this list is not closed");
	parser->open_lists = 0;
	parser->at_statement = true;
	return -EINVAL;
}

/* What stands between braces, from behind the first to behind the last. */
static int parse_braces(struct parser *parser, const struct list *list, const struct location *open)
{
	int err;

	parser->open_lists++;
	for (;;) {
		err = list_skip_newlines(parser, open);
		if (err)
			return err;
		if (parser->token.kind == TOKEN_CLOSE)
			break;
		err = parse_one(parser, list);
		if (!err)
			err = list_skip_newlines(parser, open);
		if (err)
			return err;
		if (parser->token.kind == TOKEN_CLOSE)
			break;
		if (parser->token.kind != TOKEN_COMMA)
			return parser_expected(parser, "',' or '}'", NULL);
		parser_advance(parser);
	}
	parser->open_lists--;
	parser_advance(parser);
	return 0;
}

static void take_written(struct parser *parser, struct element_list *written)
{
	written->count = parser->elements.count;
	written->items = vector_take(&parser->elements, sizeof(struct element), parser->arena);
}

static int parse_any(struct parser *parser, struct match *match)
{
	struct element *element = vector_add(&parser->elements, sizeof(*element));

	*element = (struct element){ .kind = ELEMENT_ANY, .at = parser->token.at };
	if (match->negated) {
		parser_error(parser, &parser->token.at, NULL, "'not any' matches nothing");
		return -EINVAL;
	}
	match->addresses.any = true;
	take_written(parser, &match->written);
	parser_advance(parser);
	return 0;
}

/* state may list without braces: state established, related */
static int parse_commas(struct parser *parser, const struct list *list)
{
	int err = parse_one(parser, list);

	while (!err && parser->token.kind == TOKEN_COMMA) {
		parser_advance(parser);
		err = parse_one(parser, list);
	}
	return err;
}

static const struct set **set_pointers(struct parser *parser)
{
	struct set *const *all = parser->set_items.items;
	const uint32_t *indexes = parser->set_names.items;
	size_t count = parser->set_names.count;
	const struct set **sets = arena_alloc(parser->arena, count * sizeof(void *));

	for (size_t i = 0; i < count; i++)
		sets[i] = all[indexes[i]];
	return sets;
}

static void mean_match(struct parser *parser, struct match *match, bool icmp6)
{
	struct address_list *addresses = &match->addresses;

	if (is_address_kind(match->kind)) {
		merge_addresses(parser, &match->written, &addresses->ranges);
		addresses->set_count = parser->set_names.count;
		addresses->sets = set_pointers(parser);
	} else if (match->kind == MATCH_INTERFACE) {
		match->names.count = parser->names.count;
		match->names.patterns = vector_take(&parser->names, sizeof(char *), parser->arena);
	} else {
		merge_spans(parser, match, icmp6);
	}
}

int parse_list(struct parser *parser, struct match *match, bool icmp6)
{
	const struct list list = { .kind = match->kind, .icmp6 = icmp6 };
	size_t errors = parser->diagnostics->error_count;
	struct location open;
	int err;

	scratch_clear(parser);
	match->negated |= parser_take_keyword(parser, KEYWORD_NOT);
	if (is_address_kind(match->kind) && parser_at_keyword(parser, KEYWORD_ANY))
		return parse_any(parser, match);
	open = parser->token.at;
	if (parser->token.kind == TOKEN_OPEN) {
		parser_advance(parser);
		err = parse_braces(parser, &list, &open);
		match->written.braces = true;
		if (!parser->elements.count && parser->diagnostics->error_count == errors)
			parser_error(parser, &open, NULL, "an empty list matches nothing");
	} else if (match->kind == MATCH_STATE) {
		err = parse_commas(parser, &list);
	} else {
		err = parse_one(parser, &list);
	}
	if (err)
		return err;
	take_written(parser, &match->written);
	mean_match(parser, match, icmp6);
	return 0;
}

int parse_set_elements(struct parser *parser, struct set *set)
{
	const struct list list = { .kind = MATCH_SOURCE, .is_set = true };
	struct location open = parser->token.at;
	int err;

	scratch_clear(parser);
	err = parser_expect(parser, TOKEN_OPEN, "'{'");
	if (!err)
		err = parse_braces(parser, &list, &open);
	if (err)
		return err;
	set->written.braces = true;
	take_written(parser, &set->written);
	merge_addresses(parser, &set->written, &set->ranges);
	return 0;
}
