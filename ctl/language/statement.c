/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statements and blocks: what stands where in a rule file, and how to go on behind a mistake.
 * What is in a statement is parsed elsewhere.
 */
#include <errno.h>
#include <string.h>

#include "language/parser.h"

/*
 * Skips the rest of the statement. Lists that are open are skipped with it, but not past a line
 * that starts a statement; the brace that closes a block is left alone.
 */
void parser_recover(struct parser *parser)
{
	uint32_t open = parser->open_lists;
	bool newline = false;

	parser->open_lists = 0;
	if (parser->at_statement) {
		parser->at_statement = false;
		return;
	}
	for (;; parser_advance(parser)) {
		switch (parser->token.kind) {
		case TOKEN_END:
			return;
		case TOKEN_NEWLINE:
			if (!open)
				return;
			newline = true;
			continue;
		case TOKEN_OPEN:
			open++;
			break;
		case TOKEN_CLOSE:
			if (!open)
				return;
			open--;
			break;
		default:
			if (newline && keyword_starts_statement(token_keyword(&parser->token)))
				return;
		}
		newline = false;
	}
}

int parser_end_of_statement(struct parser *parser)
{
	if (parser->token.kind == TOKEN_NEWLINE || parser->token.kind == TOKEN_END)
		return 0;
	return parser_expected(parser, "the end of the line", NULL);
}

/* Keeps the rule if no other in its block has its identity. */
static void keep_rule(struct parser *parser, enum fw_hook hook, const struct rule *rule)
{
	const char *identity = rule_identity(rule);
	struct vector *rules = &parser->rules[hook];
	const struct rule *all = rules->items;
	const uint32_t *earlier;

	if (!table_add(&parser->identities[hook], identity, strlen(identity),
		       (uint32_t)rules->count)) {
		earlier = table_find(&parser->identities[hook], identity, strlen(identity));
		parser_error(parser, &rule->at,
			     diagnostics_hint(parser->diagnostics,
					      rule->label ? "the first is at %s"
							  : "the first is at %s; labels tell "
							    "rules apart",
					      parser_place(parser, &all[*earlier].at)),
			     rule->label ? "the label '%s' stands in this block already"
					 : "'%s' stands in this block already",
			     identity);
		return;
	}
	if (rules->count == FW_MAX_RULES)
		parser_error(parser, &rule->at, NULL, "a block has at most %u rules", FW_MAX_RULES);
	*(struct rule *)vector_add(rules, sizeof(*rule)) = *rule;
}

static void parse_block_rule(struct parser *parser, enum fw_hook hook)
{
	size_t errors = parser->diagnostics->error_count;
	struct rule rule;
	int err;

	err = parse_rule(parser, hook, &rule);
	if (!err) {
		if (parser->diagnostics->error_count == errors)
			keep_rule(parser, hook, &rule);
		if (parser->token.kind != TOKEN_CLOSE)
			err = parser_end_of_statement(parser);
	}
	if (err)
		parser_recover(parser);
}

static bool at_top_statement(const struct parser *parser)
{
	switch (token_keyword(&parser->token)) {
	case KEYWORD_DEFINE:
	case KEYWORD_EGRESS:
	case KEYWORD_INCLUDE:
	case KEYWORD_INGRESS:
	case KEYWORD_INTERFACE:
	case KEYWORD_OPTION:
	case KEYWORD_SET:
		return true;
	default:
		return false;
	}
}

/* From behind the open brace to behind the one that closes. */
static int parse_block_rules(struct parser *parser, enum fw_hook hook, const struct location *open)
{
	while (!diagnostics_is_full(parser->diagnostics)) {
		if (parser->token.kind == TOKEN_CLOSE) {
			parser_advance(parser);
			return 0;
		}
		if (parser->token.kind == TOKEN_NEWLINE) {
			parser_advance(parser);
		} else if (parser->token.kind == TOKEN_END || at_top_statement(parser)) {
			parser_error(
				parser, open,
				parser->token.kind == TOKEN_END
					? NULL
					: diagnostics_hint(parser->diagnostics,
							   "%s in line %u stands outside of blocks",
							   token_show(parser, &parser->token),
							   parser->token.at.line),
				"this block is not closed");
			parser->at_statement = parser->token.kind != TOKEN_END;
			return -EINVAL;
		} else {
			parse_block_rule(parser, hook);
		}
	}
	return -EINVAL;
}

static int block_default(struct parser *parser, enum fw_action *ret_action)
{
	int err;

	if (!parser_take_keyword(parser, KEYWORD_DEFAULT))
		return parser_expected(parser, "default", "a block starts: ingress default drop {");
	if (parser_at_keyword(parser, KEYWORD_PASS))
		*ret_action = FW_PASS;
	else if (parser_at_keyword(parser, KEYWORD_DROP))
		*ret_action = FW_DROP;
	else
		return parser_expected(parser, "pass or drop", NULL);
	parser_advance(parser);
	err = parser->token.kind == TOKEN_OPEN ? 0 : parser_expected(parser, "'{'", NULL);
	return err;
}

/* Behind a wrong head the rules are still read, if there is a brace on the line. */
static bool skip_to_brace(struct parser *parser)
{
	while (parser->token.kind != TOKEN_OPEN && parser->token.kind != TOKEN_NEWLINE &&
	       parser->token.kind != TOKEN_END)
		parser_advance(parser);
	return parser->token.kind == TOKEN_OPEN;
}

