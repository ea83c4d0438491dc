// SPDX-License-Identifier: GPL-2.0-only
/* The maps that the programs and fwctl share: making, pinning and opening them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cpus.h"
#include "dataplane/flow_internal.h"
#include "dataplane/set_internal.h"
#include "fw/cookie.h"
#include "fw/ticket.h"

/* A template costs its whole size for a moment; this share of the free memory may go to it. */
#define TEMPLATE_SHARE 4

static const struct fw_sizes full_sizes = {
	.image = { FW_IMAGE_SIZE_0, FW_IMAGE_SIZE_1, FW_IMAGE_SIZE_2, FW_IMAGE_SIZE_3 },
	.counter = { FW_COUNTER_SIZE_0, FW_COUNTER_SIZE_1, FW_COUNTER_SIZE_2 },
};

int array_create(const char *name, size_t size, void **ret_memory)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	void *memory;
	int fd;

	if (size > INT32_MAX)
		return -E2BIG;
	if (memory_point())
		return -ENOMEM;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), (uint32_t)size, 1,
			    &options);
	if (fd < 0 || !ret_memory)
		return fd;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		int error = -errno;

		close(fd);
		return error;
	}
	*ret_memory = memory;
	return fd;
}

int array_map(int fd, size_t size, const void **ret_memory)
{
	void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	*ret_memory = memory;
	return 0;
}

void array_unmap(const void *memory, size_t size)
{
	/* munmap() takes no const, but writes nothing. */
	if (memory)
		munmap((void *)(uintptr_t)memory, size);
}

int map_id(int fd, uint32_t *ret_id)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int error = bpf_obj_get_info_by_fd(fd, &info, &length);

	if (error)
		return error;
	*ret_id = info.id;
	return 0;
}

int slot_delete(int outer, uint32_t slot)
{
	uint32_t id;

	return bpf_map_lookup_elem(outer, &slot, &id) ? 0 : bpf_map_delete_elem(outer, &slot);
}

uint64_t memory_available(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kilobytes;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu", &kilobytes) == 1)
			return kilobytes << 10;
	return UINT64_MAX;
}

/*
 * An outer map for inner maps of `size` bytes. The kernel learns what inner maps look like from a
 * template, which has to be made in full and is given back at once. Where memory for it is short
 * the class becomes smaller, but not below `least`: attaching never fails for a class that the
 * rules do not need.
 */
static int outer_create(const char *name, uint32_t slots, uint32_t *size, uint32_t least)
{
	for (;;) {
		int error = -ENOMEM;

		if (*size <= least || *size <= memory_available() / TEMPLATE_SHARE) {
			_cleanup_close_ int template = array_create("fw_template", *size, NULL);
			LIBBPF_OPTS(bpf_map_create_opts, options,
				    .inner_map_fd = (uint32_t) template);

			if (template >= 0)
				return bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, name,
						      sizeof(uint32_t), sizeof(uint32_t), slots,
						      &options);
			error = template;
		}
		if (error != -ENOMEM || *size <= least)
			return error;
		*size /= 2;
	}
}

/* 1 << shift: the power of two of bytes that each number of a CPU gets. */
static uint32_t counter_shift(uint32_t size, uint32_t numbers)
{
	uint32_t shift = 0;

	while (((uint64_t)numbers << (shift + 1)) <= size)
		shift++;
	return shift;
}

static int outers_create(struct maps *maps)
{
	struct fw_sizes *sizes = &maps->sizes;
	int numbers = cpu_numbers();
	char name[16];

	if (numbers < 0)
		return numbers;
	for (unsigned i = 0; i < FW_IMAGE_CLASSES; i++) {
		snprintf(name, sizeof(name), "fw_image_%u", i);
		maps->images[i] = outer_create(name, FW_IMAGE_SLOTS, &sizes->image[i],
					       sizes->image[i ? i - 1 : 0]);
		if (maps->images[i] < 0)
			return maps->images[i];
	}
	for (unsigned i = 0; i < FW_COUNTER_CLASSES; i++) {
		snprintf(name, sizeof(name), "fw_counter_%u", i);
		maps->counters[i] =
			outer_create(name, 1, &sizes->counter[i], sizes->counter[i ? i - 1 : 0]);
		if (maps->counters[i] < 0)
			return maps->counters[i];
		sizes->counter_shift[i] = counter_shift(sizes->counter[i], (uint32_t)numbers);
	}
	return 0;
}

