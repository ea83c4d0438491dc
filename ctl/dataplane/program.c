// SPDX-License-Identifier: GPL-2.0-only
/* Our programs: opening them on our maps, knowing them again in the kernel, trying them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/internal.h"

/* Code that bpftool writes. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "fw_answer.skel.h"
#include "fw_egress.skel.h"
#include "fw_ingress.skel.h"
#pragma GCC diagnostic pop

#define SETUP_MAP ".rodata.setup"

const char *program_name(enum program program)
{
	static const char *const names[PROGRAMS] = { "fw_ingress", "fw_egress", "fw_answer" };

	return names[program];
}

static const void *program_bytes(enum program program, size_t *ret_size)
{
	switch (program) {
	case PROGRAM_INGRESS:
		return fw_ingress_bpf__elf_bytes(ret_size);
	case PROGRAM_EGRESS:
		return fw_egress_bpf__elf_bytes(ret_size);
	default:
		return fw_answer_bpf__elf_bytes(ret_size);
	}
}

/* FNV-1a of the object, by words; never 0. A command asks for it at each interface. */
static uint64_t program_build(enum program program)
{
	static uint64_t known[PROGRAMS];
	size_t size;
	const uint8_t *bytes = program_bytes(program, &size);
	uint64_t hash = 0xcbf29ce484222325ULL;

	if (known[program])
		return known[program];
	for (size_t i = 0; i < size; i += sizeof(hash)) {
		uint64_t word = 0;

		memcpy(&word, bytes + i, size - i < sizeof(word) ? size - i : sizeof(word));
		hash = (hash ^ word) * 0x100000001b3ULL;
		hash ^= hash >> 32;
	}
	known[program] = hash ? hash : 1;
	return known[program];
}

static int map_reuse(struct bpf_object *object, const char *name, int fd)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	return map ? bpf_map__reuse_fd(map, fd) : -ENOENT;
}

static int maps_reuse(const struct maps *maps, struct bpf_object *object)
{
	char name[16];
	int error = map_reuse(object, "fw_active", maps->active);

	if (!error)
		error = map_reuse(object, "fw_reasons", maps->reasons);
	for (unsigned i = 0; i < FW_IMAGE_CLASSES && !error; i++) {
		snprintf(name, sizeof(name), "fw_image_%u", i);
		error = map_reuse(object, name, maps->images[i]);
	}
	if (!error)
		error = map_reuse(object, "fw_sets", maps->sets_map);
	if (!error)
		error = map_reuse(object, "fw_limits", maps->limits);
	if (!error)
		error = map_reuse(object, "fw_answers", maps->answers);
	if (!error)
		error = map_reuse(object, "fw_answer_count", maps->answer_count);
	if (!error)
		error = map_reuse(object, "fw_own_macs", maps->own_macs);
	if (!error)
		error = map_reuse(object, "fw_flow_tables", maps->flow_tables);
	if (!error)
		error = map_reuse(object, "fw_flow_fragments", maps->flow_fragments);
	if (!error)
		error = map_reuse(object, "fw_flow_counts", maps->flow_counts);
	for (unsigned i = 0; i < FW_SET_FAMILIES && !error; i++) {
		snprintf(name, sizeof(name), "fw_hosts_%d", i ? 6 : 4);
		error = map_reuse(object, name, maps->sets[FW_SET_HOSTS][i]);
		snprintf(name, sizeof(name), "fw_nets_%d", i ? 6 : 4);
		if (!error)
			error = map_reuse(object, name, maps->sets[FW_SET_NETS][i]);
	}
	for (unsigned i = 0; i < FW_COUNTER_CLASSES && !error; i++) {
		snprintf(name, sizeof(name), "fw_counter_%u", i);
		error = map_reuse(object, name, maps->counters[i]);
	}
	return error;
}

/* The kernel's jiffies: how long one is, and with which number they began, 5 minutes before 0. */
static void setup_jiffies(struct fw_setup *setup)
{
	struct timespec jiffy;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &jiffy) || jiffy.tv_sec || !jiffy.tv_nsec)
		jiffy.tv_nsec = 4000000;
	setup->jiffy = (uint32_t)jiffy.tv_nsec * 16;
	setup->first_jiffy =
		(uint32_t) - (300 * ((1000000000 + jiffy.tv_nsec / 2) / jiffy.tv_nsec));
}

static int setup_write(const struct maps *maps, struct bpf_object *object, enum program program,
		       bool layer3)
{
	struct fw_setup setup = {
		.build = program_build(program),
		.sizes = maps->sizes,
		.layer3 = layer3,
		.has_cookies = kernel_has_syncookies(),
	};
	struct bpf_map *map = bpf_object__find_map_by_name(object, SETUP_MAP);

	setup_jiffies(&setup);
	return map ? bpf_map__set_initial_value(map, &setup, sizeof(setup)) : -ENOENT;
}

