/* SPDX-License-Identifier: GPL-2.0-only */
/* Single rules put into a ruleset and taken out of it, as `add` and `delete` do. */
#include <errno.h>
#include <string.h>

#include "language/parser.h"

void rule_move_sets(const struct rule *rule, const struct set *sets)
{
	for (size_t i = 0; i < rule->match_count; i++) {
		const struct match *match = &rule->matches[i];

		if (match->kind != MATCH_SOURCE && match->kind != MATCH_DESTINATION)
			continue;
		for (size_t j = 0; j < match->addresses.set_count; j++)
			match->addresses.sets[j] = &sets[match->addresses.sets[j]->index];
	}
}

int rule_find(const struct ruleset *ruleset, enum fw_hook hook, const char *identity,
	      size_t *ret_index)
{
	const struct block *block = &ruleset->blocks[hook];

	for (size_t i = 0; i < block->count; i++)
		if (!strcmp(rule_identity(&block->rules[i]), identity)) {
			*ret_index = i;
			return 0;
		}
	return -ENOENT;
}

int rule_remove(struct ruleset *ruleset, enum fw_hook hook, size_t index)
{
	struct block *block = &ruleset->blocks[hook];

	if (index >= block->count)
		return -ENOENT;
	if (block->rules[index].builtin)
		return -EPERM;
	memmove(&block->rules[index], &block->rules[index + 1],
		(block->count - index - 1) * sizeof(block->rules[0]));
	block->count--;
	return 0;
}

#define COMMAND_LINE "<command line>"

static int find_place(const struct ruleset *ruleset, const struct rule_place *place,
		      struct diagnostics *diagnostics, size_t *ret_index)
{
	const struct block *block = &ruleset->blocks[place->hook];
	const char *hook = place->hook == FW_INGRESS ? "ingress" : "egress";
	size_t index = block->count;

	if (!block->present) {
		diagnostics_file_error(diagnostics, COMMAND_LINE, "the rules have no %s block",
				       hook);
		return -EINVAL;
	}
	if (place->kind == PLACE_INDEX) {
		index = place->index;
	} else if (place->kind != PLACE_END) {
		if (rule_find(ruleset, place->hook, place->identity, &index)) {
			diagnostics_file_error(diagnostics, COMMAND_LINE,
					       "no %s rule is labelled '%s'", hook,
					       place->identity);
			return -EINVAL;
		}
		index += place->kind == PLACE_AFTER;
	}
	if (index < block->builtin_count || index > block->count) {
		diagnostics_file_error(diagnostics, COMMAND_LINE,
				       index > block->count ? "the %s block has no such place"
							    : "the %s block's built-in rules come "
							      "first",
				       hook);
		return -EINVAL;
	}
	*ret_index = index;
	return 0;
}

/* A parser that knows what the ruleset defines. */
static void load_names(struct parser *parser, struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->file_count; i++)
		parser_add_file(parser, &ruleset->files[i]);
	for (size_t i = 0; i < ruleset->define_count; i++) {
		const struct define *define = &ruleset->defines[i];

		*(struct define *)vector_add(&parser->define_items, sizeof(*define)) = *define;
		table_add(&parser->defines, define->name, strlen(define->name), (uint32_t)i);
	}
	for (size_t i = 0; i < ruleset->set_count; i++) {
		struct set *set = &ruleset->sets[i];

		*(struct set **)vector_add(&parser->set_items, sizeof(void *)) = set;
		table_add(&parser->sets, set->name, strlen(set->name), (uint32_t)i);
	}
}

static void keep_used(const struct parser *parser, struct ruleset *ruleset)
{
	const struct define *defines = parser->define_items.items;

	for (size_t i = 0; i < ruleset->define_count; i++)
		ruleset->defines[i].used = defines[i].used;
}

static void insert_rule(struct ruleset *ruleset, enum fw_hook hook, size_t index,
			const struct rule *rule)
{
	struct block *block = &ruleset->blocks[hook];
	struct rule *rules = arena_alloc(ruleset->arena, (block->count + 1) * sizeof(*rules));

	memcpy(rules, block->rules, index * sizeof(*rules));
	rules[index] = *rule;
	memcpy(rules + index + 1, block->rules + index, (block->count - index) * sizeof(*rules));
	block->rules = rules;
	block->count++;
}

static int parse_alone(struct parser *parser, enum fw_hook hook, struct rule *ret_rule)
{
	size_t errors = parser->diagnostics->error_count;
	int err;

	parser_advance(parser);
	err = parse_rule(parser, hook, ret_rule);
	if (!err && parser->token.kind != TOKEN_END)
		err = parser_expected(parser, "the end of the rule", "give one rule at a time");
	return err || parser->diagnostics->error_count != errors ? -EINVAL : 0;
}

static int check_identity(struct parser *parser, const struct ruleset *ruleset, enum fw_hook hook,
			  const struct rule *rule)
{
	size_t other;

	if (rule_find(ruleset, hook, rule_identity(rule), &other))
		return 0;
	parser_error(parser, &rule->at, rule->label ? NULL : "labels tell rules apart",
		     rule->label ? "the label '%s' stands in this block already"
				 : "'%s' stands in this block already",
		     rule_identity(rule));
	return -EINVAL;
}

/* A parser that stands before a rule's text and knows the names of the ruleset. */
static void parser_open(struct parser *parser, struct ruleset *ruleset, const char *text,
			struct diagnostics *diagnostics)
{
	const size_t length = strlen(text);
	const struct source_file file = {
		.path = COMMAND_LINE,
		.text = arena_strndup(ruleset->arena, text, length),
		.length = length,
	};

	parser_init(parser, ruleset, &file_reader_system, diagnostics);
	load_names(parser, ruleset);
	lexer_init(&parser->lexer, file.text, file.length, parser_add_file(parser, &file));
}

int rule_parse_into(struct ruleset *ruleset, const struct rule_place *place, const char *text,
		    struct diagnostics *diagnostics, size_t *ret_index)
{
	struct source_file *files = ruleset->files;
	size_t file_count = ruleset->file_count, index;
	struct parser parser;
	struct rule rule;
	int err;

	err = find_place(ruleset, place, diagnostics, &index);
	if (err)
		return err;
	parser_open(&parser, ruleset, text, diagnostics);
	err = parse_alone(&parser, place->hook, &rule);
	if (!err)
		err = check_identity(&parser, ruleset, place->hook, &rule);
	if (!err) {
		file_count = parser.files.count;
		files = vector_take(&parser.files, sizeof(*files), ruleset->arena);
		keep_used(&parser, ruleset);
		insert_rule(ruleset, place->hook, index, &rule);
		*ret_index = index;
	}
	ruleset->files = files;
	ruleset->file_count = file_count;
	parser_free(&parser);
	return err;
}

int rule_text_canonical(struct ruleset *ruleset, const char *text, const char **ret_text)
{
	struct source_file *files = ruleset->files;
	size_t file_count = ruleset->file_count;
	struct diagnostics diagnostics;
	struct parser parser;
	struct rule rule;
	int err;

	diagnostics_init(&diagnostics);
	parser_open(&parser, ruleset, text, &diagnostics);
	err = parse_alone(&parser, FW_INGRESS, &rule);
	ruleset->files = files;
	ruleset->file_count = file_count;
	parser_free(&parser);
	diagnostics_free(&diagnostics);
	if (!err)
		*ret_text = rule.text;
	return err;
}