static int parse_block(struct parser *parser, enum fw_hook hook, const struct location *start)
{
	struct block *block = &parser->ruleset->blocks[hook];
	enum fw_action action = FW_DROP;
	struct location open;

	if (block->present)
		parser_error(parser, start,
			     diagnostics_hint(parser->diagnostics, "the first is at %s",
					      parser_place(parser, &block->at)),
			     "a file has one %s block", hook == FW_INGRESS ? "ingress" : "egress");
	else
		block->at = *start;
	if (block_default(parser, &action) && !skip_to_brace(parser))
		return -EINVAL;
	block->present = true;
	block->default_action = action;
	open = parser->token.at;
	parser_advance(parser);
	return parse_block_rules(parser, hook, &open);
}

static void include_one(struct parser *parser, const char *path, const struct location *at)
{
	struct lexer lexer = parser->lexer;
	struct token token = parser->token;

	for (unsigned i = 0; i < parser->depth; i++)
		if (!strcmp(parser->include_path[i], path)) {
			parser_error(parser, at, NULL, "\"%s\" would include itself", path);
			return;
		}
	if (parser->depth > INCLUDE_DEPTH_MAX) {
		parser_error(parser, at, NULL, "files are included more than %u deep",
			     INCLUDE_DEPTH_MAX);
		return;
	}
	parser_file(parser, path, at);
	parser->lexer = lexer;
	parser->token = token;
}

/* A pattern may match nothing, a plain name may not. */
static int parse_include(struct parser *parser)
{
	const char *here = parser->include_path[parser->depth - 1];
	const struct token name = parser->token;
	const char *pattern, *directory;
	struct path_list list;
	int err;

	if (name.kind != TOKEN_STRING || !name.length)
		return parser_expected(parser, "the name of a file or a pattern in quotes", NULL);
	parser_advance(parser);
	err = parser_end_of_statement(parser);
	if (err)
		return err;
	if (parser->alone)
		return 0;
	pattern = arena_strndup(parser->arena, name.text, name.length);
	if (!text_is_pattern(pattern)) {
		include_one(parser, path_beside(parser->arena, here, pattern), &name.at);
		return 0;
	}
	directory = pattern[0] == '/' ? "" : path_beside(parser->arena, here, "");
	if (!strrchr(here, '/'))
		directory = "";
	err = parser->reader->match(parser->reader, directory, pattern, parser->arena, &list);
	if (err)
		parser_error(parser, &name.at, NULL, "cannot list \"%s%s\": %s", directory, pattern,
			     file_error_text(err));
	for (size_t i = 0; !err && i < list.count; i++)
		include_one(parser, list.paths[i], &name.at);
	return 0;
}

/* What other firewalls call a direction. */
static const char *foreign_block(const struct token *token)
{
	static const struct {
		const char *word;
		const char *hint;
	} blocks[] = {
		{ "input", "what comes in is called ingress" },
		{ "output", "what goes out is called egress" },
		{ "forward", "what is forwarded meets ingress where it comes in and egress where "
			     "it goes out" },
	};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (name_is(blocks[i].word, token->text, token->length))
			return blocks[i].hint;
	return NULL;
}

static int unknown_statement(struct parser *parser)
{
	static const struct name_value statements[] = {
		{ "define", 0 },    { "egress", 0 }, { "include", 0 }, { "ingress", 0 },
		{ "interface", 0 }, { "option", 0 }, { "set", 0 },
	};
	static const struct name_list list = { .items = statements, .count = 7 };
	const struct token *token = &parser->token;
	const char *nearest = NULL, *hint = NULL;
	enum keyword keyword = token_keyword(token);

	if (token->kind == TOKEN_WORD) {
		hint = foreign_block(token);
		nearest = name_nearest(&list, token->text, token->length);
	}
	if (!hint && nearest)
		hint = diagnostics_hint(parser->diagnostics, "did you mean '%s'?", nearest);
	if (keyword == KEYWORD_PASS || keyword == KEYWORD_DROP || keyword == KEYWORD_REJECT ||
	    keyword == KEYWORD_COUNT)
		hint = "rules stand in a block: ingress default drop { ... }";
	if (token->kind == TOKEN_CLOSE) {
		parser_error(parser, &token->at, NULL, "no block is open here");
		parser_advance(parser);
		return 0;
	}
	return parser_expected(parser, "interface, option, define, set, include, ingress or egress",
			       hint);
}

static int parse_statement(struct parser *parser)
{
	const struct location start = parser->token.at;
	enum keyword keyword = token_keyword(&parser->token);

	if (!at_top_statement(parser))
		return unknown_statement(parser);
	parser->statements++;
	parser_advance(parser);
	switch (keyword) {
	case KEYWORD_INTERFACE:
		return parse_interface(parser);
	case KEYWORD_OPTION:
		return parse_option(parser);
	case KEYWORD_DEFINE:
		return parse_define(parser);
	case KEYWORD_SET:
		return parse_set(parser);
	case KEYWORD_INCLUDE:
		return parse_include(parser);
	default:
		return parse_block(parser, keyword == KEYWORD_INGRESS ? FW_INGRESS : FW_EGRESS,
				   &start);
	}
}

void parse_statements(struct parser *parser)
{
	parser_advance(parser);
	while (parser->token.kind != TOKEN_END && !diagnostics_is_full(parser->diagnostics)) {
		if (parser->token.kind == TOKEN_NEWLINE) {
			parser_advance(parser);
			continue;
		}
		if (parse_statement(parser) || parser_end_of_statement(parser))
			parser_recover(parser);
		/* A brace that closes nothing has been told of by unknown_statement(). */
	}
}
