// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counter images as memory. Rules that outgrow a class go on in a larger one under the same
 * index, and the outgrown one stays: a counter's value is the sum over all classes and CPUs.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cpus.h"
#include "dataplane/internal.h"

uint32_t counters_capacity(const struct fw_sizes *sizes, unsigned class)
{
	return (1U << sizes->counter_shift[class]) / (uint32_t)sizeof(struct fw_counter);
}

/* The fd of a class's counter image; -ENOENT if there is none. */
static int image_fd(const struct dataplane *dataplane, unsigned class)
{
	uint32_t slot = 0, id = 0;
	int error = bpf_map_lookup_elem(dataplane->maps.counters[class], &slot, &id);

	return error ? error : bpf_map_get_fd_by_id(id);
}

int counters_make(struct dataplane *dataplane, unsigned class)
{
	_cleanup_close_ int fd = image_fd(dataplane, class);
	uint32_t slot = 0;
	int error;

	if (fd >= 0)
		return 0;
	if (fd != -ENOENT)
		return fail(dataplane, fd, "cannot read the counters: %s", bpf_reason(fd));
	fd = array_create("fw_counters", dataplane->maps.sizes.counter[class], NULL);
	if (fd < 0)
		return fail(dataplane, fd, "cannot make counters: %s", bpf_reason(fd));
	error = bpf_map_update_elem(dataplane->maps.counters[class], &slot, &fd, BPF_ANY);
	if (error)
		return fail(dataplane, error, "cannot put counters in place: %s",
			    bpf_reason(error));
	return 0;
}

/* No more than there are: of pins that counted the CPUs, greater numbers share the first regions.
 */
static unsigned regions_read(unsigned there, int numbers)
{
	return there < (unsigned)numbers ? there : (unsigned)numbers;
}

int counters_open(struct dataplane *dataplane, struct counters *ret_counters)
{
	const struct fw_sizes *sizes = &dataplane->maps.sizes;
	struct counters counters = { 0 };
	int numbers = cpu_numbers();

	if (numbers < 0)
		return fail(dataplane, numbers, "cannot read " CPUS_POSSIBLE ": %s",
			    strerror(-numbers));
	for (unsigned class = 0; class < FW_COUNTER_CLASSES; class ++) {
		_cleanup_close_ int fd = image_fd(dataplane, class);
		const void *memory;
		int error = fd;

		if (fd == -ENOENT)
			continue;
		if (fd >= 0)
			error = array_map(fd, sizes->counter[class], &memory);
		if (error < 0) {
			counters_close(&counters);
			return fail(dataplane, error, "cannot read the counters: %s",
				    bpf_reason(error));
		}
		counters.images[class].memory = memory;
		counters.images[class].size = sizes->counter[class];
		counters.images[class].shift = sizes->counter_shift[class];
		counters.images[class].regions =
			regions_read(sizes->counter[class] >> sizes->counter_shift[class], numbers);
	}
	*ret_counters = counters;
	return 0;
}

void counters_close(struct counters *counters)
{
	for (unsigned class = 0; class < FW_COUNTER_CLASSES; class ++)
		array_unmap(counters->images[class].memory, counters->images[class].size);
	memset(counters, 0, sizeof(*counters));
}

struct fw_counter counters_sum(const struct counters *counters, uint32_t index)
{
	struct fw_counter sum = {};

	for (unsigned class = 0; class < FW_COUNTER_CLASSES; class ++) {
		const uint8_t *memory = counters->images[class].memory;
		uint32_t shift = counters->images[class].shift;

		if (!memory || index >= (1U << shift) / sizeof(struct fw_counter))
			continue;
		for (unsigned cpu = 0; cpu < counters->images[class].regions; cpu++) {
			const struct fw_counter *at =
				(const void *)(memory + ((size_t)cpu << shift) +
					       index * sizeof(struct fw_counter));

			sum.packets += __atomic_load_n(&at->packets, __ATOMIC_RELAXED);
			sum.bytes += __atomic_load_n(&at->bytes, __ATOMIC_RELAXED);
		}
	}
	return sum;
}
