// SPDX-License-Identifier: GPL-2.0-only
/*
 * Not attached: fwctl runs it to change elements of live sets in place (include/fw/renew.h).
 */
#include "fw/renew.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define SETS_OF(name)                                     \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); \
		__uint(max_entries, FW_MAX_LIVE_SETS);    \
		__type(key, __u32);                       \
		__type(value, __u32);                     \
	} name SEC(".maps")

SETS_OF(fw_hosts_4);
SETS_OF(fw_hosts_6);
SETS_OF(fw_nets_4);
SETS_OF(fw_nets_6);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_renewals);
} fw_renewals SEC(".maps");

/* The helper wants the map of maps by its name: it must be known when the program is checked. */
#define FIND(outer, item)                                                            \
	({                                                                           \
		__u32 slot_ = (item)->slot;                                          \
		void *inner_ = bpf_map_lookup_elem(&(outer), &slot_);                \
                                                                                     \
		inner_ ? bpf_map_lookup_elem(inner_, (const void *)key) : (void *)0; \
	})

static __always_inline struct fw_element *find(const struct fw_renewal *item)
{
	struct fw_net_element *net;
	__u32 key[5];

	__builtin_memcpy(key, item->key, sizeof(key));
	if (item->kind == FW_SET_HOSTS)
		return item->is_inet6 ? FIND(fw_hosts_6, item) : FIND(fw_hosts_4, item);
	net = item->is_inet6 ? FIND(fw_nets_6, item) : FIND(fw_nets_4, item);
	return net && net->length == item->length ? &net->element : (void *)0;
}

static long renew(__u32 index, void *data)
{
	__u32 first = 0;
	struct fw_renewals *all = bpf_map_lookup_elem(&fw_renewals, &first);
	struct fw_renewal *item;
	struct fw_element *element;

	(void)data;
	if (!all || index >= FW_RENEWALS)
		return 1;
	item = &all->items[index];
	element = find(item);
	if (!element)
		return 0;
	if (item->renews)
		*(volatile __u32 *)&element->expires = item->expires;
	__sync_fetch_and_add(&element->packets, item->packets);
	__sync_fetch_and_add(&element->bytes, item->bytes);
	item->found = 1;
	return 0;
}

SEC("xdp")
int fw_renew(struct xdp_md *ctx)
{
	__u32 first = 0;
	const struct fw_renewals *all = bpf_map_lookup_elem(&fw_renewals, &first);

	(void)ctx;
	if (all)
		bpf_loop(all->count, renew, (void *)0, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
