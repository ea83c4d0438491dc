/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands on live sets share. */
#ifndef FWCTL_COMMANDS_SET_H
#define FWCTL_COMMANDS_SET_H

#include "commands/command.h"
#include "commands/set_input.h"
#include "dataplane/sets.h"

/* The data plane, and in it the set (NULL: that of `ban-set`). NULL after a message. */
struct dataplane *set_open(const struct context *context, const char *name, bool change,
			   struct live_set *ret_set);

/* Adds or deletes what the input holds, and says what came of it. */
enum exit_status set_add(const struct context *context, const char *name, struct set_input *input,
			 bool force);
enum exit_status set_delete(const struct context *context, const char *name,
			    struct set_input *input);

/* --- set_list.c */
enum exit_status set_list(const struct context *context, const char *name, bool json);
enum exit_status set_test(const struct context *context, const char *name, const char *text);

/* --- set_store.c */
#define SET_STORE_FILE "/var/lib/fwctl/sets"

/* Writes the elements of all sets. */
enum exit_status sets_save(const struct context *context, struct dataplane *dataplane,
			   const char *path);
/* Adds what the file holds to the sets that are there. */
enum exit_status sets_restore(const struct context *context, const char *path);

/* What a file of set elements holds, to fill new sets from. NULL: it is not there, or a message. */
struct set_store;
struct set_store *set_store_read(const char *path, bool *ret_failed);
void set_store_free(struct set_store **store);
/* A set_fill; `data` is the store. */
void set_store_fill(const char *name, struct set_elements *elements, void *data);

#endif
