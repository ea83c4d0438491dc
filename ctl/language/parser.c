/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole run: files in, ruleset out. Reads what is to be parsed, checks what only the whole
 * tells, and moves everything to where it stays.
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
	for (int hook = 0; ruleset->set_count && hook < FW_HOOKS; hook++)
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
	if (!parser->diagnostics->error_count)
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
	ruleset->options.syncookie_after = 1000;
	return ruleset;
}

int parser_check_alone(const struct source_file *file, struct diagnostics *diagnostics)
{
	struct ruleset *ruleset = ruleset_new();
	size_t errors = diagnostics->error_count;
	struct parser parser;

	parser_init(&parser, ruleset, NULL, diagnostics);
	parser.alone = true;
	parse_text(&parser, file);
	parser_free(&parser);
	ruleset_free(&ruleset);
	return diagnostics->error_count == errors ? 0 : -EINVAL;
}

static int parse_main(const char *path, const struct source_file *file,
		      const struct file_reader *reader, struct diagnostics *diagnostics,
		      struct ruleset **ret_ruleset)
{
	struct ruleset *ruleset = ruleset_new();
	size_t errors = diagnostics->error_count;
	struct parser parser;

	parser_init(&parser, ruleset, reader, diagnostics);
	parser.canonical = file && !strcmp(file->path, RUNNING_RULES);
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
