/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the parser share. Recursive descent, one token ahead, everything in struct
 * parser: no globals. A function that meets a syntax error reports it and returns -EINVAL; the
 * statement is then skipped. A value that is wrong in itself is reported and parsing goes on,
 * so that one run tells all.
 */
#ifndef FWCTL_LANGUAGE_PARSER_H
#define FWCTL_LANGUAGE_PARSER_H

#include <string.h>

#include "base/buffer.h"
#include "base/ranges.h"
#include "base/table.h"
#include "language/language.h"
#include "language/lexer.h"
#include "language/names.h"

/* Words that are never names. */
enum keyword {
	KEYWORD_NONE,
	KEYWORD_ANY,
	KEYWORD_BURST,
	KEYWORD_CODE,
	KEYWORD_COUNT,
	KEYWORD_COUNTERS,
	KEYWORD_DEFAULT,
	KEYWORD_DEFINE,
	KEYWORD_DMAC,
	KEYWORD_DROP,
	KEYWORD_DSCP,
	KEYWORD_EGRESS,
	KEYWORD_ETHERTYPE,
	KEYWORD_FILE,
	KEYWORD_FLAGS,
	KEYWORD_FRAGMENT,
	KEYWORD_FROM,
	KEYWORD_INCLUDE,
	KEYWORD_INET,
	KEYWORD_INET6,
	KEYWORD_INGRESS,
	KEYWORD_INTERFACE,
	KEYWORD_KEEP,
	KEYWORD_LABEL,
	KEYWORD_LENGTH,
	KEYWORD_LIMIT,
	KEYWORD_LIVE,
	KEYWORD_LOG,
	KEYWORD_MODE,
	KEYWORD_NOT,
	KEYWORD_ON,
	KEYWORD_OPTION,
	KEYWORD_PASS,
	KEYWORD_PER,
	KEYWORD_PORT,
	KEYWORD_PROTO,
	KEYWORD_REJECT,
	KEYWORD_SAMPLE,
	KEYWORD_SET,
	KEYWORD_SIZE,
	KEYWORD_SMAC,
	KEYWORD_STATE,
	KEYWORD_SYNCOOKIE,
	KEYWORD_TIMEOUT,
	KEYWORD_TO,
	KEYWORD_TTL,
	KEYWORD_TYPE,
	KEYWORD_VLAN,
};

/* A vector on the heap, freed with the parser. */
struct vector {
	void *items;
	size_t count;
	size_t capacity;
};

/* One value of a list as what it means, with the element that it came from. */
struct span {
	uint64_t low;
	uint64_t high;
	uint32_t element;
};

struct address_span {
	struct address low;
	struct address high;
	uint32_t element;
};

struct parser {
	struct ruleset *ruleset;
	struct arena *arena; /* the ruleset's */
	struct diagnostics *diagnostics;
	const struct file_reader *reader;
	struct lexer lexer;
	struct token token;	      /* the one that is looked at */
	struct location taken;	      /* the one before it */
	struct location bad_bytes;    /* the last bytes that are no text */
	uint32_t open_lists;	      /* braces of lists that are open */
	bool at_statement;	      /* an open list ran into the next statement */
	const struct define *through; /* the define that a value comes from, or NULL */
	bool alone; /* only this text is known: what it does not define may be fine */
	struct define unknown_define; /* stands for what is not known then */
	struct set unknown_set;
	bool builtin;	/* labels may have a colon */
	bool canonical; /* the text is one that ruleset_print() made */
	const char *include_path[INCLUDE_DEPTH_MAX + 1]; /* files that are being read, main first */
	unsigned depth;
	uint32_t statements;

	struct table defines; /* name to index */
	struct table sets;
	struct table identities[FW_HOOKS]; /* rule identity to index in rules[hook] */
	struct table options;

	/* What grows while parsing and is copied into the arena at the end. */
	struct vector files; /* struct source_file */
	struct vector interfaces;
	struct vector option_lines;
	struct vector define_items;
	struct vector set_items; /* struct set *, which stay where they are until the end */
	struct vector rules[FW_HOOKS];

	/* Scratch of one list, reused from list to list. */
	struct vector elements;	 /* struct element */
	struct vector spans;	 /* struct span */
	struct vector addresses; /* struct address_span */
	struct vector names;	 /* const char * */
	struct vector set_names; /* uint32_t: indexes of sets */
	struct vector tokens;	 /* struct token, of defines */
	struct buffer text;

	struct name_list services; /* read at the first name that is asked for */
	struct name_list protocols;
	bool services_read;
	bool protocols_read;
};

/* parser.c */
void parser_init(struct parser *parser, struct ruleset *ruleset, const struct file_reader *reader,
		 struct diagnostics *diagnostics);
void parser_free(struct parser *parser);
uint16_t parser_add_file(struct parser *parser, const struct source_file *file);
const char *file_error_text(int err);
int parser_file(struct parser *parser, const char *path, const struct location *at);
/* Whether a text is right as far as it tells by itself, without the files that it names. */
int parser_check_alone(const struct source_file *file, struct diagnostics *diagnostics);

/* statement.c */
void parse_statements(struct parser *parser);
void parser_recover(struct parser *parser);
int parser_end_of_statement(struct parser *parser);

