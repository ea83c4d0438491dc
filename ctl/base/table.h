/* SPDX-License-Identifier: GPL-2.0-only */
/* A hash table from names to numbers: rule identities, sets, defines. Keys are not copied. */
#ifndef FWCTL_BASE_TABLE_H
#define FWCTL_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_slot {
	const char *key; /* NULL: free */
	uint32_t length;
	uint32_t value;
	uint64_t hash;
};

struct table {
	struct table_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

/* NULL if the key is not there, else its value, which may be changed. */
uint32_t *table_find(const struct table *table, const char *key, size_t length);

/* Adds a key that must outlive the table. False, and no change, if it is there already. */
bool table_add(struct table *table, const char *key, size_t length, uint32_t value);
void table_free(struct table *table);

#endif
