// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing elements where they are, while packets count on them: a program in the kernel writes
 * the new time and adds numbers, so that no count is lost. It is loaded only when it is needed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/set_internal.h"
#include "fw/renew.h"

/* Code that bpftool writes. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "fw_renew.skel.h"
#pragma GCC diagnostic pop

struct renewer {
	struct fw_renew_bpf *skeleton;
	struct fw_renewals *renewals;
};

void renewer_free(struct renewer **renewer)
{
	struct renewer *freed = *renewer;

	if (!freed)
		return;
	if (freed->renewals)
		munmap(freed->renewals, sizeof(*freed->renewals));
	fw_renew_bpf__destroy(freed->skeleton);
	free(freed);
	*renewer = NULL;
}

static int renewer_load(const struct maps *maps, struct renewer *renewer)
{
	struct fw_renew_bpf *skeleton = fw_renew_bpf__open();
	int error;

	renewer->skeleton = skeleton;
	if (!skeleton)
		return -errno;
	error = bpf_map__reuse_fd(skeleton->maps.fw_hosts_4, maps->sets[FW_SET_HOSTS][0]);
	if (!error)
		error = bpf_map__reuse_fd(skeleton->maps.fw_hosts_6, maps->sets[FW_SET_HOSTS][1]);
	if (!error)
		error = bpf_map__reuse_fd(skeleton->maps.fw_nets_4, maps->sets[FW_SET_NETS][0]);
	if (!error)
		error = bpf_map__reuse_fd(skeleton->maps.fw_nets_6, maps->sets[FW_SET_NETS][1]);
	if (!error)
		error = fw_renew_bpf__load(skeleton);
	if (error)
		return error;
	renewer->renewals = mmap(NULL, sizeof(*renewer->renewals), PROT_READ | PROT_WRITE,
				 MAP_SHARED, bpf_map__fd(skeleton->maps.fw_renewals), 0);
	if (renewer->renewals != MAP_FAILED)
		return 0;
	renewer->renewals = NULL;
	return -errno;
}

static int renewer_get(struct dataplane *dataplane, struct renewer **ret_renewer)
{
	int error;

	if (!dataplane->renewer) {
		dataplane->renewer = calloc(1, sizeof(*dataplane->renewer));
		if (!dataplane->renewer)
			return -ENOMEM;
		error = renewer_load(&dataplane->maps, dataplane->renewer);
		if (error) {
			renewer_free(&dataplane->renewer);
			return error;
		}
	}
	*ret_renewer = dataplane->renewer;
	return 0;
}

static int renewer_run(struct renewer *renewer)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	return bpf_prog_test_run_opts(bpf_program__fd(renewer->skeleton->progs.fw_renew), &options);
}

static void renewal_write(struct fw_renewal *renewal, unsigned slot, enum renewal what,
			  const struct set_element *element)
{
	const struct set_map map = set_map_of(element);

	*renewal = (struct fw_renewal){
		.slot = slot,
		.kind = map.kind,
		.is_inet6 = map.family,
		.length = element->length,
		.expires = element->expires,
		.renews = what == RENEW_TIME,
		.packets = what == RENEW_COUNTS ? element->packets : 0,
		.bytes = what == RENEW_COUNTS ? element->bytes : 0,
	};
	set_key_write(map, element, renewal->key);
}

int set_renew(struct dataplane *dataplane, unsigned slot, enum renewal what,
	      const struct set_elements *elements)
{
	struct renewer *renewer = NULL;
	int error = elements->count ? renewer_get(dataplane, &renewer) : 0;

	for (size_t at = 0; at < elements->count && !error;) {
		struct fw_renewals *renewals = renewer->renewals;

		renewals->count = 0;
		while (at < elements->count && renewals->count < FW_RENEWALS)
			renewal_write(&renewals->items[renewals->count++], slot, what,
				      &elements->items[at++]);
		error = renewer_run(renewer);
	}
	return error;
}
