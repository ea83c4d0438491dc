// SPDX-License-Identifier: GPL-2.0-only
/*
 * The maps under live sets: making them, finding those of a set, reading and filling them whole.
 * Elements go one by one or in batches; where a kernel refuses a batch, one by one.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/set_internal.h"

#define BATCH	     4096
#define MEMORY_TRIES 200 /* the kernel refills its caches in the background */
#define MEMORY_PAUSE 100 /* microseconds */

/* Of which map of maps an element is. */
struct set_map set_map_of(const struct set_element *element)
{
	struct set_map map = { .family = element->address.family == FW_INET6 };

	map.kind = element->length == (map.family ? 128 : 32) ? FW_SET_HOSTS : FW_SET_NETS;
	return map;
}

static uint32_t key_size(struct set_map map)
{
	if (map.kind == FW_SET_HOSTS)
		return map.family ? sizeof(struct fw_host_key6) : sizeof(struct fw_host_key4);
	return map.family ? sizeof(struct fw_net_key6) : sizeof(struct fw_net_key4);
}

static uint32_t value_size(struct set_map map)
{
	return map.kind == FW_SET_HOSTS ? sizeof(struct fw_element) : sizeof(struct fw_net_element);
}

static void key_write(struct set_map map, const struct set_element *element, void *key)
{
	struct fw_net_key6 net = { .length = element->length };
	size_t words = map.family ? 4 : 1;

	if (map.kind == FW_SET_HOSTS) {
		memcpy(key, element->address.word, words * sizeof(uint32_t));
		return;
	}
	for (size_t i = 0; i < words; i++)
		net.address[i] = FW_SWAP32(element->address.word[i]);
	memcpy(key, &net, sizeof(net.length) + words * sizeof(uint32_t));
}

static void value_write(struct set_map map, const struct set_element *element, void *value)
{
	struct fw_net_element net = {
		.element = {
			.expires = element->expires,
			.added = element->added,
			.packets = element->packets,
			.bytes = element->bytes,
		},
		.length = element->length,
	};

	memcpy(value, &net, value_size(map));
}

static void element_read(struct set_map map, const void *key, const void *value,
			 struct set_element *ret_element)
{
	struct set_element element = { .length = map.family ? 128 : 32 };
	const uint32_t *words = key;
	struct fw_element stored;

	element.address.family = map.family ? FW_INET6 : FW_INET;
	if (map.kind == FW_SET_NETS)
		element.length = (uint8_t)*words++;
	for (size_t i = 0; i < (map.family ? 4 : 1); i++)
		element.address.word[i] = map.kind == FW_SET_HOSTS ? words[i] : FW_SWAP32(words[i]);
	memcpy(&stored, value, sizeof(stored));
	element.expires = stored.expires;
	element.added = stored.added;
	element.packets = stored.packets;
	element.bytes = stored.bytes;
	*ret_element = element;
}

int set_map_create(struct set_map map, uint64_t room)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);

	if (map.kind == FW_SET_HOSTS)
		return bpf_map_create(BPF_MAP_TYPE_HASH, map.family ? "fw_hosts_6" : "fw_hosts_4",
				      key_size(map), value_size(map), (uint32_t)room, &options);
	return bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, map.family ? "fw_nets_6" : "fw_nets_4",
			      key_size(map), value_size(map), (uint32_t)room, &options);
}

int set_map_open(struct dataplane *dataplane, struct set_map map, uint32_t slot)
{
	uint32_t id;
	int error = bpf_map_lookup_elem(dataplane->maps.sets[map.kind][map.family], &slot, &id);

	return error ? error : bpf_map_get_fd_by_id(id);
}

/* Updates one element; the kernel may be out of memory for a moment only. */
static int element_update(int fd, const void *key, const void *value, uint64_t flags)
{
	int error = -ENOMEM;

	for (int tries = 0; tries < MEMORY_TRIES && error == -ENOMEM; tries++) {
		if (tries)
			usleep(MEMORY_PAUSE);
		error = bpf_map_update_elem(fd, key, value, flags);
	}
	return error;
}

int set_map_put(int fd, struct set_map map, const struct set_element *element,
		enum put_result *ret_result)
{
	uint32_t now = boot_seconds();
	struct fw_net_element value = {}, old = {};
	struct fw_net_key6 key = {};
	int error;

