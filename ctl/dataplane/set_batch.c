// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many elements of one map of a live set in one system call. A kernel may refuse a batch or stop in
 * the middle of it (memory for tries is short for a moment, the hash is full): the element that it
 * stopped at goes alone, which tells why, and the next batch begins behind it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/set_internal.h"

#define BATCH	    4096
#define FAULT_AFTER 5

enum batch_fault set_batch_fault;

/* Room for a batch of keys and values. */
struct batch {
	int fd;
	struct set_map map;
	uint32_t capacity;
	bool refused; /* the kernel takes no batches of this map */
	uint8_t *keys;
	uint8_t values[];
};

/* For so many elements, or a part of them. */
static struct batch *batch_new(int fd, struct set_map map, size_t count)
{
	uint32_t capacity = count < BATCH ? (uint32_t)count : BATCH;
	struct batch *batch =
		malloc(sizeof(*batch) + (set_key_size(map) + set_value_size(map)) * capacity);

	if (!batch)
		return NULL;
	*batch = (struct batch){ .fd = fd, .map = map, .capacity = capacity };
	batch->keys = batch->values + set_value_size(map) * capacity;
	return batch;
}

/* --- Reading ------------------------------------------------------------------------------ */

static void batch_read(struct batch *batch, size_t count, struct set_elements *elements)
{
	for (size_t i = 0; i < count; i++) {
		struct set_element element;

		set_element_read(batch->map, batch->keys + i * set_key_size(batch->map),
				 batch->values + i * set_value_size(batch->map), &element);
		set_elements_add(elements, &element);
	}
}

static int read_one_by_one(int fd, struct set_map map, struct set_elements *elements)
{
	struct fw_net_key6 key = {}, *at = NULL;
	struct fw_net_element value;
	struct set_element element;

	while (!bpf_map_get_next_key(fd, at, &key)) {
		at = &key;
		if (bpf_map_lookup_elem(fd, &key, &value))
			continue;
		set_element_read(map, &key, &value, &element);
		set_elements_add(elements, &element);
		/* Whoever deletes the key that we stand on makes us begin anew. */
		if (elements->count > 4ULL * SET_SIZE_MAX)
			return -EAGAIN;
	}
	return 0;
}

int set_map_read(int fd, struct set_map map, struct set_elements *elements)
{
	_cleanup_free_ struct batch *batch = batch_new(fd, map, BATCH);
	size_t before = elements->count;
	uint8_t tokens[2][sizeof(struct fw_net_key6)] = {};
	void *at = NULL;
	int error = set_batch_fault ? -EINVAL : 0;

	if (!batch)
		return -ENOMEM;
	for (unsigned turn = 0; !error; turn ^= 1) {
		uint32_t count = batch->capacity;

		error = bpf_map_lookup_batch(fd, at, tokens[turn], batch->keys, batch->values,
					     &count, NULL);
		if (!error || error == -ENOENT)
			batch_read(batch, count, elements);
		at = tokens[turn];
	}
	if (error == -ENOENT)
		return 0;
	elements->count = before;
	return read_one_by_one(fd, map, elements);
}

/* --- Changing ----------------------------------------------------------------------------- */

enum batch_change {
	BATCH_UPDATE,
	BATCH_DELETE,
};

/* One system call for the batch's elements from `first` on. Returns how many it did. */
static uint32_t batch_call(struct batch *batch, enum batch_change change, uint32_t first,
			   uint32_t count)
{
	uint32_t done = count;
	void *keys = batch->keys + first * set_key_size(batch->map);
	int error;

	if (set_batch_fault == BATCH_STOPS && done > FAULT_AFTER)
		done = FAULT_AFTER;
	if (set_batch_fault == BATCH_REFUSED || batch->refused)
		return 0;
	if (change == BATCH_UPDATE)
		error = bpf_map_update_batch(batch->fd, keys,
					     batch->values + first * set_value_size(batch->map),
					     &done, NULL);
	else
		error = bpf_map_delete_batch(batch->fd, keys, &done, NULL);
	if (!error)
		return done;
	/* A kernel that refuses leaves the number as it was: one that stopped did fewer. */
	if (done >= count)
		done = 0;
	batch->refused = !done && error != -ENOMEM && error != -ENOENT && error != -E2BIG;
	return done;
}

static int batch_one(struct batch *batch, enum batch_change change, uint32_t index)
{
	const void *key = batch->keys + index * set_key_size(batch->map);

	if (change == BATCH_UPDATE)
		return set_key_update(batch->fd, key,
				      batch->values + index * set_value_size(batch->map), BPF_ANY);
	return bpf_map_delete_elem(batch->fd, key);
}

/* Does the whole batch. *ret_done: so many from the first on; *missing: were not there. */
static int batch_run(struct batch *batch, enum batch_change change, uint32_t count,
		     uint32_t *ret_done, size_t *missing)
{
	uint32_t done = 0;
	int error = 0;

	while (done < count && !error) {
		done += batch_call(batch, change, done, count - done);
		if (done == count)
			break;
		error = batch_one(batch, change, done);
		if (error == -ENOENT && change == BATCH_DELETE) {
			error = 0;
			(*missing)++;
		}
		done += !error;
	}
	*ret_done = done;
	return error;
}

/* A change of many elements of one map, and how far it came. */
struct map_change {
	int fd;
	struct set_map map;
	enum batch_change change;
	size_t done; /* so many from the first on, those that were missing included */
	size_t missing;
};

static int map_change(struct map_change *run, const struct set_element *const *elements,
		      size_t count)
{
	const struct set_map map = run->map;
	_cleanup_free_ struct batch *batch = batch_new(run->fd, map, count);
	int error = batch ? 0 : -ENOMEM;

	while (run->done < count && !error) {
		size_t left = count - run->done;
		uint32_t wanted = left < batch->capacity ? (uint32_t)left : batch->capacity, done;

		for (uint32_t i = 0; i < wanted; i++) {
			const struct set_element *element = elements[run->done + i];

			set_key_write(map, element, batch->keys + i * set_key_size(map));
			if (run->change == BATCH_UPDATE)
				set_value_write(map, element,
						batch->values + i * set_value_size(map));
		}
		error = batch_run(batch, run->change, wanted, &done, &run->missing);
		run->done += done;
	}
	return error;
}

int set_map_update(int fd, struct set_map map, const struct set_element *const *elements,
		   size_t count, size_t *ret_done)
{
	struct map_change run = { .fd = fd, .map = map, .change = BATCH_UPDATE };
	int error = map_change(&run, elements, count);

	*ret_done = run.done;
	return error;
}

int set_map_delete(int fd, struct set_map map, const struct set_element *const *elements,
		   size_t count, size_t *ret_deleted)
{
	struct map_change run = { .fd = fd, .map = map, .change = BATCH_DELETE };
	int error = map_change(&run, elements, count);

	*ret_deleted = run.done - run.missing;
	return error;
}

int set_map_fill(int fd, struct set_map map, const struct set_element *elements, size_t count)
{
	_cleanup_free_ const struct set_element **own = calloc(count + 1, sizeof(*own));
	size_t own_count = 0, done;

	if (!own)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct set_map its = set_map_of(&elements[i]);

		if (its.kind == map.kind && its.family == map.family)
			own[own_count++] = &elements[i];
	}
	return set_map_update(fd, map, own, own_count, &done);
}
