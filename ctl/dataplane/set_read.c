// SPDX-License-Identifier: GPL-2.0-only
/* Reading the elements of a live set: all of them, those that hold an address, how many. */
#include <errno.h>

#include "dataplane/set_internal.h"

/* What is in the maps, in their order. */
static int set_read(struct dataplane *dataplane, const struct live_set *set,
		    struct set_elements *ret_elements)
{
	struct set_elements elements = { 0 };

	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		_cleanup_close_ int fd = set_map_open(dataplane, map, set->slot);
		int error = fd < 0 ? fd : set_map_read(fd, map, &elements);

		if (error) {
			set_elements_free(&elements);
			return fail(dataplane, error, "cannot read the live set %s: %s", set->name,
				    bpf_reason(error));
		}
	}
	*ret_elements = elements;
	return 0;
}

int dataplane_set_read(struct dataplane *dataplane, const struct live_set *set,
		       struct set_elements *ret_elements)
{
	int error = set_read(dataplane, set, ret_elements);

	/* A reader that met a writer may have seen an element twice. */
	if (!error)
		set_elements_unite(ret_elements);
	return error;
}

int dataplane_set_count(struct dataplane *dataplane, struct live_set *set)
{
	const struct fw_set_slot *slot = set_slot(dataplane, set->slot);
	_cleanup_elements_ struct set_elements elements = { 0 };
	int error;

	if (!slot->earliest || slot->earliest > boot_seconds())
		return 0;
	error = set_read(dataplane, set, &elements);
	if (error)
		return error;
	set->count = set_elements_alive(&elements);
	set->expired = elements.count - set->count;
	return 0;
}

int dataplane_set_test(struct dataplane *dataplane, const struct live_set *set,
		       const struct address *address, struct set_elements *ret_elements)
{
	unsigned bits = address->family == FW_INET ? 32 : 128;
	struct set_element wanted = { .address = *address, .length = (uint8_t)bits }, found;
	uint32_t now = boot_seconds();

	for (enum fw_set_kind kind = 0; kind < FW_SET_KINDS; kind++) {
		const struct set_map map = { kind, address->family == FW_INET6 };
		_cleanup_close_ int fd = set_map_open(dataplane, map, set->slot);

		if (fd < 0)
			return fail(dataplane, fd, "cannot read the live set %s: %s", set->name,
				    bpf_reason(fd));
		while (!set_map_lookup(fd, map, &wanted, &found)) {
			struct address first, last;

			prefix_bounds(&found.address, found.length, &first, &last);
			found.address = first;
			if (!set_element_has_expired(&found, now))
				set_elements_add(ret_elements, &found);
			if (kind == FW_SET_HOSTS || !found.length)
				break;
			wanted.length = (uint8_t)(found.length - 1);
		}
		wanted.length = (uint8_t)bits;
	}
	return 0;
}
