/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that keep live sets share. */
#ifndef FWCTL_DATAPLANE_SET_INTERNAL_H
#define FWCTL_DATAPLANE_SET_INTERNAL_H

#include "dataplane/internal.h"
#include "dataplane/sets.h"

#define SET_SIZE_MAX (1U << 26)

/* One of the four maps of a set. */
struct set_map {
	enum fw_set_kind kind;
	unsigned family; /* 0 IPv4, 1 IPv6 */
};

/* --- set_maps.c */
struct set_map set_map_of(const struct set_element *element);
int set_map_create(struct set_map map, uint64_t room);
/* An fd of the set's map. */
int set_map_open(struct dataplane *dataplane, struct set_map map, uint32_t slot);

enum put_result {
	PUT_ADDED,
	PUT_REVIVED, /* was there, but had expired */
	PUT_RENEWED, /* was there; its counters and when it was added stay */
};

int set_map_put(int fd, struct set_map map, const struct set_element *element,
		enum put_result *ret_result);
int set_map_remove(int fd, struct set_map map, const struct set_element *element);
/* A host exactly; of nets the longest that holds wanted's address and is not longer than it. */
int set_map_lookup(int fd, struct set_map map, const struct set_element *wanted,
		   struct set_element *ret_element);
/* Adds all elements of the map. */
int set_map_read(int fd, struct set_map map, struct set_elements *elements);
/* Puts those of the elements that are of this map in, whatever was there. */
int set_map_fill(int fd, struct set_map map, const struct set_element *elements, size_t count);

/* --- sets.c */
struct fw_set_slot *set_slot(struct dataplane *dataplane, unsigned slot);
const struct fw_set_properties *set_properties(struct dataplane *dataplane,
					       const struct fw_set_slot *slot);
uint64_t slot_total(const struct fw_set_slot *slot);
/* Makes the hash of a family anew, with room for so many, and moves its elements. */
int set_resize(struct dataplane *dataplane, unsigned slot, unsigned family, uint64_t room);
/* Counts what is there, if somebody died while he changed the set. */
int set_recount(struct dataplane *dataplane, unsigned slot);
/* Puts empty maps in the set's places. */
int set_empty(struct dataplane *dataplane, unsigned slot);
void set_mark(struct dataplane *dataplane, unsigned slot, struct set_map map);
/* With the lock: what a crash left, and sizes that are not as the rules say. */
int sets_clean(struct dataplane *dataplane);

/* --- set_change.c */
struct set_change_run {
	struct dataplane *dataplane;
	unsigned slot;
	int fds[FW_SET_KINDS][FW_SET_FAMILIES];
	struct set_change change;
};

/* Opens the maps and marks the set dirty; close takes the mark off. */
int change_open(struct dataplane *dataplane, unsigned slot, struct set_change_run *run);
void change_close(struct set_change_run *run);
/* -ENOSPC if there is no room: counted, and the caller may go on. */
int change_put(struct set_change_run *run, const struct set_element *element);
int change_remove(struct set_change_run *run, const struct set_element *element);

/* --- set_replace.c: finishes a replacement whose process died. */
int replacement_finish(struct dataplane *dataplane);

#endif
