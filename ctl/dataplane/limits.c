// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buckets of limits as maps: made before the first rules that have limits run, and given back
 * after the last ones. They outlive generations, so a switch refills no bucket.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "dataplane/internal.h"
#include "fw/limit.h"

/* An array of lines. Of any length: BPF_F_INNER_MAP. On a page: BPF_F_MMAPABLE. */
static int lines_create(uint32_t count)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);

	if (memory_point())
		return -ENOMEM;
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "fw_limit_lines", sizeof(uint32_t),
			      sizeof(struct fw_limit_line), count, &options);
}

static struct fw_limit_line *lines_map(int fd, uint32_t count)
{
	void *memory = mmap(NULL, count * sizeof(struct fw_limit_line), PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void lines_unmap(struct fw_limit_line *lines, uint32_t count)
{
	array_unmap(lines, count * sizeof(*lines));
}

int limits_outer_create(void)
{
	_cleanup_close_ int template = lines_create(1);
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t) template);

	if (template <0)
		return template;
	return bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "fw_limits", sizeof(uint32_t),
			      sizeof(uint32_t), FW_LIMITS_SLOTS, &options);
}

/* The lines in a slot, and how many; -ENOENT if there are none. */
static int slot_fd(const struct dataplane *dataplane, enum fw_limits_slot slot, uint32_t *ret_count)
{
	struct bpf_map_info info = {};
	uint32_t key = slot, id = 0, length = sizeof(info);
	int fd, error = bpf_map_lookup_elem(dataplane->maps.limits, &key, &id);

	if (error)
		return error;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	error = bpf_obj_get_info_by_fd(fd, &info, &length);
	if (error) {
		close(fd);
		return error;
	}
	*ret_count = info.max_entries;
	return fd;
}

static int slot_fill(const struct dataplane *dataplane, enum fw_limits_slot slot, int fd)
{
	uint32_t key = slot;

	return bpf_map_update_elem(dataplane->maps.limits, &key, &fd, BPF_ANY);
}

/* The table of addresses: all free, and a seed that nobody knows. */
static int addresses_make(const struct dataplane *dataplane)
{
	uint32_t count = 0;
	_cleanup_close_ int fd = slot_fd(dataplane, FW_LIMITS_ADDRESSES, &count);
	struct fw_limit_head head = { .mask = FW_LIMIT_LINES - 1 };
	uint32_t zero = 0;
	int error;

	if (fd != -ENOENT)
		return fd < 0 ? fd : 0;
	if (getrandom(head.seed, sizeof(head.seed), 0) != (ssize_t)sizeof(head.seed))
		return -EIO;
	fd = lines_create(1 + FW_LIMIT_LINES);
	if (fd < 0)
		return fd;
	error = bpf_map_update_elem(fd, &zero, &head, BPF_ANY);
	return error ? error : slot_fill(dataplane, FW_LIMITS_ADDRESSES, fd);
}

/* Copies what a smaller array holds. What packets take from it meanwhile is forgotten: a moment. */
static int rules_copy(int to, uint32_t to_count, int from, uint32_t from_count)
{
	struct fw_limit_line *new = lines_map(to, to_count), *old = lines_map(from, from_count);

	if (new &&old)
		memcpy(new, old, from_count * sizeof(*old));
	lines_unmap(new, to_count);
	lines_unmap(old, from_count);
	return new &&old ? 0 : -ENOMEM;
}

/* A line for each bucket that the registry gave out. */
static int rules_make(const struct dataplane *dataplane, uint32_t needed)
{
	uint32_t count = FW_LIMIT_RULE_LINES, old_count = 0;
	_cleanup_close_ int old = slot_fd(dataplane, FW_LIMITS_RULES, &old_count), fd = -1;
	int error = 0;

	if (old < 0 && old != -ENOENT)
		return old;
	if (old >= 0 && old_count >= needed)
		return 0;
	while (count < needed)
		count *= 2;
	fd = lines_create(count);
	if (fd < 0)
		return fd;
	if (old >= 0)
		error = rules_copy(fd, count, old, old_count);
	return error ? error : slot_fill(dataplane, FW_LIMITS_RULES, fd);
}

/* Rules that are new start with a full bucket, whoever had the line before. */
static int rules_reset(const struct dataplane *dataplane, const struct registry *registry)
{
	uint32_t count = 0;
	_cleanup_close_ int fd = slot_fd(dataplane, FW_LIMITS_RULES, &count);
	struct fw_limit_line *lines = fd < 0 ? NULL : lines_map(fd, count);

	if (!lines)
		return fd < 0 ? fd : -ENOMEM;
	for (size_t i = 0; i < registry->count; i++)
		if (registry->entries[i].is_new_bucket)
			__atomic_store_n(&lines[registry->entries[i].bucket].ways[0].full, 0,
					 __ATOMIC_RELAXED);
	lines_unmap(lines, count);
	return 0;
}

int limits_make(struct dataplane *dataplane, const struct registry *registry)
{
	uint32_t needed = 0;
	bool limited = false;
	int error;

	for (size_t i = 0; i < registry->count; i++) {
		limited |= registry->entries[i].limited && !registry->entries[i].retired;
		if (registry->entries[i].bucket >= needed)
			needed = registry->entries[i].bucket + 1;
	}
	if (!limited)
		return 0;
	error = addresses_make(dataplane);
	if (!error)
		error = rules_make(dataplane, needed);
	if (!error)
		error = rules_reset(dataplane, registry);
	return error ? fail(dataplane, error, "cannot make room for limits: %s", bpf_reason(error))
		     : 0;
}

void limits_remove(struct dataplane *dataplane, const struct registry *registry)
{
	for (size_t i = 0; i < registry->count; i++)
		if (registry->entries[i].limited && !registry->entries[i].retired)
			return;
	for (uint32_t slot = 0; slot < FW_LIMITS_SLOTS; slot++)
		slot_delete(dataplane->maps.limits, slot);
}