int program_open(struct dataplane *dataplane, enum program program, bool layer3,
		 struct bpf_object **ret_object)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = program_name(program));
	size_t size;
	const void *bytes = program_bytes(program, &size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, &options);
	int error;

	if (!object)
		return fail(dataplane, -errno, "cannot open the %s program: %s",
			    program_name(program), library_cause());
	error = maps_reuse(&dataplane->maps, object);
	if (!error)
		error = setup_write(&dataplane->maps, object, program, layer3);
	if (error) {
		bpf_object__close(object);
		return fail(dataplane, error, "cannot set up the %s program: %s",
			    program_name(program), strerror(-error));
	}
	*ret_object = object;
	return 0;
}

static int program_load(struct dataplane *dataplane, struct bpf_object *object, int *ret_fd)
{
	const char *name = bpf_object__name(object);
	int error;

	library_forget();
	error = bpf_object__load(object);
	if (error)
		return fail(dataplane, error, "cannot load the %s program: %s (%s)", name,
			    bpf_reason(error), library_cause());
	*ret_fd = bpf_program__fd(bpf_object__find_program_by_name(object, name));
	return 0;
}

int program_get(struct dataplane *dataplane, enum program program, bool layer3, int *ret_fd)
{
	struct bpf_object **object = &dataplane->loaded[program][layer3];
	int error;

	if (*object) {
		*ret_fd = bpf_program__fd(
			bpf_object__find_program_by_name(*object, program_name(program)));
		return 0;
	}
	error = program_open(dataplane, program, layer3, object);
	if (!error)
		error = program_load(dataplane, *object, ret_fd);
	if (error && *object) {
		bpf_object__close(*object);
		*object = NULL;
	}
	return error;
}

/* Looks at one map that a program uses. */
static void map_look(uint32_t id, uint32_t active, bool *ours, uint64_t *build)
{
	_cleanup_close_ int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info), zero = 0;
	_cleanup_free_ void *value = NULL;

	if (id == active)
		*ours = true;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) || strcmp(info.name, SETUP_MAP) ||
	    info.value_size < sizeof(*build))
		return;
	value = malloc(info.value_size);
	if (value && !bpf_map_lookup_elem(fd, &zero, value))
		memcpy(build, value, sizeof(*build));
}

bool program_is_ours(const struct dataplane *dataplane, uint32_t id, enum program program,
		     bool *ret_current)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	uint32_t maps[64], active, length = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {
		.nr_map_ids = 64,
		.map_ids = (uintptr_t)maps,
	};
	uint64_t build = 0;
	bool ours = false;

	if (fd < 0 || map_id(dataplane->maps.active, &active) ||
	    bpf_obj_get_info_by_fd(fd, &info, &length))
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < 64; i++)
		map_look(maps[i], active, &ours, &build);
	*ret_current = build == program_build(program);
	return ours;
}

bool program_is_a_fwctls(uint32_t id)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return false;
	for (enum program program = 0; program < PROGRAMS; program++)
		if (!strcmp(info.name, program_name(program)))
			return true;
	return false;
}

bool program_of_a_fwctl_exists(void)
{
	for (uint32_t id = 0; !bpf_prog_get_next_id(id, &id);)
		if (program_is_a_fwctls(id))
			return true;
	return false;
}

int dataplane_test_run(struct dataplane *dataplane, enum fw_hook hook,
		       const struct test_packet *packet, struct test_verdict *ret_verdict)
{
	struct xdp_md xdp = {
		.data_end = (uint32_t)packet->length,
		.ingress_ifindex = packet->interface,
	};
	struct __sk_buff skb = { .ifindex = packet->interface };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->frame,
		    .data_size_in = (uint32_t)packet->length,
		    .repeat = packet->repeat ? (int)packet->repeat : 1);
	_cleanup_free_ void *after = malloc(packet->length);
	int fd, error = program_get(dataplane, program_of(hook), false, &fd);

	if (error)
		return error;
	if (!after)
		return fail(dataplane, -ENOMEM, "not enough memory");
	options.data_out = after;
	options.data_size_out = (uint32_t)packet->length;
	if (packet->interface && hook == FW_INGRESS) {
		options.ctx_in = &xdp;
		options.ctx_size_in = sizeof(xdp);
	} else if (packet->interface) {
		options.ctx_in = &skb;
		options.ctx_size_in = sizeof(skb);
	}
	error = bpf_prog_test_run_opts(fd, &options);
	if (error)
		return fail(dataplane, error,
			    "cannot run the %s program on a packet of %zu bytes: "
			    "%s",
			    program_name(program_of(hook)), packet->length, strerror(-error));
	ret_verdict->raw = options.retval;
	ret_verdict->nanoseconds = options.duration;
	ret_verdict->verdict = FW_VERDICT_PASS;
	/* Marked, it goes to the program that answers and to nobody else. */
	ret_verdict->answered = memcmp(after, packet->frame, packet->length) != 0;
	/* But for a SYN that passes, and was answered in its place. */
	if (hook == FW_INGRESS && options.retval == XDP_TX)
		ret_verdict->answered = false;
	if (ret_verdict->answered ||
	    options.retval == (hook == FW_INGRESS ? (uint32_t)XDP_DROP : 2U /* TC_ACT_SHOT */))
		ret_verdict->verdict = FW_VERDICT_DROP;
	return 0;
}
