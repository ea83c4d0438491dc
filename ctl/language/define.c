/* SPDX-License-Identifier: GPL-2.0-only */
/* The statements that name values: define and set. A name stands before its use. */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "language/parser.h"

/* Reports a name that is not known (yet), with the nearest one that is. */
static void unknown_name(struct parser *parser, const struct token *token, const char *what)
{
	bool is_define = token->kind == TOKEN_DEFINE;
	size_t count = is_define ? parser->define_items.count : parser->set_items.count;
	const struct define *defines = parser->define_items.items;
	struct set *const *sets = parser->set_items.items;
	const char *nearest = NULL;
	unsigned best = 3;

	for (size_t i = 0; i < count && i < 1000; i++) {
		const char *name = is_define ? defines[i].name : sets[i]->name;
		unsigned distance = text_distance(token->text, token->length, name, strlen(name));

		if (distance < best) {
			best = distance;
			nearest = name;
		}
	}
	parser_error(parser, &token->at,
		     nearest ? diagnostics_hint(parser->diagnostics, "did you mean '%s'?", nearest)
			     : "a name is defined before it is used",
		     "no %s is named '%.*s'", what, (int)token->length, token->text);
}

struct define *parser_find_define(struct parser *parser, const struct token *token)
{
	const uint32_t *index = table_find(&parser->defines, token->text, token->length);
	struct define *define;

	if (!index && parser->alone)
		return &parser->unknown_define;
	if (!index) {
		unknown_name(parser, token, "define");
		return NULL;
	}
	define = (struct define *)parser->define_items.items + *index;
	define->used = true;
	return define;
}

struct set *parser_find_set(struct parser *parser, const struct token *token)
{
	const uint32_t *index = table_find(&parser->sets, token->text, token->length);
	struct set *const *sets = parser->set_items.items;

	if (!index && parser->alone)
		return &parser->unknown_set;
	if (!index) {
		unknown_name(parser, token, "set");
		return NULL;
	}
	sets[*index]->used = true;
	return sets[*index];
}

const char *path_beside(struct arena *arena, const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	if (name[0] == '/' || !slash)
		return arena_strndup(arena, name, strlen(name));
	return arena_printf(arena, "%.*s%s", (int)(slash - path + 1), path, name);
}

const char *path_below(struct arena *arena, const char *main, const char *path)
{
	const char *slash = strrchr(main, '/');
	size_t length = slash ? (size_t)(slash - main + 1) : 0;

	if (strncmp(main, path, length) != 0)
		length = 0;
	return arena_strndup(arena, path + length, strlen(path + length));
}

/* A word of a define as it is printed: addresses and numbers in their canonical form. */
static void classify_word(struct parser *parser, const struct token *token,
			  struct element *ret_element)
{
	static const uint64_t bounds[2] = { 0, UINT64_MAX };
	uint64_t value;

	ret_element->at = token->at;
	if (token_is_address(token, ret_element)) {
		address_of_token(parser, token, ret_element); /* warns about host bits */
	} else if (!number_parse(token->text, token->length, NUMBER_DECIMAL, bounds, &value)) {
		ret_element->kind = ELEMENT_VALUE;
		ret_element->range = (struct range){ value, value };
	} else {
		ret_element->kind = ELEMENT_NAME;
		ret_element->name = arena_strndup(parser->arena, token->text, token->length);
	}
}

static void keep_token(struct parser *parser, const struct token *token)
{
	*(struct token *)vector_add(&parser->tokens, sizeof(*token)) = *token;
}

static int keep_reference(struct parser *parser, const struct token *token)
{
	const struct define *other;

	if (token->kind == TOKEN_SET) {
		keep_token(parser, token);
		return parser_find_set(parser, token) ? 0 : -EINVAL;
	}
	other = parser_find_define(parser, token);
	for (size_t i = 0; other && i < other->token_count; i++)
		keep_token(parser, &other->tokens[i]);
	return other ? 0 : -EINVAL;
}

static int define_value(struct parser *parser)
{
	const struct token *token = &parser->token;
	struct element element = { .at = token->at };

	switch (token->kind) {
	case TOKEN_WORD:
		if (token_keyword(token) != KEYWORD_NONE)
			return parser_expected(parser, "a value", NULL);
		classify_word(parser, token, &element);
		keep_token(parser, token);
		break;
	case TOKEN_STRING:
		element.kind = ELEMENT_STRING;
		element.name = arena_strndup(parser->arena, token->text, token->length);
		keep_token(parser, token);
		break;
	case TOKEN_DEFINE:
	case TOKEN_SET:
		element.kind = token->kind == TOKEN_SET ? ELEMENT_SET : ELEMENT_DEFINE;
		element.name = arena_strndup(parser->arena, token->text, token->length);
		keep_reference(parser, token);
		break;
	default:
		return parser_expected(parser, "a value", NULL);
	}
	*(struct element *)vector_add(&parser->elements, sizeof(element)) = element;
	if (parser->tokens.count > DEFINE_VALUES_MAX) {
		parser_error(parser, &token->at, "a set can hold more",
			     "a define holds at most %u values", DEFINE_VALUES_MAX);
		return -EINVAL;
	}
	parser_advance(parser);
	return 0;
}

static int define_braces(struct parser *parser)
{
	const struct location open = parser->token.at;
	int err;

	parser_advance(parser);
	parser->open_lists++;
	for (;;) {
		err = list_skip_newlines(parser, &open);
		if (err)
			return err;
		if (parser->token.kind == TOKEN_CLOSE)
			break;
		err = define_value(parser);
		if (!err)
			err = list_skip_newlines(parser, &open);
		if (err)
			return err;
		if (parser->token.kind == TOKEN_CLOSE)
			break;
		err = parser_expect(parser, TOKEN_COMMA, "',' or '}'");
		if (err)
			return err;
	}
	parser->open_lists--;
	parser_advance(parser);
	if (parser->elements.count)
		return 0;
	parser_error(parser, &open, NULL, "an empty list matches nothing");
	return -EINVAL;
}