	key_write(map, element, &key);
	value_write(map, element, &value);
	/* Kernels before 6.13 overlook BPF_NOEXIST in a trie, so that is asked first. */
	if (map.kind == FW_SET_NETS) {
		error = bpf_map_lookup_elem(fd, &key, &old);
		if (!error && old.length != element->length)
			error = -ENOENT;
		error = error == -ENOENT ? element_update(fd, &key, &value, BPF_ANY)
			: error		 ? error
					 : -EEXIST;
	} else {
		error = element_update(fd, &key, &value, BPF_NOEXIST);
	}
	if (error != -EEXIST) {
		*ret_result = PUT_ADDED;
		return error;
	}
	error = bpf_map_lookup_elem(fd, &key, &old);
	*ret_result = PUT_REVIVED;
	if (!error && !(old.element.expires && old.element.expires <= now)) {
		*ret_result = PUT_RENEWED;
		value.element.added = old.element.added;
		value.element.packets = old.element.packets;
		value.element.bytes = old.element.bytes;
		if (old.element.expires == value.element.expires)
			return 0;
	}
	return element_update(fd, &key, &value, BPF_ANY);
}

int set_map_remove(int fd, struct set_map map, const struct set_element *element)
{
	struct fw_net_key6 key = {};

	key_write(map, element, &key);
	return bpf_map_delete_elem(fd, &key);
}

int set_map_lookup(int fd, struct set_map map, const struct set_element *wanted,
		   struct set_element *ret_element)
{
	struct fw_net_key6 key = {};
	struct fw_net_element value;
	int error;

	key_write(map, wanted, &key);
	error = bpf_map_lookup_elem(fd, &key, &value);
	if (error)
		return error;
	element_read(map, &key, &value, ret_element);
	if (map.kind == FW_SET_NETS)
		ret_element->length = (uint8_t)value.length;
	return 0;
}

/* Room for a batch of keys and values. */
struct batch {
	uint8_t keys[BATCH * sizeof(struct fw_net_key6)];
	uint8_t values[BATCH * sizeof(struct fw_net_element)];
};

static void batch_read(struct set_map map, const struct batch *batch, size_t count,
		       struct set_elements *elements)
{
	for (size_t i = 0; i < count; i++) {
		struct set_element element;

		element_read(map, batch->keys + i * key_size(map),
			     batch->values + i * value_size(map), &element);
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
		element_read(map, &key, &value, &element);
		set_elements_add(elements, &element);
		/* Whoever deletes the key that we stand on makes us begin anew. */
		if (elements->count > 4ULL * SET_SIZE_MAX)
			return -EAGAIN;
	}
	return 0;
}

int set_map_read(int fd, struct set_map map, struct set_elements *elements)
{
	_cleanup_free_ struct batch *batch = malloc(sizeof(*batch));
	size_t before = elements->count;
	uint8_t tokens[2][sizeof(struct fw_net_key6)] = {};
	void *at = NULL;
	int error = 0;

	if (!batch)
		return -ENOMEM;
	for (unsigned turn = 0; !error; turn ^= 1) {
		uint32_t count = BATCH;

		error = bpf_map_lookup_batch(fd, at, tokens[turn], batch->keys, batch->values,
					     &count, NULL);
		if (!error || error == -ENOENT)
			batch_read(map, batch, count, elements);
		at = tokens[turn];
	}
	if (error == -ENOENT)
		return 0;
	elements->count = before;
	return read_one_by_one(fd, map, elements);
}

static int batch_put(int fd, struct set_map map, struct batch *batch, uint32_t count)
{
	uint32_t done = count;
	int error = bpf_map_update_batch(fd, batch->keys, batch->values, &done, NULL);

	if (!error)
		return 0;
	/* What the batch did is done again. */
	for (uint32_t i = 0; i < count; i++) {
		error = element_update(fd, batch->keys + i * key_size(map),
				       batch->values + i * value_size(map), BPF_ANY);
		if (error)
			return error;
	}
	return 0;
}

int set_map_fill(int fd, struct set_map map, const struct set_element *elements, size_t count)
{
	_cleanup_free_ struct batch *batch = malloc(sizeof(*batch));
	uint32_t filled = 0;
	int error = 0;

	if (!batch)
		return -ENOMEM;
	for (size_t i = 0; i < count && !error; i++) {
		struct set_map own = set_map_of(&elements[i]);

		if (own.kind != map.kind || own.family != map.family)
			continue;
		key_write(map, &elements[i], batch->keys + filled * key_size(map));
		value_write(map, &elements[i], batch->values + filled * value_size(map));
		if (++filled == BATCH) {
			error = batch_put(fd, map, batch, filled);
			filled = 0;
		}
	}
	return filled && !error ? batch_put(fd, map, batch, filled) : error;
}
