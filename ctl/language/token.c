/* SPDX-License-Identifier: GPL-2.0-only */
/* The token that the parser looks at: keywords, names, scalars, and errors about them. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "language/parser.h"

/* Sorted, in the order of enum keyword. */
static const struct name_value keywords[] = {
	{ "any", KEYWORD_ANY },
	{ "burst", KEYWORD_BURST },
	{ "code", KEYWORD_CODE },
	{ "count", KEYWORD_COUNT },
	{ "counters", KEYWORD_COUNTERS },
	{ "default", KEYWORD_DEFAULT },
	{ "define", KEYWORD_DEFINE },
	{ "dmac", KEYWORD_DMAC },
	{ "drop", KEYWORD_DROP },
	{ "dscp", KEYWORD_DSCP },
	{ "egress", KEYWORD_EGRESS },
	{ "ethertype", KEYWORD_ETHERTYPE },
	{ "file", KEYWORD_FILE },
	{ "flags", KEYWORD_FLAGS },
	{ "fragment", KEYWORD_FRAGMENT },
	{ "from", KEYWORD_FROM },
	{ "include", KEYWORD_INCLUDE },
	{ "inet", KEYWORD_INET },
	{ "inet6", KEYWORD_INET6 },
	{ "ingress", KEYWORD_INGRESS },
	{ "interface", KEYWORD_INTERFACE },
	{ "keep", KEYWORD_KEEP },
	{ "label", KEYWORD_LABEL },
	{ "length", KEYWORD_LENGTH },
	{ "limit", KEYWORD_LIMIT },
	{ "live", KEYWORD_LIVE },
	{ "log", KEYWORD_LOG },
	{ "mode", KEYWORD_MODE },
	{ "not", KEYWORD_NOT },
	{ "on", KEYWORD_ON },
	{ "option", KEYWORD_OPTION },
	{ "pass", KEYWORD_PASS },
	{ "per", KEYWORD_PER },
	{ "port", KEYWORD_PORT },
	{ "proto", KEYWORD_PROTO },
	{ "reject", KEYWORD_REJECT },
	{ "sample", KEYWORD_SAMPLE },
	{ "set", KEYWORD_SET },
	{ "size", KEYWORD_SIZE },
	{ "smac", KEYWORD_SMAC },
	{ "state", KEYWORD_STATE },
	{ "syncookie", KEYWORD_SYNCOOKIE },
	{ "timeout", KEYWORD_TIMEOUT },
	{ "to", KEYWORD_TO },
	{ "ttl", KEYWORD_TTL },
	{ "type", KEYWORD_TYPE },
	{ "vlan", KEYWORD_VLAN },
};

static const struct name_list keyword_list = {
	.items = keywords,
	.count = sizeof(keywords) / sizeof(keywords[0]),
};

/* The first keyword of each letter: those of one letter are few, and every word is looked up. */
static const uint8_t first_keywords[26] = {
	['a' - 'a'] = KEYWORD_ANY,     ['b' - 'a'] = KEYWORD_BURST,  ['c' - 'a'] = KEYWORD_CODE,
	['d' - 'a'] = KEYWORD_DEFAULT, ['e' - 'a'] = KEYWORD_EGRESS, ['f' - 'a'] = KEYWORD_FILE,
	['i' - 'a'] = KEYWORD_INCLUDE, ['k' - 'a'] = KEYWORD_KEEP,   ['l' - 'a'] = KEYWORD_LABEL,
	['m' - 'a'] = KEYWORD_MODE,    ['n' - 'a'] = KEYWORD_NOT,    ['o' - 'a'] = KEYWORD_ON,
	['p' - 'a'] = KEYWORD_PASS,    ['r' - 'a'] = KEYWORD_REJECT, ['s' - 'a'] = KEYWORD_SAMPLE,
	['t' - 'a'] = KEYWORD_TIMEOUT, ['v' - 'a'] = KEYWORD_VLAN,
};

enum keyword keyword_find(const char *text, size_t length)
{
	size_t number = 0;

	if (length && *text >= 'a' && *text <= 'z')
		number = first_keywords[*text - 'a'];
	for (; number && number <= keyword_list.count; number++) {
		const char *name = keywords[number - 1].name;

		if (*name != *text)
			break;
		if (name_is(name, text, length))
			return (enum keyword)number;
	}
	return KEYWORD_NONE;
}

const char *keyword_nearest(const char *text, size_t length)
{
	return name_nearest(&keyword_list, text, length);
}

enum keyword token_keyword(const struct token *token)
{
	return (enum keyword)token->keyword;
}

bool keyword_starts_statement(enum keyword keyword)
{
	switch (keyword) {
	case KEYWORD_COUNT:
	case KEYWORD_DEFINE:
	case KEYWORD_DROP:
	case KEYWORD_EGRESS:
	case KEYWORD_INCLUDE:
	case KEYWORD_INGRESS:
	case KEYWORD_INTERFACE:
	case KEYWORD_OPTION:
	case KEYWORD_PASS:
	case KEYWORD_REJECT:
	case KEYWORD_SET:
		return true;
	default:
		return false;
	}
}

bool token_is(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && name_is(word, token->text, token->length);
}

