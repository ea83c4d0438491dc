/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live sets, seen from the commands: their elements change while the rules run. Every function
 * returns 0 or -errno with a line in dataplane_error(); those that change something need a data
 * plane that was opened with `change`.
 */
#ifndef FWCTL_DATAPLANE_SETS_H
#define FWCTL_DATAPLANE_SETS_H

#include "base/address.h"
#include "dataplane/dataplane.h"
#include "fw/sets.h"

#define SET_SIZE_DEFAULT    65536
#define SET_NAME_LENGTH_MAX 63

/* A host (length 32 or 128) or a network. */
struct set_element {
	struct address address;
	uint8_t length;
	uint32_t expires; /* seconds of CLOCK_BOOTTIME; 0 = never */
	uint32_t added;	  /* seconds since 1970 */
	uint64_t packets;
	uint64_t bytes;
};

struct set_elements {
	struct set_element *items;
	size_t count;
	size_t capacity;
};

void set_elements_add(struct set_elements *elements, const struct set_element *element);
/* Adds low-high as the fewest prefixes; the other fields are those of `element`. */
void set_elements_add_span(struct set_elements *elements, const struct address *low,
			   const struct address *high, const struct set_element *element);
/* By family, address and length, as set_elements_sort() sorts. */
int set_element_compare(const struct set_element *a, const struct set_element *b);
void set_elements_sort(struct set_elements *elements);
/* Sorts, and of equal ones keeps one that expires last. Returns how many went. */
size_t set_elements_unite(struct set_elements *elements);
/* "192.0.2.1" or "192.0.2.0/24", at most ADDRESS_TEXT_MAX bytes. */
void set_element_print(const struct set_element *element, char *text);
bool set_element_has_expired(const struct set_element *element, uint32_t now);
/* How many have not. */
size_t set_elements_alive(const struct set_elements *elements);
void set_elements_free(struct set_elements *elements);
#define _cleanup_elements_ __attribute__((cleanup(set_elements_free)))

struct live_set {
	char name[SET_NAME_LENGTH_MAX + 1];
	unsigned slot;
	uint64_t size;
	uint64_t timeout; /* seconds; 0 = none */
	bool counters;
	bool bans;	/* `option ban-set` names it */
	uint64_t count; /* elements, some of which may have expired unless they are counted apart */
	uint64_t expired; /* that dataplane_set_count() found, and that take room still */
	uint64_t refused;
};

/* Seconds of CLOCK_BOOTTIME, rounded down. */
uint32_t boot_seconds(void);
/* When an element that is added now and lives for so long expires; 0 stays 0. */
uint32_t boot_expiry(uint64_t seconds);

/* The same moment in seconds since 1970, which outlasts the boot; 0 stays 0. */
uint64_t calendar_of_expiry(uint32_t expires);
/* And back. False if it is over. */
bool expiry_of_calendar(uint64_t calendar, uint32_t *ret_expires);

/* The sets of the running rules, by name. free() the array. */
int dataplane_sets(struct dataplane *dataplane, struct live_set **ret_sets, size_t *ret_count);

/* -ENOENT if the running rules have none of that name. NULL: the one that `ban-set` names. */
int dataplane_find_set(struct dataplane *dataplane, const char *name, struct live_set *ret_set);

/* Counts those that have expired apart: reads the set if there may be any. */
int dataplane_set_count(struct dataplane *dataplane, struct live_set *set);

/* Everything in the set, also what has expired, sorted. */
int dataplane_set_read(struct dataplane *dataplane, const struct live_set *set,
		       struct set_elements *ret_elements);

/* The elements that hold the address and have not expired, the longest prefix first. */
int dataplane_set_test(struct dataplane *dataplane, const struct live_set *set,
		       const struct address *address, struct set_elements *ret_elements);

#define SET_UNFIT_TOLD 8

struct set_change {
	size_t added;
	size_t renewed; /* were there already: their time begins anew */
	size_t deleted;
	size_t missing;				  /* were not there to be deleted */
	size_t kept;				  /* of a replacement: in both */
	size_t refused;				  /* -ENOSPC: for these there was no room */
	struct set_element unfit[SET_UNFIT_TOLD]; /* the first of them */
};

/*
 * Of equal elements the last counts. -ENOSPC if the set is full: then ret_change tells how many
 * were added and how many not.
 */
int dataplane_set_add(struct dataplane *dataplane, const struct live_set *set,
		      const struct set_elements *elements, struct set_change *ret_change);
int dataplane_set_delete(struct dataplane *dataplane, const struct live_set *set,
			 const struct set_elements *elements, struct set_change *ret_change);
int dataplane_set_flush(struct dataplane *dataplane, const struct live_set *set);

/*
 * Makes the set hold exactly the elements, which set_elements_unite() went over. Only what differs
 * is touched, what is new before what goes. Whoever opens the data plane next finishes it if this
 * process dies. -EDOM, and no change, if more than half of the set would go and not `force`.
 */
int dataplane_set_replace(struct dataplane *dataplane, const struct live_set *set,
			  const struct set_elements *elements, bool force,
			  struct set_change *ret_change);

/* --- For a new generation ----------------------------------------------------------------- */

/* Fills a set that is new; NULL: nothing. Elements are added to those of the rule file. */
typedef void set_fill(const char *name, struct set_elements *elements, void *data);

/*
 * Gives every live set of the ruleset its slot (live_index): the one that it has, or a free one,
 * with maps and the elements that it starts with. Nobody sees them before the plan's switch.
 */
int dataplane_prepare_sets(struct dataplane *dataplane, const struct plan *plan,
			   struct ruleset *ruleset, set_fill *fill, void *data);

/* Behind the switch: sizes, and sets that two generations have not named. Warns by itself only. */
int dataplane_settle_sets(struct dataplane *dataplane);

/* Bytes that a set of that size takes when full of hosts or of networks, and when empty. */
uint64_t set_memory_full(uint64_t size, enum fw_set_kind kind);
uint64_t set_memory_empty(uint64_t size);

#endif
