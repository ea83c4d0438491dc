/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files, statements and blocks: what stands where in a rule file, and how to go on behind a
 * mistake. The statements themselves are parsed elsewhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "language/parser.h"

void parser_init(struct parser *parser, struct ruleset *ruleset, const struct file_reader *reader,
		 struct diagnostics *diagnostics)
{
	*parser = (struct parser){
		.ruleset = ruleset,
		.arena = ruleset->arena,
		.diagnostics = diagnostics,
		.reader = reader,
	};
	buffer_clear(&parser->text);
}

void parser_free(struct parser *parser)
{
	table_free(&parser->defines);
	table_free(&parser->sets);
	table_free(&parser->options);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		table_free(&parser->identities[hook]);
		vector_free(&parser->rules[hook]);
	}
	vector_free(&parser->files);
	vector_free(&parser->interfaces);
	vector_free(&parser->option_lines);
	vector_free(&parser->define_items);
	vector_free(&parser->set_items);
	vector_free(&parser->elements);
	vector_free(&parser->spans);
	vector_free(&parser->addresses);
	vector_free(&parser->names);
	vector_free(&parser->set_names);
	vector_free(&parser->tokens);
	buffer_free(&parser->text);
}

uint16_t parser_add_file(struct parser *parser, const struct source_file *file)
{
	*(struct source_file *)vector_add(&parser->files, sizeof(*file)) = *file;
	return (uint16_t)(parser->files.count - 1);
}