/* Bytes that are no text are reported here and left out: the parser never sees them. */
void parser_advance(struct parser *parser)
{
	struct token *token = &parser->token;

	parser->taken = token->at;
	do {
		lexer_next(&parser->lexer, token);
		if (token->kind != TOKEN_ERROR)
			break;
		diagnostics_error(parser->diagnostics, parser_view(parser), &token->at,
				  parser->lexer.hint, "%s", parser->lexer.error);
		parser->bad_bytes = token->at;
	} while (!diagnostics_is_full(parser->diagnostics));
	if (token->kind == TOKEN_ERROR)
		token->kind = TOKEN_END;
	if (token->kind == TOKEN_WORD && token->text[0] >= 'a')
		token->keyword = keyword_find(token->text, token->length);
}

void parser_error(struct parser *parser, const struct location *at, const char *hint,
		  const char *format, ...)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	const struct location *bad = &parser->bad_bytes;
	va_list arguments;

	if (at->file == bad->file && at->line == bad->line && at->column > bad->column)
		return;
	va_start(arguments, format);
	buffer_vprintf(&text, format, arguments);
	va_end(arguments);
	diagnostics_error(parser->diagnostics, parser_view(parser), at, hint, "%s",
			  buffer_text(&text));
}

bool parser_at_keyword(const struct parser *parser, enum keyword keyword)
{
	return token_keyword(&parser->token) == keyword;
}

bool parser_take_keyword(struct parser *parser, enum keyword keyword)
{
	if (!parser_at_keyword(parser, keyword))
		return false;
	parser_advance(parser);
	return true;
}

#define SHOWN_MAX 40

const char *token_show(struct parser *parser, const struct token *token)
{
	int length = token->length > SHOWN_MAX ? SHOWN_MAX : (int)token->length;
	const char *more = token->length > SHOWN_MAX ? "..." : "";
	struct arena *arena = parser->diagnostics->arena;

	switch (token->kind) {
	case TOKEN_END:
		return "the end of the file";
	case TOKEN_NEWLINE:
		return "the end of the line";
	case TOKEN_STRING:
		return arena_printf(arena, "\"%.*s%s\"", length, token->text, more);
	case TOKEN_DEFINE:
		return arena_printf(arena, "'$%.*s%s'", length, token->text, more);
	case TOKEN_SET:
		return arena_printf(arena, "'@%.*s%s'", length, token->text, more);
	default:
		return arena_printf(arena, "'%.*s%s'", length, token->text, more);
	}
}

int parser_expected(struct parser *parser, const char *what, const char *hint)
{
	parser_error(parser, &parser->token.at, hint, "expected %s, not %s", what,
		     token_show(parser, &parser->token));
	return -EINVAL;
}

int parser_expect(struct parser *parser, enum token_kind kind, const char *what)
{
	if (parser->token.kind != kind)
		return parser_expected(parser, what, NULL);
	parser_advance(parser);
	return 0;
}

int parser_name(struct parser *parser, const char *what, const char **ret_name)
{
	const struct token *token = &parser->token;

	if (token->kind == TOKEN_STRING)
		return parser_expected(parser, what, "names stand without quotes");
	if (token->kind != TOKEN_WORD)
		return parser_expected(parser, what, NULL);
	if (token_keyword(token) != KEYWORD_NONE) {
		parser_error(parser, &token->at, "a keyword cannot be a name",
			     "expected %s, not the keyword %s", what, token_show(parser, token));
		return -EINVAL;
	}
	if (!text_is_name(token->text, token->length)) {
		parser_error(parser, &token->at,
			     "a name is a letter or '_', then letters, digits, '_', '.' and '-'",
			     "%s is not a name", token_show(parser, token));
		return -EINVAL;
	}
	*ret_name = arena_strndup(parser->arena, token->text, token->length);
	parser_advance(parser);
	return 0;
}

int parser_scalar(struct parser *parser, const char *what, const char *example,
		  struct token *ret_token, const char **ret_define)
{
	const struct token *token = &parser->token;
	const struct define *define;

	if (token->kind == TOKEN_WORD && token_keyword(token) == KEYWORD_NONE) {
		*ret_token = *token;
		*ret_define = NULL;
		parser_advance(parser);
		return 0;
	}
	if (token->kind != TOKEN_DEFINE)
		return parser_expected(parser, what, NULL);
	define = parser_find_define(parser, token);
	if (!define)
		return -EINVAL;
	if (define == &parser->unknown_define) {
		*ret_token = (struct token){ .kind = TOKEN_WORD, .text = example, .at = token->at };
		ret_token->length = (uint32_t)strlen(example);
		*ret_define = "";
		parser_advance(parser);
		return 0;
	}
	if (define->token_count != 1 || define->tokens[0].kind != TOKEN_WORD) {
		parser_error(parser, &token->at,
			     diagnostics_hint(parser->diagnostics, "$%s is defined at %s",
					      define->name, parser_place(parser, &define->at)),
			     "expected %s, but $%s is not one word", what, define->name);
		return -EINVAL;
	}
	*ret_token = define->tokens[0];
	ret_token->at = token->at; /* errors are about its use */
	*ret_define = arena_printf(parser->arena, "$%s", define->name);
	parser_advance(parser);
	return 0;
}

const struct ruleset *parser_view(struct parser *parser)
{
	parser->ruleset->files = parser->files.items;
	parser->ruleset->file_count = parser->files.count;
	return parser->ruleset;
}

const char *parser_place(struct parser *parser, const struct location *at)
{
	const struct source_file *files = parser->files.items;

	return arena_printf(parser->diagnostics->arena, "%s:%u", files[at->file].path, at->line);
}

/* From the start of one token to the end of another; only the first if lines are between. */
struct location location_join(const struct location *first, const struct location *last)
{
	struct location at = *first;

	if (first->file == last->file && first->line == last->line && last->column >= first->column)
		at.length = last->column - first->column + last->length;
	return at;
}
