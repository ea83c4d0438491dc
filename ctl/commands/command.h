/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every command of fwctl shares: the global options, how a command line is taken apart, and
 * the exit status. One file a command; main.c has the table.
 */
#ifndef FWCTL_COMMANDS_COMMAND_H
#define FWCTL_COMMANDS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define DEFAULT_PIN_DIR	     "/sys/fs/bpf/fwctl"
#define DEFAULT_RULE_FILE    "/etc/fwctl/fw.conf"
#define DEFAULT_WAIT_SECONDS 10

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2, /* of the command line, or an error in the rules */
};

struct command;

/* What the global options say. */
struct context {
	const struct command *command; /* the one that runs */
	const char *pin_dir;
	struct timespec started;   /* monotonic */
	unsigned int wait_seconds; /* for the lock */
	bool quiet;
	bool verbose;
	bool help; /* was asked for: main.c answers, the command does nothing */
};

struct command {
	const char *name;
	enum exit_status (*run)(struct context *context, int argc, char **argv);
	const char *operands; /* as in the usage line; a line for each way to call it */
	const char *summary;
};

enum exit_status command_apply(struct context *context, int argc, char **argv);
enum exit_status command_check(struct context *context, int argc, char **argv);
enum exit_status command_format(struct context *context, int argc, char **argv);
enum exit_status command_list(struct context *context, int argc, char **argv);
enum exit_status command_stats(struct context *context, int argc, char **argv);
enum exit_status command_status(struct context *context, int argc, char **argv);
enum exit_status command_add(struct context *context, int argc, char **argv);
enum exit_status command_delete(struct context *context, int argc, char **argv);
enum exit_status command_save(struct context *context, int argc, char **argv);
enum exit_status command_down(struct context *context, int argc, char **argv);
enum exit_status command_watch(struct context *context, int argc, char **argv);
enum exit_status command_set(struct context *context, int argc, char **argv);
enum exit_status command_ban(struct context *context, int argc, char **argv);
enum exit_status command_unban(struct context *context, int argc, char **argv);
enum exit_status command_flows(struct context *context, int argc, char **argv);
enum exit_status command_explain(struct context *context, int argc, char **argv);
enum exit_status command_diff(struct context *context, int argc, char **argv);

enum argument_kind {
	ARGUMENT_FLAG, /* `value` is a bool * */
	ARGUMENT_TEXT, /* `value` is a const char ** */
};

/* An option of a command: "--json", or "-n" as its `letter`. A table ends with a NULL name. */
struct argument {
	const char *name;
	char letter; /* or 0 */
	enum argument_kind kind;
	void *value;
};

enum operand_order {
	OPERANDS_ANYWHERE, /* options may stand between and behind operands */
	OPERANDS_LAST,	   /* the first operand ends the options: the rest is a rule's text */
};

/*
 * Takes the options out of argv, the command's own and the global ones, and leaves the operands
 * in argv[0 .. *argc - 1]. "--" ends the options. On entry argv[0] is the first argument behind
 * the command's name. False after a message: the command ends with EXIT_USAGE.
 */
bool arguments_take(struct context *context, const struct argument *arguments,
		    enum operand_order order, int *argc, char **argv);

/* Likewise, for a command that has no operand. */
bool arguments_take_alone(struct context *context, const struct argument *arguments, int argc,
			  char **argv);

/* Likewise, for a command whose one operand is a rule file; DEFAULT_RULE_FILE if there is none. */
bool arguments_take_file(struct context *context, const struct argument *arguments, int argc,
			 char **argv, const char **ret_path);

/* --- usage.c: how a command is called, on lines that fit a terminal. */
void usage_print(const struct command *command);
/* A message about the command line, with the usage or where it is told. Always EXIT_USAGE. */
enum exit_status usage_error(const struct context *context, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