const char *file_error_text(int err)
{
	if (err == -EFBIG)
		return "it is larger than 100 MiB";
	if (err == -EMFILE)
		return "there are more than 65000 files";
	return strerror(-err);
}

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

	err = parse_rule(parser, &rule);
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
			parser_error(parser, open, NULL, "this block is not closed");
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
	if (parser->depth == INCLUDE_DEPTH_MAX) {
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
	const char **paths;
	size_t count;
	int err;

	if (name.kind != TOKEN_STRING || !name.length)
		return parser_expected(parser, "the name of a file or a pattern in quotes", NULL);
	parser_advance(parser);
	err = parser_end_of_statement(parser);
	if (err)
		return err;
	pattern = arena_strndup(parser->arena, name.text, name.length);
	if (!text_is_pattern(pattern)) {
		include_one(parser, path_beside(parser->arena, here, pattern), &name.at);
		return 0;
	}
	directory = pattern[0] == '/' ? "" : path_beside(parser->arena, here, "");
	if (!strrchr(here, '/'))
		directory = "";
	err = parser->reader->match(parser->reader, directory, pattern, parser->arena, &paths,
				    &count);
	if (err)
		parser_error(parser, &name.at, NULL, "cannot list \"%s%s\": %s", directory, pattern,
			     file_error_text(err));
	for (size_t i = 0; !err && i < count; i++)
		include_one(parser, paths[i], &name.at);
	return 0;
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

	if (token->kind == TOKEN_WORD)
		nearest = name_nearest(&list, token->text, token->length);
	if (nearest)
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

static void parse_statements(struct parser *parser)
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

static void parse_text(struct parser *parser, const struct source_file *file)
{
	uint16_t index = parser_add_file(parser, file);

	parser->include_path[parser->depth++] = file->path;
	if (file->length > FILE_SIZE_MAX) {
		diagnostics_file_error(parser->diagnostics, file->path, "%s",
				       file_error_text(-EFBIG));
	} else {
		lexer_init(&parser->lexer, file->text, file->length, index);
		parse_statements(parser);
	}
	parser->depth--;
}

int parser_file(struct parser *parser, const char *path, const struct location *at)
{
	struct source_file file;
	int err;

	err = parser->files.count >= FILES_MAX
		      ? -EMFILE
		      : parser->reader->read(parser->reader, path, parser->arena, &file);
	if (err && at)
		parser_error(parser, at, NULL, "cannot read \"%s\": %s", path,
			     file_error_text(err));
	else if (err)
		diagnostics_file_error(parser->diagnostics, path, "cannot read the file: %s",
				       file_error_text(err));
	else
		parse_text(parser, &file);
	return err;
}

static void warn_unused(struct parser *parser)
{
	const struct define *defines = parser->define_items.items;
	struct set *const *sets = parser->set_items.items;

	for (size_t i = 0; i < parser->define_items.count; i++)
		if (!defines[i].used)
			parser_warn(parser, &defines[i].at, NULL, "'%s' is never used",
				    defines[i].name);
	for (size_t i = 0; i < parser->set_items.count; i++)
		if (!sets[i]->used)
			parser_warn(parser, &sets[i]->at, NULL, "set '%s' is never used",
				    sets[i]->name);
}

/* Sets get their final place; what points at them follows. */
static void take_sets(struct parser *parser)
{
	struct ruleset *ruleset = parser->ruleset;
	struct set *const *sets = parser->set_items.items;

	ruleset->set_count = parser->set_items.count;
	ruleset->sets = arena_alloc(parser->arena, ruleset->set_count * sizeof(ruleset->sets[0]));
	for (size_t i = 0; i < ruleset->set_count; i++)
		ruleset->sets[i] = *sets[i];
	for (int hook = 0; hook < FW_HOOKS; hook++)
		for (size_t i = 0; i < ruleset->blocks[hook].count; i++)
			rule_move_sets(&ruleset->blocks[hook].rules[i], ruleset->sets);
}

static void take_block(struct parser *parser, enum fw_hook hook)
{
	struct block *block = &parser->ruleset->blocks[hook];
	struct vector *rules = &parser->rules[hook];
	struct vector builtin = { 0 };

	if (!block->present)
		return;
	if (block->default_action == FW_DROP && parser->ruleset->options.essential)
		builtin_rules(parser, hook, &builtin);
	block->builtin_count = builtin.count;
	block->count = builtin.count + rules->count;
	block->rules = arena_alloc(parser->arena, block->count * sizeof(block->rules[0]));
	if (builtin.count)
		memcpy(block->rules, builtin.items, builtin.count * sizeof(block->rules[0]));
	if (rules->count)
		memcpy(block->rules + builtin.count, rules->items,
		       rules->count * sizeof(block->rules[0]));
	vector_free(&builtin);
	vector_free(rules);
}

static void parser_finish(struct parser *parser)
{
	struct ruleset *ruleset = parser->ruleset;

	options_check(parser);
	warn_unused(parser);
	for (int hook = 0; hook < FW_HOOKS; hook++)
		take_block(parser, (enum fw_hook)hook);
	take_sets(parser);
	ruleset->file_count = parser->files.count;
	ruleset->files = vector_take(&parser->files, sizeof(struct source_file), parser->arena);
	ruleset->interface_count = parser->interfaces.count;
	ruleset->interfaces =
		vector_take(&parser->interfaces, sizeof(struct interface), parser->arena);
	ruleset->option_count = parser->option_lines.count;
	ruleset->option_lines =
		vector_take(&parser->option_lines, sizeof(struct option), parser->arena);
	ruleset->define_count = parser->define_items.count;
	ruleset->defines = vector_take(&parser->define_items, sizeof(struct define), parser->arena);
}

static struct ruleset *ruleset_new(void)
{
	struct arena *arena = arena_new();
	struct ruleset *ruleset = arena_alloc(arena, sizeof(*ruleset));

	ruleset->arena = arena;
	ruleset->options.essential = true;
	ruleset->options.reject_rate = 100;
	return ruleset;
}

static int parse_main(const char *path, const struct source_file *file,
		      const struct file_reader *reader, struct diagnostics *diagnostics,
		      struct ruleset **ret_ruleset)
{
	struct ruleset *ruleset = ruleset_new();
	size_t errors = diagnostics->error_count;
	struct parser parser;

	parser_init(&parser, ruleset, reader, diagnostics);
	if (file)
		parse_text(&parser, file);
	else
		parser_file(&parser, path, NULL);
	if (!diagnostics_is_full(diagnostics))
		parser_finish(&parser);
	parser_free(&parser);
	if (diagnostics->error_count != errors) {
		ruleset_free(&ruleset);
		return -EINVAL;
	}
	*ret_ruleset = ruleset;
	return 0;
}

int ruleset_parse(const char *path, const struct file_reader *reader,
		  struct diagnostics *diagnostics, struct ruleset **ret_ruleset)
{
	return parse_main(path, NULL, reader, diagnostics, ret_ruleset);
}

int ruleset_parse_text(const struct source_file *file, const struct file_reader *reader,
		       struct diagnostics *diagnostics, struct ruleset **ret_ruleset)
{
	return parse_main(NULL, file, reader, diagnostics, ret_ruleset);
}
