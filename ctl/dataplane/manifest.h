/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The manifest of a generation: what fwctl keeps beside the image, in one block of bytes that is
 * pinned as generation-N. Its rules (for list, add, delete, save) and its counters, which are
 * switched at the same instant as the image because they live here.
 */
#ifndef FWCTL_DATAPLANE_MANIFEST_H
#define FWCTL_DATAPLANE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "fw/layout.h"

/*
 * One counter and whose it is: a rule (hook, identity) under one action, or what was over its limit
 * under that action. Its total is the counter
 * less `start`, because an index that was another's before is not set to zero: a packet may be
 * counting on it.
 */
struct registry_entry {
	const char *key; /* hook and action as one byte each, from '0', then the identity; the
			  * action's byte is 4 higher for what is over the limit */
	uint32_t index;
	uint32_t retired; /* generation that ran without it first; 0: it is live */
	uint32_t born;	  /* generation that gave it the index, which was another's before */
	enum fw_hook hook;
	enum fw_action action;
	bool limited;	    /* counts what is over the limit */
	bool is_new_bucket; /* was another's, or nobody's, until now */
	uint32_t bucket;    /* of `limited`: line of FW_LIMITS_RULES; 0: none */
	struct fw_counter start;
};

#define REGISTRY_LIMITED 4

#define REGISTRY_KEY_PREFIX 2

static inline const char *registry_identity(const struct registry_entry *entry)
{
	return entry->key + REGISTRY_KEY_PREFIX;
}

/* What became of the entry's packets: a rule that passes or drops has dropped what is over. */
static inline enum fw_action registry_verdict(const struct registry_entry *entry)
{
	return entry->limited && entry->action != FW_COUNT ? FW_DROP : entry->action;
}

struct registry {
	struct arena *arena;
	struct registry_entry *entries;
	size_t count;
	uint32_t generation;	/* that it is of */
	uint32_t counter_class; /* of the image that has room for all of them */
	struct fw_counter removed[FW_HOOKS][FW_ACTIONS]; /* totals of entries that are no more */
};

/* A manifest as it lies in its map. */
struct manifest_map {
	int fd;
	const void *bytes;
	size_t size;
};

#define MANIFEST_NONE    \
	{                \
		.fd = -1 \
	}

struct generation;
struct generation_file;
struct switch_input;

/* How many bytes the manifest will have, and then the bytes. */
size_t manifest_size(const struct registry *registry, const struct switch_input *input);
void manifest_write(void *bytes, const struct registry *registry, const struct switch_input *input);

/* -EBADMSG if the bytes are not a manifest of this layout. */
int manifest_check(const void *bytes, size_t size);
/* Strings point into the manifest; `ret_generation->files` is allocated. */
void manifest_generation(const void *bytes, struct generation *ret_generation);
/* The only thing in a manifest that changes: see dataplane_mark_saved(). */
void manifest_mark_saved(void *bytes, uint64_t digest);
/* Copies what it needs. */
struct registry *manifest_registry(const void *bytes);

void manifest_unmap(struct manifest_map *map);
struct registry *registry_new(void);
void registry_free(struct registry **registry);

#endif
