// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generations: putting one in, switching to it, taking the old one out, and cleaning up after a
 * fwctl that died in between. See docs/adr/0002-switching.md for why each step is where it is.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/number.h"
#include "dataplane/flow_internal.h"
#include "fw/classify.h"

#define GENERATION_PIN "generation-"

static int generation_path(const struct dataplane *dataplane, uint32_t number, char *path,
			   size_t size)
{
	int length = snprintf(path, size, "%s/" GENERATION_PIN "%u", dataplane->layout_dir, number);

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static int manifest_map(struct dataplane *dataplane, int fd, struct manifest_map *ret_map)
{
	struct manifest_map map = { .fd = fd };
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int error = bpf_obj_get_info_by_fd(fd, &info, &length);

	map.size = info.value_size;
	if (!error)
		error = array_map(fd, map.size, &map.bytes);
	if (!error)
		error = manifest_check(map.bytes, map.size);
	if (error) {
		manifest_unmap(&map);
		return fail(dataplane, error, "cannot read the running rules: %s",
			    strerror(-error));
	}
	*ret_map = map;
	return 0;
}

int generation_manifest(struct dataplane *dataplane, struct manifest_map *ret_map)
{
	char path[4096];

	/* Without the lock a switch can take the manifest away between the two steps. */
	for (int tries = 0; tries < 100; tries++) {
		uint32_t number = FW_ACTIVE_GENERATION(maps_active(&dataplane->maps));
		int fd;

		if (!number)
			return fail(dataplane, -ENOENT, "no rules are loaded; run fwctl apply");
		if (!dataplane->pin_dir) {
			fd = fcntl(dataplane->manifest.fd, F_DUPFD_CLOEXEC, 3);
		} else {
			generation_path(dataplane, number, path, sizeof(path));
			fd = bpf_obj_get(path);
		}
		if (fd >= 0)
			return manifest_map(dataplane, fd, ret_map);
		if (fd != -ENOENT)
			return fail(dataplane, fd, "cannot open %s: %s", path, bpf_reason(fd));
	}
	return fail(dataplane, -EIO,
		    "the running rules' description is missing (%s): apply a rule "
		    "file anew",
		    path);
}

int dataplane_read_generation(struct dataplane *dataplane, struct generation **ret_generation)
{
	struct manifest_map map = MANIFEST_NONE, *owned;
	struct generation *generation;
	int error = generation_manifest(dataplane, &map);

	if (error)
		return error;
	generation = malloc(sizeof(*generation) + sizeof(map));
	if (!generation) {
		manifest_unmap(&map);
		return fail(dataplane, -ENOMEM, "not enough memory");
	}
	manifest_generation(map.bytes, generation);
	owned = (void *)(generation + 1);
	*owned = map;
	generation->manifest = owned;
	*ret_generation = generation;
	return 0;
}

void generation_free(struct generation **generation)
{
	struct manifest_map *map;

	if (!*generation)
		return;
	map = (void *)(*generation + 1);
	manifest_unmap(map);
	free((void *)(uintptr_t)(*generation)->files);
	free(*generation);
	*generation = NULL;
}

int dataplane_mark_saved(struct dataplane *dataplane, uint64_t digest)
{
	struct manifest_map map = MANIFEST_NONE;
	int error = generation_manifest(dataplane, &map);
	void *memory;

	if (error)
		return error;
	memory = mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_SHARED, map.fd, 0);
	if (memory == MAP_FAILED) {
		error = fail(dataplane, -errno, "cannot write to the running rules: %s",
			     strerror(errno));
	} else {
		manifest_mark_saved(memory, digest);
		munmap(memory, map.size);
	}
	manifest_unmap(&map);
	return error;
}