/* Maps of maps for live sets, all empty. */
static int set_outers_create(struct maps *maps)
{
	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		_cleanup_close_ int template = set_map_create(map, 1);
		LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t) template);
		int fd;

		if (template <0)
			return template;
		fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "fw_sets_of", sizeof(uint32_t),
				    sizeof(uint32_t), FW_MAX_LIVE_SETS, &options);
		if (fd < 0)
			return fd;
		maps->sets[map.kind][map.family] = fd;
	}
	maps->sets_map = array_create("fw_sets", sizeof(struct fw_sets), (void **)&maps->live);
	return maps->sets_map < 0 ? maps->sets_map : 0;
}

static int answers_create(struct maps *maps)
{
	maps->answers = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fw_answers", sizeof(uint32_t),
				       sizeof(struct fw_answers), 1, NULL);
	if (maps->answers < 0)
		return maps->answers;
	maps->answer_count = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "fw_answer_count",
					    sizeof(uint32_t), sizeof(struct fw_counter),
					    FW_ANSWER_INDEX(FW_HOOKS, FW_COOKIE_OUTCOMES), NULL);
	if (maps->answer_count < 0)
		return maps->answer_count;
	maps->own_macs = own_macs_create();
	return maps->own_macs < 0 ? maps->own_macs : 0;
}

static int maps_fill(struct maps *maps)
{
	void *memory;
	int error = outers_create(maps);

	if (!error)
		error = set_outers_create(maps);
	if (!error)
		error = flow_outers_create(maps);
	if (error)
		return error;
	maps->limits = limits_outer_create();
	if (maps->limits < 0)
		return maps->limits;
	maps->reasons =
		bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "fw_reasons", sizeof(uint32_t),
			       sizeof(struct fw_counter), FW_REASON_INDEX(FW_HOOKS, 0, 0), NULL);
	if (maps->reasons < 0)
		return maps->reasons;
	error = answers_create(maps);
	if (error)
		return error;
	maps->sizes_map = array_create("fw_sizes", sizeof(maps->sizes), &memory);
	if (maps->sizes_map < 0)
		return maps->sizes_map;
	memcpy(memory, &maps->sizes, sizeof(maps->sizes));
	munmap(memory, sizeof(maps->sizes));
	maps->active = array_create("fw_active", sizeof(uint64_t), (void **)&maps->word);
	return maps->active < 0 ? maps->active : 0;
}

int maps_create(struct dataplane *dataplane, size_t largest_image)
{
	struct maps *maps = &dataplane->maps;
	int error;

	maps->sizes = full_sizes;
	if (largest_image) {
		for (unsigned i = 0; i < FW_COUNTER_CLASSES; i++)
			if (maps->sizes.counter[i] > maps->sizes.counter[1])
				maps->sizes.counter[i] = maps->sizes.counter[1];
		for (unsigned i = 1; i < FW_IMAGE_CLASSES; i++)
			if (maps->sizes.image[i - 1] >= largest_image)
				maps->sizes.image[i] = maps->sizes.image[i - 1];
	}
	error = maps_fill(maps);
	if (error)
		return fail(dataplane, error, "cannot make the filter's maps: %s",
			    bpf_reason(error));
	return 0;
}

/* Every pinned map with its name. */
#define MAPS_PINNED (12 + FW_IMAGE_CLASSES + FW_COUNTER_CLASSES + FW_SET_KINDS * FW_SET_FAMILIES)

struct pin {
	char name[16];
	int *fd;
};