/* token.c: the token that is looked at, and errors about it */
void parser_advance(struct parser *parser);
enum keyword token_keyword(const struct token *token);
enum keyword keyword_find(const char *text, size_t length);
const char *keyword_nearest(const char *text, size_t length);
bool keyword_starts_statement(enum keyword keyword);
bool parser_at_keyword(const struct parser *parser, enum keyword keyword);
bool parser_take_keyword(struct parser *parser, enum keyword keyword);
bool token_is(const struct token *token, const char *word);
const char *token_show(struct parser *parser, const struct token *token);

/* Reports "expected WHAT, not TOKEN" at the token that is looked at; returns -EINVAL. */
int parser_expected(struct parser *parser, const char *what, const char *hint);
int parser_expect(struct parser *parser, enum token_kind kind, const char *what);
/* A name that is no keyword; -EINVAL and a message if there is none. `what` is as in "a label". */
int parser_name(struct parser *parser, const char *what, const char **ret_name);
/*
 * Takes the word that stands for one number or the like: the token itself, or that of a $define,
 * of which the written text goes to *ret_define, else NULL. `example` is a right word.
 */
int parser_scalar(struct parser *parser, const char *what, const char *example,
		  struct token *ret_token, const char **ret_define);
/*
 * Reports an error, unless one about bytes that are no text stands before it on its line: what
 * is wrong behind those is their fault.
 */
void parser_error(struct parser *parser, const struct location *at, const char *hint,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
#define parser_warn(parser, at, hint, ...) \
	diagnostics_warn((parser)->diagnostics, parser_view(parser), (at), (hint), __VA_ARGS__)
/* The ruleset with its files as far as they are known, which diagnostics need. */
const struct ruleset *parser_view(struct parser *parser);
const char *parser_place(struct parser *parser, const struct location *at);
struct location location_join(const struct location *first, const struct location *last);

/* vector.c */
void *vector_add(struct vector *vector, size_t size);
void *vector_take(struct vector *vector, size_t size, struct arena *arena);
void vector_free(struct vector *vector);

/* define.c: define and set; path of a file beside the one that is being read */
int parse_define(struct parser *parser);
int parse_set(struct parser *parser);
struct define *parser_find_define(struct parser *parser, const struct token *token);
struct set *parser_find_set(struct parser *parser, const struct token *token);
const char *path_beside(struct arena *arena, const char *path, const char *name);
/* A path as seen from the directory of `main`, if it lies there; else as it is. */
const char *path_below(struct arena *arena, const char *main, const char *path);

/* set_file.c */
int set_file_read(struct parser *parser, struct set *set, const struct token *name);

/* option.c: interface and option */
int parse_interface(struct parser *parser);
int parse_option(struct parser *parser);
int parse_duration(struct parser *parser, uint64_t *ret_seconds, const char **ret_text);
int parse_count(struct parser *parser, const char *what, const uint64_t bounds[2],
		uint64_t *ret_value, const char **ret_text);
void options_check(struct parser *parser);

/* rule.c */
int parse_rule(struct parser *parser, enum fw_hook hook, struct rule *ret_rule);

/* --- rule_check.c: tells what is wrong with it as a whole. */
void rule_check(struct parser *parser, enum fw_hook hook, const struct rule *rule);

/* modifier.c */
bool keyword_is_modifier(enum keyword keyword);
int parse_modifier(struct parser *parser, enum keyword keyword, struct rule *rule);

/* list.c: lists of values, as written and as what they mean */
int parse_list(struct parser *parser, struct match *match, bool icmp6);
int list_skip_newlines(struct parser *parser, const struct location *open);
int parse_set_elements(struct parser *parser, struct set *set);

/* value.c: one word as a value of a kind; messages and -EINVAL if it is none */
int value_of_token(struct parser *parser, enum match_kind kind, bool icmp6,
		   const struct token *token, struct element *ret_element);
int number_of_token(struct parser *parser, const struct token *token, const char *what,
		    const uint64_t bounds[2], uint64_t *ret_value);
/* True if the word is a protocol's name or number. */
bool protocol_is_known(struct parser *parser, const struct token *token);
const char *value_kind_name(enum match_kind kind);
int interface_of_token(struct parser *parser, const struct token *token, const char **ret_name);
bool text_is_pattern(const char *text);

/* address_value.c */
int address_of_token(struct parser *parser, const struct token *token, struct element *ret_element);
/* True if the token is an address, a prefix or a span, without saying anything. */
bool token_is_address(const struct token *token, struct element *ret_element);

/* merge.c: what is written twice, and what remains */
void merge_spans(struct parser *parser, struct match *match, bool icmp6);
void merge_addresses(struct parser *parser, const struct element_list *written,
		     struct address_ranges *ret_ranges);

/* builtin.c */
void builtin_rules(struct parser *parser, enum fw_hook hook, struct vector *ret_rules);

/* edit.c: lets a rule's sets point into another array, by their indexes */
void rule_move_sets(const struct rule *rule, const struct set *sets);

/* print.c */
void text_print_quoted(const char *text, struct buffer *buffer);
void rule_print(const struct rule *rule, struct buffer *buffer);
void element_print(enum match_kind kind, bool icmp6, const struct element *element,
		   struct buffer *buffer);
void element_list_print(enum match_kind kind, bool icmp6, const struct element_list *list,
			struct buffer *buffer);

#endif
