// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images and their slots: where one goes, how it is written, and when one that ran may be touched.
 * A small one stays in its slot when it runs no more, and the next switch writes over it: each
 * update of a map of maps by system call costs a grace period. docs/adr/0002-switching.md.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cpus.h"
#include "dataplane/internal.h"
#include "fw/image.h"

/* A larger image is not kept for the next switch: the memory is worth more than the time. */
#define KEPT_MAX FW_IMAGE_SIZE_1

/* Bytes of the image with a scratch row for each number that a CPU may have. */
static int full_size(struct dataplane *dataplane, const struct switch_input *input,
		     size_t *ret_size)
{
	const struct fw_image_header *header = input->image;
	int numbers = header->scratch_size ? cpu_numbers() : 1;

	if (numbers < 0)
		return fail(dataplane, numbers, "cannot read " CPUS_POSSIBLE ": %s",
			    strerror(-numbers));
	*ret_size = input->image_size + (size_t)header->scratch_size * (size_t)(numbers - 1);
	return 0;
}

int image_place(struct dataplane *dataplane, const struct switch_input *input, unsigned *ret_class,
		unsigned *ret_slot)
{
	const uint32_t *sizes = dataplane->maps.sizes.image;
	uint64_t active = maps_active(&dataplane->maps);
	unsigned class = 0;
	size_t size;
	int error = full_size(dataplane, input, &size);

	if (error)
		return error;
	while (class < FW_IMAGE_CLASSES && sizes[class] < size)
		class ++;
	if (class == FW_IMAGE_CLASSES)
		return fail(dataplane, -E2BIG,
			    "the rules need %zu MB, this machine has room for %u MB",
			    (size >> 20) + 1, sizes[FW_IMAGE_CLASSES - 1] >> 20);
	*ret_class = class;
	*ret_slot = 0;
	if (FW_ACTIVE_GENERATION(active) && FW_ACTIVE_CLASS(active) == class)
		*ret_slot = !FW_ACTIVE_SLOT(active);
	return 0;
}

/* The map in the slot that `word` names; -ENOENT if there is none. */
static int slot_open(const struct dataplane *dataplane, uint64_t word)
{
	uint32_t slot = FW_ACTIVE_SLOT(word), id;
	int error = bpf_map_lookup_elem(dataplane->maps.images[FW_ACTIVE_CLASS(word)], &slot, &id);

	return error ? error : bpf_map_get_fd_by_id(id);
}

int image_write(struct dataplane *dataplane, const struct switch_input *input, uint64_t word,
		int *ret_fd)
{
	size_t size = dataplane->maps.sizes.image[FW_ACTIVE_CLASS(word)];
	_cleanup_close_ int fd = slot_open(dataplane, word);
	bool is_new = fd == -ENOENT;
	void *memory = MAP_FAILED;
	size_t full;
	int error = full_size(dataplane, input, &full);

	if (error)
		return error;
	if (is_new)
		fd = array_create("fw_image", size, NULL);
	/* Only what is written to: the kernel enters each page into the table, and takes it out. */
	if (fd >= 0)
		memory = mmap(NULL, full, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || memory == MAP_FAILED)
		return fail(dataplane, fd < 0 ? fd : -errno,
			    "cannot make room for the rules (%zu MB): %s", size >> 20,
			    bpf_reason(fd < 0 ? fd : -errno));
	memcpy(memory, input->image, input->image_size);
	memset((uint8_t *)memory + input->image_size, 0, full - input->image_size);
	munmap(memory, full);
	if (is_new)
		*ret_fd = take_fd(&fd);
	return 0;
}

static bool is_filled(const struct dataplane *dataplane, unsigned class, uint32_t slot)
{
	uint32_t id;

	return !bpf_map_lookup_elem(dataplane->maps.images[class], &slot, &id);
}

static bool is_alone(const struct dataplane *dataplane)
{
	unsigned filled = 0;

	for (unsigned class = 0; class < FW_IMAGE_CLASSES; class ++)
		for (uint32_t slot = 0; slot < FW_IMAGE_SLOTS; slot++)
			filled += is_filled(dataplane, class, slot);
	return filled <= 1;
}

/* Any update of a map of maps ends with a grace period: this one changes nothing. */
int images_wait(struct dataplane *dataplane, uint64_t active)
{
	uint32_t slot = FW_ACTIVE_SLOT(active);
	_cleanup_close_ int image = slot_open(dataplane, active);

	if (image < 0)
		return image;
	if (is_alone(dataplane))
		return 0;
	return bpf_map_update_elem(dataplane->maps.images[FW_ACTIVE_CLASS(active)], &slot, &image,
				   BPF_ANY);
}

static bool is_wanted(const struct dataplane *dataplane, uint64_t active, unsigned class,
		      uint32_t slot)
{
	if (!FW_ACTIVE_GENERATION(active) || class != FW_ACTIVE_CLASS(active))
		return false;
	return slot == FW_ACTIVE_SLOT(active) || dataplane->maps.sizes.image[class] <= KEPT_MAX;
}

int images_clean(struct dataplane *dataplane, uint64_t active)
{
	for (unsigned class = 0; class < FW_IMAGE_CLASSES; class ++) {
		int outer = dataplane->maps.images[class];

		for (uint32_t slot = 0; slot < FW_IMAGE_SLOTS; slot++) {
			int error;

			if (is_wanted(dataplane, active, class, slot))
				continue;
			error = slot_delete(outer, slot);
			if (error)
				return error;
		}
	}
	return 0;
}