/* False and a message if the name is taken. */
static bool add_name(struct parser *parser, struct table *table, const char *name,
		     const struct location *at, const struct location *earlier)
{
	uint32_t count = (uint32_t)table->count;

	if (table_add(table, name, strlen(name), count))
		return true;
	parser_error(parser, at,
		     diagnostics_hint(parser->diagnostics, "the first is at %s",
				      parser_place(parser, earlier)),
		     "'%s' is defined already", name);
	return false;
}

int parse_define(struct parser *parser)
{
	struct define define = { .at = parser->token.at, .order = parser->statements };
	struct define *defines = parser->define_items.items;
	const uint32_t *earlier;
	int err;

	define.at = parser->token.at;
	err = parser_name(parser, "a name", &define.name);
	if (!err)
		err = parser_expect(parser, TOKEN_EQUALS, "'='");
	if (err)
		return err;
	parser->elements.count = 0;
	parser->tokens.count = 0;
	define.written.braces = parser->token.kind == TOKEN_OPEN;
	err = define.written.braces ? define_braces(parser) : define_value(parser);
	if (err)
		return err;
	earlier = table_find(&parser->defines, define.name, strlen(define.name));
	if (!add_name(parser, &parser->defines, define.name, &define.at,
		      earlier ? &defines[*earlier].at : NULL))
		return 0;
	define.written.count = parser->elements.count;
	define.written.items =
		vector_take(&parser->elements, sizeof(struct element), parser->arena);
	define.token_count = parser->tokens.count;
	define.tokens = vector_take(&parser->tokens, sizeof(struct token), parser->arena);
	*(struct define *)vector_add(&parser->define_items, sizeof(define)) = define;
	return 0;
}

static int set_from_file(struct parser *parser, struct set *set)
{
	const struct token name = parser->token;
	int err;

	err = parser_expect(parser, TOKEN_STRING, "the name of a file in quotes");
	if (err)
		return err;
	if (!name.length || memchr(name.text, '\0', name.length)) {
		parser_error(parser, &name.at, NULL, "the name of the file is empty");
		return 0;
	}
	set->kind = SET_FILE;
	if (!parser->alone)
		set_file_read(parser, set, &name);
	return 0;
}

static int set_live(struct parser *parser, struct set *set)
{
	static const uint64_t sizes[2] = { 1, 1U << 26 };
	size_t first;
	int err = 0;

	set->kind = SET_LIVE;
	while (!err && parser->token.kind == TOKEN_WORD) {
		const struct token token = parser->token;
		bool twice;

		if (parser_take_keyword(parser, KEYWORD_SIZE)) {
			twice = set->size_text;
			err = parse_count(parser, "a size", sizes, &set->size, &set->size_text);
		} else if (parser_take_keyword(parser, KEYWORD_TIMEOUT)) {
			twice = set->timeout_text;
			err = parse_duration(parser, &set->timeout, &set->timeout_text);
		} else if (parser_take_keyword(parser, KEYWORD_COUNTERS)) {
			twice = set->counters;
			set->counters = true;
		} else {
			return parser_expected(parser, "size, timeout, counters or '{'", NULL);
		}
		if (!err && twice)
			parser_error(parser, &token.at, NULL, "%s stands here twice",
				     token_show(parser, &token));
	}
	if (!err && parser->token.kind == TOKEN_OPEN)
		err = parse_set_elements(parser, set);
	first = set->ranges.inet_count + set->ranges.inet6_count;
	if (!err && set->size && first > set->size)
		parser_error(parser, &set->at, NULL,
			     "the set starts with %zu elements, but its size is %s", first,
			     set->size_text);
	return err;
}

static int set_contents(struct parser *parser, struct set *set)
{
	if (parser_take_keyword(parser, KEYWORD_FILE))
		return set_from_file(parser, set);
	if (parser_take_keyword(parser, KEYWORD_LIVE))
		return set_live(parser, set);
	if (parser->token.kind != TOKEN_OPEN)
		return parser_expected(
			parser, "'{', file or live",
			parser->token.kind == TOKEN_EQUALS ? "a set is written without '='" : NULL);
	return parse_set_elements(parser, set);
}

static uint32_t live_sets(const struct parser *parser)
{
	struct set *const *sets = parser->set_items.items;
	uint32_t count = 0;

	for (size_t i = 0; i < parser->set_items.count; i++)
		count += sets[i]->kind == SET_LIVE;
	return count;
}

int parse_set(struct parser *parser)
{
	struct set *set = arena_alloc(parser->arena, sizeof(*set));
	struct set *const *sets = parser->set_items.items;
	const uint32_t *earlier;
	int err;

	set->at = parser->token.at;
	set->order = parser->statements;
	set->index = (uint32_t)parser->set_items.count;
	err = parser_name(parser, "a name", &set->name);
	if (!err)
		err = set_contents(parser, set);
	if (err)
		return err;
	earlier = table_find(&parser->sets, set->name, strlen(set->name));
	if (!add_name(parser, &parser->sets, set->name, &set->at,
		      earlier ? &sets[*earlier]->at : NULL))
		return 0;
	if (set->kind == SET_LIVE) {
		set->live_index = live_sets(parser);
		if (set->live_index >= FW_MAX_LIVE_SETS)
			parser_error(parser, &set->at, NULL, "there are at most %u live sets",
				     FW_MAX_LIVE_SETS);
	}
	*(struct set **)vector_add(&parser->set_items, sizeof(void *)) = set;
	return 0;
}
