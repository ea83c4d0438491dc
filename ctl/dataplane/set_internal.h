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
	PUT_COUNTED, /* the same, but of a set that counts: left to set_renew() */
};

int set_map_put(int fd, struct set_map map, const struct set_element *element, bool counts,
		enum put_result *ret_result);
/* A host exactly; of nets the longest that holds wanted's address and is not longer than it. */
int set_map_lookup(int fd, struct set_map map, const struct set_element *wanted,
		   struct set_element *ret_element);

/* An element as key and value of its map. */
uint32_t set_key_size(struct set_map map);
uint32_t set_value_size(struct set_map map);
void set_key_write(struct set_map map, const struct set_element *element, void *key);
void set_value_write(struct set_map map, const struct set_element *element, void *value);
void set_element_read(struct set_map map, const void *key, const void *value,
		      struct set_element *ret_element);
/* One update; waits where the kernel is out of memory for a moment only. */
int set_key_update(int fd, const void *key, const void *value, uint64_t flags);

/* --- set_batch.c */
/* Adds all elements of the map. */
int set_map_read(int fd, struct set_map map, struct set_elements *elements);
/* Puts elements in, whatever was there. *ret_done: so many from the first on are in, always set. */
int set_map_update(int fd, struct set_map map, const struct set_element *const *elements,
		   size_t count, size_t *ret_done);
/* Takes elements out. *ret_deleted: so many were there, always set; the others are no error. */
int set_map_delete(int fd, struct set_map map, const struct set_element *const *elements,
		   size_t count, size_t *ret_deleted);
/* Puts those of the elements that are of this map in, whatever was there. */
int set_map_fill(int fd, struct set_map map, const struct set_element *elements, size_t count);

/* Tests make batches fail by it as kernels do. */
enum batch_fault {
	BATCH_WORKS,
	BATCH_REFUSED, /* kernels that know no batches of this kind of map */
	BATCH_STOPS,   /* -ENOMEM in the middle */
};
extern enum batch_fault set_batch_fault;

/* --- set_renew.c */
enum renewal {
	RENEW_TIME,   /* sets when the elements expire */
	RENEW_COUNTS, /* adds their packets and bytes */
};

/* In place, so that packets lose no count. Elements that are not in the set are passed over. */
int set_renew(struct dataplane *dataplane, unsigned slot, enum renewal what,
	      const struct set_elements *elements);

/* --- sets.c */
/* Do packets count on the set's elements now? */
bool set_counts(const struct dataplane *dataplane, unsigned slot);
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
/* Room for so many more, or what there is: what has expired is taken out if that makes room. */
uint64_t change_room(struct set_change_run *run, uint64_t wanted);
/* Counts elements that there is no room for, and notes the first of them. */
void change_refuse(struct set_change_run *run, const struct set_element *const *elements,
		   size_t count);
/* Notes when an element that is put in expires. */
void change_expects(struct set_change_run *run, const struct set_element *element);

/* --- set_bulk.c */
/* As change_put() for each. Of equal elements the last counts. */
int change_put_many(struct set_change_run *run, const struct set_element *elements, size_t count);
int change_remove_many(struct set_change_run *run, const struct set_element *elements,
		       size_t count);

/* --- set_replace.c: finishes a replacement whose process died. */
int replacement_finish(struct dataplane *dataplane);

#endif
