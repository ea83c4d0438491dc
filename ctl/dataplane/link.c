// SPDX-License-Identifier: GPL-2.0-only
/* The network interfaces of the namespace that fwctl runs in. */
#include <errno.h>
#include <net/if_arp.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dataplane/internal.h"

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif

static int compare_index(const void *a, const void *b)
{
	const struct link_info *first = a, *second = b;

	return (first->index > second->index) - (first->index < second->index);
}

static uint64_t mac_of(const struct nl_addr *address)
{
	const uint8_t *bytes = address ? nl_addr_get_binary_addr(address) : NULL;
	uint64_t mac = 0;

	for (unsigned i = 0; bytes && nl_addr_get_len(address) == 6 && i < 6; i++)
		mac = mac << 8 | bytes[i];
	return mac;
}

static int links_copy(struct nl_cache *cache, struct link_info **ret_links, size_t *ret_count)
{
	size_t count = 0;
	struct link_info *links = calloc((size_t)nl_cache_nitems(cache) + 1, sizeof(*links));
	struct nl_object *object;

	if (!links)
		return -ENOMEM;
	for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
		struct rtnl_link *link = (struct rtnl_link *)object;
		const char *name = rtnl_link_get_name(link);
		const char *kind = rtnl_link_get_type(link);

		snprintf(links[count].name, sizeof(links[count].name), "%s", name ? name : "");
		links[count].index = (uint32_t)rtnl_link_get_ifindex(link);
		links[count].type = (uint16_t)rtnl_link_get_arptype(link);
		links[count].is_veth = kind && !strcmp(kind, "veth");
		/* Hardware is of no kind. */
		links[count].spreads = !kind || !strcmp(kind, "bond");
		links[count].whole = (uint32_t)rtnl_link_get_master(link);
		links[count].mac = mac_of(rtnl_link_get_addr(link));
		links[count].up = rtnl_link_get_flags(link) & IFF_UP;
		count++;
	}
	qsort(links, count, sizeof(*links), compare_index);
	for (size_t i = 0; i < count; i++) {
		const struct link_info wanted = { .index = links[i].whole };
		struct link_info *whole =
			bsearch(&wanted, links, count, sizeof(*links), compare_index);

		if (whole && whole->spreads) {
			whole->has_parts = true;
			whole->is_veth |= links[i].is_veth;
		} else {
			links[i].whole = 0;
		}
	}
	*ret_links = links;
	*ret_count = count;
	return 0;
}

int links_read(struct link_info **ret_links, size_t *ret_count)
{
	struct nl_sock *socket = nl_socket_alloc();
	struct nl_cache *cache = NULL;
	int error = -ENOMEM;

	if (!socket)
		return error;
	if (nl_connect(socket, NETLINK_ROUTE) || rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache))
		error = -EIO;
	else
		error = links_copy(cache, ret_links, ret_count);
	if (cache)
		nl_cache_free(cache);
	nl_socket_free(socket);
	return error;
}

unsigned long namespace_number(void)
{
	struct stat info;

	return stat("/proc/self/ns/net", &info) ? 0 : (unsigned long)info.st_ino;
}

int link_layer3(const struct link_info *link, bool *ret_layer3)
{
	switch (link->type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		*ret_layer3 = false;
		return 0;
	case ARPHRD_NONE: /* tun, WireGuard */
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
		*ret_layer3 = true;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

bool link_is_supported(const struct link_info *link)
{
	bool layer3;

	return !link_layer3(link, &layer3);
}