static void maps_pins(struct maps *maps, struct pin pins[MAPS_PINNED])
{
	size_t count = 0;

	pins[count++] = (struct pin){ "active", &maps->active };
	pins[count++] = (struct pin){ "reasons", &maps->reasons };
	pins[count++] = (struct pin){ "sizes", &maps->sizes_map };
	pins[count++] = (struct pin){ "sets", &maps->sets_map };
	pins[count++] = (struct pin){ "answers", &maps->answers };
	pins[count++] = (struct pin){ "answer-counts", &maps->answer_count };
	pins[count++] = (struct pin){ "own-macs", &maps->own_macs };
	pins[count++] = (struct pin){ "hosts-4", &maps->sets[FW_SET_HOSTS][0] };
	pins[count++] = (struct pin){ "hosts-6", &maps->sets[FW_SET_HOSTS][1] };
	pins[count++] = (struct pin){ "nets-4", &maps->sets[FW_SET_NETS][0] };
	pins[count++] = (struct pin){ "nets-6", &maps->sets[FW_SET_NETS][1] };
	pins[count++] = (struct pin){ "limits", &maps->limits };
	pins[count++] = (struct pin){ "flow-tables", &maps->flow_tables };
	pins[count++] = (struct pin){ "flow-fragments", &maps->flow_fragments };
	pins[count++] = (struct pin){ "flow-counts", &maps->flow_counts };
	pins[count++] = (struct pin){ "flow-ledger", &maps->flow_ledger };
	for (unsigned i = 0; i < FW_IMAGE_CLASSES; i++, count++) {
		snprintf(pins[count].name, sizeof(pins[count].name), "images-%u", i);
		pins[count].fd = &maps->images[i];
	}
	for (unsigned i = 0; i < FW_COUNTER_CLASSES; i++, count++) {
		snprintf(pins[count].name, sizeof(pins[count].name), "counters-%u", i);
		pins[count].fd = &maps->counters[i];
	}
}

int maps_pin(struct dataplane *dataplane, const char *directory)
{
	struct pin pins[MAPS_PINNED];
	char path[4096];

	maps_pins(&dataplane->maps, pins);
	for (size_t i = 0; i < MAPS_PINNED; i++) {
		int error;

		snprintf(path, sizeof(path), "%s/%s", directory, pins[i].name);
		error = bpf_obj_pin(*pins[i].fd, path);
		if (error)
			return fail(dataplane, error, "cannot pin %s: %s", path, bpf_reason(error));
	}
	return 0;
}

/* Maps that are memory to fwctl. */
static int maps_memory(struct dataplane *dataplane, const char *directory)
{
	struct maps *maps = &dataplane->maps;
	const struct {
		const char *name;
		int fd;
		size_t size;
		void *memory;
	} areas[] = {
		{ "active", maps->active, sizeof(*maps->word), &maps->word },
		{ "sets", maps->sets_map, sizeof(*maps->live), &maps->live },
		{ "flow-ledger", maps->flow_ledger, sizeof(*maps->ledger), &maps->ledger },
	};

	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		void *memory = mmap(NULL, areas[i].size, PROT_READ | PROT_WRITE, MAP_SHARED,
				    areas[i].fd, 0);

		if (memory == MAP_FAILED)
			return fail(dataplane, -errno, "cannot read %s/%s: %s", directory,
				    areas[i].name, strerror(errno));
		memcpy(areas[i].memory, &memory, sizeof(memory));
	}
	return 0;
}

int maps_open(struct dataplane *dataplane, const char *directory)
{
	struct maps *maps = &dataplane->maps;
	struct pin pins[MAPS_PINNED];
	char path[4096];
	uint32_t zero = 0;
	int error;

	maps_pins(maps, pins);
	for (size_t i = 0; i < MAPS_PINNED; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, pins[i].name);
		*pins[i].fd = bpf_obj_get(path);
		if (*pins[i].fd < 0)
			return fail(dataplane, *pins[i].fd,
				    "cannot open %s: %s; fwctl down removes "
				    "what is left",
				    path, bpf_reason(*pins[i].fd));
	}
	error = bpf_map_lookup_elem(maps->sizes_map, &zero, &maps->sizes);
	if (error)
		return fail(dataplane, error, "cannot read %s/sizes: %s", directory,
			    bpf_reason(error));
	return maps_memory(dataplane, directory);
}

void maps_close(struct maps *maps)
{
	struct pin pins[MAPS_PINNED];

	maps_pins(maps, pins);
	for (size_t i = 0; i < MAPS_PINNED; i++)
		cleanup_close(pins[i].fd);
	array_unmap(maps->word, sizeof(*maps->word));
	array_unmap(maps->live, sizeof(*maps->live));
	array_unmap(maps->ledger, sizeof(*maps->ledger));
	*maps = (struct maps)MAPS_NONE;
}

uint64_t maps_active(const struct maps *maps)
{
	return maps->word ? __atomic_load_n(maps->word, __ATOMIC_ACQUIRE) : 0;
}

/* One aligned store: both hooks on all CPUs see the old word or the new one. */
void maps_set_active(const struct maps *maps, uint64_t word)
{
	__atomic_store_n(maps->word, word, __ATOMIC_RELEASE);
}
