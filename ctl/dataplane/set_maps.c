// SPDX-License-Identifier: GPL-2.0-only
/*
 * The maps under live sets: making them, finding those of a set, what an element is as key and
 * value, and changing one element.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/set_internal.h"

#define MEMORY_TRIES 200 /* the kernel refills its caches in the background */
#define MEMORY_PAUSE 100 /* microseconds */

/* Of which map of maps an element is. */
struct set_map set_map_of(const struct set_element *element)
{
	struct set_map map = { .family = element->address.family == FW_INET6 };

	map.kind = element->length == (map.family ? 128 : 32) ? FW_SET_HOSTS : FW_SET_NETS;
	return map;
}

uint32_t set_key_size(struct set_map map)
{
	if (map.kind == FW_SET_HOSTS)
		return map.family ? sizeof(struct fw_host_key6) : sizeof(struct fw_host_key4);
	return map.family ? sizeof(struct fw_net_key6) : sizeof(struct fw_net_key4);
}

uint32_t set_value_size(struct set_map map)
{
	return map.kind == FW_SET_HOSTS ? sizeof(struct fw_element) : sizeof(struct fw_net_element);
}

void set_key_write(struct set_map map, const struct set_element *element, void *key)
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

void set_value_write(struct set_map map, const struct set_element *element, void *value)
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

	memcpy(value, &net, set_value_size(map));
}

void set_element_read(struct set_map map, const void *key, const void *value,
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
				      set_key_size(map), set_value_size(map), (uint32_t)room,
				      &options);
	return bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, map.family ? "fw_nets_6" : "fw_nets_4",
			      set_key_size(map), set_value_size(map), (uint32_t)room, &options);
}

int set_map_open(struct dataplane *dataplane, struct set_map map, uint32_t slot)
{
	uint32_t id;
	int error = bpf_map_lookup_elem(dataplane->maps.sets[map.kind][map.family], &slot, &id);

	return error ? error : bpf_map_get_fd_by_id(id);
}

int set_key_update(int fd, const void *key, const void *value, uint64_t flags)
{
	int error = -ENOMEM;

	for (int tries = 0; tries < MEMORY_TRIES && error == -ENOMEM; tries++) {
		if (tries)
			usleep(MEMORY_PAUSE);
		error = bpf_map_update_elem(fd, key, value, flags);
	}
	return error;
}

int set_map_put(int fd, struct set_map map, const struct set_element *element, bool counts,
		enum put_result *ret_result)
{
	uint32_t now = boot_seconds();
	struct fw_net_element value = {}, old = {};
	struct fw_net_key6 key = {};
	int error;

	set_key_write(map, element, &key);
	set_value_write(map, element, &value);
	/* Kernels before 6.13 overlook BPF_NOEXIST in a trie, so that is asked first. */
	if (map.kind == FW_SET_NETS) {
		error = bpf_map_lookup_elem(fd, &key, &old);
		if (!error && old.length != element->length)
			error = -ENOENT;
		error = error == -ENOENT ? set_key_update(fd, &key, &value, BPF_ANY)
			: error		 ? error
					 : -EEXIST;
	} else {
		error = set_key_update(fd, &key, &value, BPF_NOEXIST);
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
		if (counts) {
			*ret_result = PUT_COUNTED;
			return 0;
		}
	}
	return set_key_update(fd, &key, &value, BPF_ANY);
}

int set_map_lookup(int fd, struct set_map map, const struct set_element *wanted,
		   struct set_element *ret_element)
{
	struct fw_net_key6 key = {};
	struct fw_net_element value;
	int error;

	set_key_write(map, wanted, &key);
	error = bpf_map_lookup_elem(fd, &key, &value);
	if (error)
		return error;
	set_element_read(map, &key, &value, ret_element);
	if (map.kind == FW_SET_NETS)
		ret_element->length = (uint8_t)value.length;
	return 0;
}