/* Counts the manifests of all generations but one, and unpins them if so told. */
static size_t manifests_walk(struct dataplane *dataplane, uint32_t kept, bool unpin)
{
	DIR *directory = dataplane->layout_dir ? opendir(dataplane->layout_dir) : NULL;
	struct dirent *entry;
	size_t count = 0;

	while (directory && (entry = readdir(directory))) {
		uint64_t number;

		if (strncmp(entry->d_name, GENERATION_PIN, strlen(GENERATION_PIN)) ||
		    number_parse_text(entry->d_name + strlen(GENERATION_PIN), 0, UINT32_MAX,
				      &number) ||
		    number == kept)
			continue;
		count++;
		if (unpin)
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
	if (directory)
		closedir(directory);
	return count;
}

/* Is there a manifest of another generation? Then somebody died in a switch, or it did not settle.
 */
static bool manifests_are_left(struct dataplane *dataplane, uint32_t current)
{
	return manifests_walk(dataplane, current, false) > 0;
}

/*
 * After a switch: no packet sees the old image any more, and what is left of it goes. Its manifest
 * goes last: as long as it is there, nobody takes the idle slot for one that no packet looks into.
 */
static int generation_settle(struct dataplane *dataplane, uint64_t active)
{
	int error = FW_ACTIVE_GENERATION(active) ? images_wait(dataplane, active) : 0;

	crash_point();
	if (!error)
		error = images_clean(dataplane, active);
	crash_point();
	if (!error)
		manifests_walk(dataplane, FW_ACTIVE_GENERATION(active), true);
	crash_point();
	dataplane->unsettled = error != 0;
	return error;
}

int generation_clean(struct dataplane *dataplane)
{
	uint64_t active = maps_active(&dataplane->maps);
	int error = 0;

	if (dataplane->unsettled || manifests_are_left(dataplane, FW_ACTIVE_GENERATION(active)))
		error = generation_settle(dataplane, active);
	return error ? fail(dataplane, error, "cannot clean up after a switch that did not end: %s",
			    bpf_reason(error))
		     : 0;
}

static int manifest_make(struct dataplane *dataplane, const struct switch_input *input)
{
	const struct registry *registry = input->plan->registry;
	size_t size = manifest_size(registry, input);
	void *memory;
	int fd = array_create("fw_manifest", size, &memory);

	if (fd < 0)
		return fail(dataplane, fd, "cannot make room for the rules' text: %s",
			    bpf_reason(fd));
	manifest_write(memory, registry, input);
	munmap(memory, size);
	return fd;
}

/* A pin of that number can be there only if somebody died before he flipped `active` to it. */
static int manifest_pin(struct dataplane *dataplane, int fd, uint32_t number)
{
	char path[4096];
	int error;

	if (!dataplane->pin_dir)
		return 0;
	error = generation_path(dataplane, number, path, sizeof(path));
	if (!error)
		error = bpf_obj_pin(fd, path);
	return error ? fail(dataplane, error, "cannot pin %s: %s", path, bpf_reason(error)) : 0;
}

/* Puts both in place, unseen: the image, if its slot is empty, and the manifest beside the old one.
 */
static int place(struct dataplane *dataplane, int image, int manifest, uint64_t word)
{
	uint32_t slot = FW_ACTIVE_SLOT(word);
	int outer = dataplane->maps.images[FW_ACTIVE_CLASS(word)];
	int error = manifest_pin(dataplane, manifest, FW_ACTIVE_GENERATION(word));

	if (error)
		return error;
	crash_point();
	if (image >= 0)
		error = memory_point();
	if (image >= 0 && !error)
		error = bpf_map_update_elem(outer, &slot, &image, BPF_ANY);
	crash_point();
	if (!error)
		return 0;
	manifests_walk(dataplane, FW_ACTIVE_GENERATION(maps_active(&dataplane->maps)), true);
	return fail(dataplane, error, "cannot put the rules in place: %s", bpf_reason(error));
}

static bool uses_state(const struct fw_image_header *header)
{
	return (header->features[FW_INGRESS] | header->features[FW_EGRESS]) &
	       (FW_NEEDS_STATE | FW_NEEDS_KEEP_STATE);
}

/* The image's `option flows`; 0 if its rules use no state. */
static uint64_t wanted_flows(const struct fw_image_header *header)
{
	const struct fw_state_options *options =
		(const void *)((const uint8_t *)header + header->options);

	return uses_state(header) ? options->flows : 0;
}

/* What the programs have to find out before they ask the image: not of sets that are empty. */
static uint64_t asks_flags(const struct fw_sets *live, const uint8_t *image)
{
	uint64_t flags = 0;

	for (unsigned i = 0; i < FW_HOOKS * FW_SET_FAMILIES; i++) {
		enum fw_hook hook = i / FW_SET_FAMILIES;
		unsigned family = i % FW_SET_FAMILIES;
		const struct fw_instance *at = fw_instance(image, hook, FW_INET + family);
		uint64_t held =
			live->occupied[FW_SET_HOSTS][family] | live->occupied[FW_SET_NETS][family];

		if ((at->sets[0] | at->sets[1]) & held)
			flags |= FW_ACTIVE_ASKS_SETS(hook, FW_INET + family);
	}
	return flags;
}

/* A flow is followed in both directions, whoever asks for it. */
static uint64_t state_flags(const struct fw_image_header *header)
{
	if (!uses_state(header))
		return 0;
	return FW_ACTIVE_ASKS_STATE(FW_INGRESS) | FW_ACTIVE_ASKS_STATE(FW_EGRESS);
}

int generation_ask_sets(struct dataplane *dataplane)
{
	const uint64_t all = FW_ACTIVE_ASKS_SETS(FW_INGRESS, FW_INET) |
			     FW_ACTIVE_ASKS_SETS(FW_EGRESS, FW_INET) |
			     FW_ACTIVE_ASKS_SETS(FW_INGRESS, FW_INET6) |
			     FW_ACTIVE_ASKS_SETS(FW_EGRESS, FW_INET6);
	uint64_t word = maps_active(&dataplane->maps), asks;
	uint32_t slot = FW_ACTIVE_SLOT(word), id;
	_cleanup_close_ int image = -1;
	const void *start;
	int error;

	if (!FW_ACTIVE_GENERATION(word))
		return 0;
	error = bpf_map_lookup_elem(dataplane->maps.images[FW_ACTIVE_CLASS(word)], &slot, &id);
	if (!error) {
		image = bpf_map_get_fd_by_id(id);
		error = image < 0 ? image : array_map(image, FW_IMAGE_FIXED, &start);
	}
	if (error)
		return error;
	asks = asks_flags(dataplane->maps.live, start);
	array_unmap(start, FW_IMAGE_FIXED);
	if ((word & all) != asks)
		maps_set_active(&dataplane->maps, (word & ~all) | asks);
	return 0;
}

int dataplane_switch(struct dataplane *dataplane, const struct switch_input *input,
		     uint32_t *ret_number)
{
	const struct registry *registry = input->plan->registry;
	_cleanup_close_ int image = -1, manifest = -1;
	uint64_t word, before = maps_active(&dataplane->maps);
	unsigned class = 0, slot = 0;
	int error = generation_clean(dataplane);

	if (!error)
		error = image_place(dataplane, input, &class, &slot);
	if (!error)
		error = counters_make(dataplane, registry->counter_class);
	if (!error)
		error = flows_prepare(dataplane, wanted_flows(input->image));
	if (!error)
		error = limits_make(dataplane, registry);
	if (error)
		return error;
	crash_point();
	error = image_write(dataplane, input, FW_ACTIVE_WORD(0, slot, class, 0, 0), &image);
	if (error)
		return error;
	crash_point();
	manifest = manifest_make(dataplane, input);
	if (manifest < 0)
		return manifest;
	crash_point();
	word = FW_ACTIVE_WORD(registry->generation, slot, class, registry->counter_class,
			      input->fail_drop) |
	       asks_flags(dataplane->maps.live, input->image) | state_flags(input->image);
	error = place(dataplane, image, manifest, word);
	if (error)
		return error;
	maps_set_active(&dataplane->maps, word);
	crash_point();
	if (!dataplane->pin_dir) {
		manifest_unmap(&dataplane->manifest);
		dataplane->manifest.fd = take_fd(&manifest);
	}
	/* Behind the flip nothing fails for the user: what is left over goes with the next command.
	 */
	generation_settle(dataplane, word);
	flows_settle(dataplane, before, word);
	dataplane->flows = wanted_flows(input->image);
	limits_remove(dataplane, registry);
	*ret_number = registry->generation;
	return 0;
}
