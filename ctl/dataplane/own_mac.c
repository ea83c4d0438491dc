/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What SYN cookies ask of the host: whether its kernel makes them, and which MAC addresses its
 * interfaces have. Frames to others are not for it, so it must not answer them (fw/cookie.bpf.h).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/internal.h"
#include "fw/cookie.h"

int own_macs_create(void)
{
	/* Interfaces come, go, and change their addresses: what is not asked for makes room. */
	return bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "fw_own_macs", sizeof(struct fw_own_mac),
			      sizeof(uint8_t), FW_OWN_MACS, NULL);
}

static struct fw_own_mac own_mac_of(const struct link_info *link)
{
	return (struct fw_own_mac){ .mac = link->mac, .interface = link->index };
}

/*
 * Namespaces share the map, so an address is only taken away for itself. Where it is missing SYNs
 * go to the host, as if there were no cookies.
 */
void own_mac_note(const struct maps *maps, const struct link_info *link, bool may_answer)
{
	const struct fw_own_mac key = own_mac_of(link);
	const uint8_t nothing = 0;

	if (may_answer)
		bpf_map_update_elem(maps->own_macs, &key, &nothing, BPF_ANY);
	else
		bpf_map_delete_elem(maps->own_macs, &key);
}

static bool is_noted(const struct maps *maps, const struct link_info *link)
{
	const struct fw_own_mac key = own_mac_of(link);
	uint8_t nothing;

	return !bpf_map_lookup_elem(maps->own_macs, &key, &nothing);
}

/*
 * The links on which XDP on this one runs natively, each with the address that frames for the host
 * have there: its parts, as those of a bond. free() the array.
 */
static size_t parts_read(const struct link_info *link, struct link_info **ret_parts)
{
	size_t count, parts = 0;

	if (!link->has_parts || links_read(ret_parts, &count))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if ((*ret_parts)[i].whole != link->index)
			continue;
		(*ret_parts)[parts] = (*ret_parts)[i];
		(*ret_parts)[parts++].mac = link->mac;
	}
	return parts;
}

/* XDP sends on a veth only if the other end has a program too: who says `native` knows. */
static bool may_send(const struct link_info *link, const char *mode, bool trusted)
{
	return !link->is_veth || trusted || strcmp(mode, "native") != 0;
}

void own_macs_note(const struct maps *maps, const struct link_info *link, const char *mode,
		   bool trusted)
{
	_cleanup_free_ struct link_info *parts = NULL;
	size_t count = parts_read(link, &parts);

	own_mac_note(maps, link, may_send(link, mode, trusted));
	for (size_t i = 0; i < count; i++)
		own_mac_note(maps, &parts[i], may_send(&parts[i], mode, trusted));
}

bool own_macs_are_noted(const struct maps *maps, const struct link_info *link, const char *mode)
{
	_cleanup_free_ struct link_info *parts = NULL;
	size_t count = strcmp(mode, "native") ? 0 : parts_read(link, &parts);
	bool noted = is_noted(maps, link);

	for (size_t i = 0; i < count; i++)
		noted &= is_noted(maps, &parts[i]);
	return noted;
}

bool kernel_has_syncookies(void)
{
	static int known = -1;

	/* This one is there only with CONFIG_SYN_COOKIES. Tests have no kernel that lacks it. */
	if (known < 0)
		known = !getenv("FWCTL_TEST_NO_SYNCOOKIES") &&
			libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP,
						BPF_FUNC_tcp_raw_check_syncookie_ipv4, NULL) == 1;
	return known;
}
