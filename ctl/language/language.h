/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rule language from outside: text to ruleset, ruleset to text, single rules in and out.
 * Nothing here touches the kernel; files are read only through a file_reader.
 */
#ifndef FWCTL_LANGUAGE_LANGUAGE_H
#define FWCTL_LANGUAGE_LANGUAGE_H

#include "base/buffer.h"
#include "language/diagnostic.h"
#include "language/model.h"

/* Bounds of a rule file and of everything that it reads. Past one: an error that names it. */
#define FILE_SIZE_MAX	  (100UL << 20)
#define LINE_LENGTH_MAX	  (64U << 10)
#define INCLUDE_DEPTH_MAX 16
#define FILES_MAX	  65000
#define DEFINE_VALUES_MAX 65536

struct path_list {
	const char **paths;
	size_t count;
};

/* Where texts come from: the file system, or memory for the rules that are running. */
struct file_reader {
	/*
	 * Reads one file; text and path of *ret_file stay valid as long as the arena (and, for
	 * texts in memory, their owner). 0, or -errno; -EFBIG past FILE_SIZE_MAX.
	 */
	int (*read)(const struct file_reader *reader, const char *path, struct arena *arena,
		    struct source_file *ret_file);
	/* Paths that match the pattern (glob(7)), which is relative to a directory; sorted. */
	int (*match)(const struct file_reader *reader, const char *directory, const char *pattern,
		     struct arena *arena, struct path_list *ret_paths);
	const struct source_file *files; /* of a reader from memory */
	size_t file_count;
};

/* Reads the file system; the path "-" is standard input. */
extern const struct file_reader file_reader_system;

/* A reader for texts in memory, which is found by their exact paths. Keeps the pointer. */
struct file_reader file_reader_memory(const struct source_file *files, size_t count);

/*
 * Parses and checks a rule file. 0 and a ruleset that the caller frees with ruleset_free(), or
 * -EINVAL and at least one error in the diagnostics. There may be warnings in both cases.
 */
int ruleset_parse(const char *path, const struct file_reader *reader,
		  struct diagnostics *diagnostics, struct ruleset **ret_ruleset);

/* The same for a text at hand; its includes and file sets are relative to the file's path. */
int ruleset_parse_text(const struct source_file *file, const struct file_reader *reader,
		       struct diagnostics *diagnostics, struct ruleset **ret_ruleset);

/* "pass", "drop", "reject", "count" */
const char *action_name(enum fw_action action);

/* The words that a match begins with: "proto", "from", "to port", "inet6". */
const char *match_name(const struct match *match);

/*
 * Adds the canonical text of the whole file, includes put in place, without built-in rules:
 * parsed again it means the same, and prints the same.
 */
void ruleset_print(const struct ruleset *ruleset, struct buffer *buffer);

/* The same with the built-in rules, as comments, for people to read. */
void ruleset_print_all(const struct ruleset *ruleset, struct buffer *buffer);

/* Adds the elements of a list of addresses, one prefix or span a line. */
void address_ranges_print(const struct address_ranges *ranges, struct buffer *buffer);

enum place_kind {
	PLACE_END,
	PLACE_INDEX,  /* before the rule that has this index now */
	PLACE_BEFORE, /* before the rule of this identity */
	PLACE_AFTER,
};

/* Where a rule goes. Built-in rules count for indexes, but nothing goes before or among them. */
struct rule_place {
	enum fw_hook hook;
	enum place_kind kind;
	size_t index;
	const char *identity;
};

/*
 * Parses one rule, as text without newline, and puts it into its block. 0 and its index, or
 * -EINVAL, diagnostics and an unchanged ruleset. Diagnostics name the text "<command line>".
 */
int rule_parse_into(struct ruleset *ruleset, const struct rule_place *place, const char *text,
		    struct diagnostics *diagnostics, size_t *ret_index);

/*
 * The canonical text of one rule that may use the ruleset's defines and sets. -EINVAL if it is no
 * rule. *ret_text lies in the ruleset's arena.
 */
int rule_text_canonical(struct ruleset *ruleset, const char *text, const char **ret_text);

/* Takes a rule out. -ENOENT if there is none of that index, -EPERM if it is built in. */
int rule_remove(struct ruleset *ruleset, enum fw_hook hook, size_t index);

/* Finds a rule by label or canonical text. 0 or -ENOENT. */
int rule_find(const struct ruleset *ruleset, enum fw_hook hook, const char *identity,
	      size_t *ret_index);

/*
 * The text in the canonical layout, comments kept. 0 or -EINVAL and diagnostics. Included files
 * and file sets are not read: a file is formatted for itself.
 */
int format_text(const struct source_file *file, struct diagnostics *diagnostics,
		struct buffer *ret_text);

#endif
