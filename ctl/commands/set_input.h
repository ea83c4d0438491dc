/* SPDX-License-Identifier: GPL-2.0-only */
/* Set elements as people and programs write them: on the command line, in files, on a pipe. */
#ifndef FWCTL_COMMANDS_SET_INPUT_H
#define FWCTL_COMMANDS_SET_INPUT_H

#include "commands/command.h"
#include "dataplane/sets.h"

#define SET_TIMEOUT_DEFAULT UINT64_MAX /* that of the set */

/* Elements whose `expires` is not known yet: that needs the set. */
struct set_input {
	struct set_elements elements; /* `expires` counts seconds from now, SET_LATER the set's */
	uint64_t timeout;	      /* of all that have none of their own */
	size_t doubles;		      /* that stood in the input twice */
	const char *what;	      /* the command, for messages */
	const char *keyword;	      /* before a time at the end of the words; NULL: takes none */
};

#define SET_LATER UINT32_MAX

/*
 * Takes "timeout D" (or what the input's keyword is) off the end of the operands: seconds, or 0
 * for "never". False after a message.
 */
bool set_timeout_take(const struct context *context, struct set_input *input, int *argc,
		      char **argv);

/* Reads ADDR, ADDR/LEN, ADDR-ADDR; "-" reads standard input. False after a message. */
bool set_input_words(struct set_input *input, int count, char **words);

/* One element a line, "timeout D" behind it if it has its own, '#' comments. "-" likewise. */
bool set_input_file(struct set_input *input, const char *path);

/* Sorts, drops doubles and gives every element its time. */
void set_input_finish(struct set_input *input, const struct live_set *set);
void set_input_free(struct set_input *input);

/* One address that is neither a network nor a span. False after a message. */
bool set_address_parse(const struct context *context, const char *text,
		       struct address *ret_address);

#endif
