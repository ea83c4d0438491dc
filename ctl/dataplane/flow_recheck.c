// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flows held against the running rules, by the classifier that the programs run, on the running
 * image. Of a flow's first packet is known what names the flow, and where it was met.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/flow_internal.h"
#include "dataplane/sets.h"
#include "fw/set_rows.h"

#define TCP_SYN	  0x02
#define USUAL_TTL 64

struct recheck {
	struct dataplane *dataplane;
	uint8_t *image; /* a copy: rows of packets in several sets are written into it */
	uint32_t mask;
	struct live_set *sets;
	size_t set_count;
	int error;
};

static const struct fw_image_header *header_of(const struct recheck *recheck)
{
	return (const void *)recheck->image;
}

/* In which of the asked sets the address is. */
static uint64_t sets_of(struct recheck *recheck, const struct address *address, uint64_t asked)
{
	uint64_t sets = 0;

	for (size_t i = 0; i < recheck->set_count; i++) {
		const struct live_set *set = &recheck->sets[i];
		_cleanup_elements_ struct set_elements elements = { 0 };

		if (!(asked >> set->slot & 1))
			continue;
		if (dataplane_set_test(recheck->dataplane, set, address, &elements))
			recheck->error = -EIO;
		if (elements.count)
			sets |= 1ULL << set->slot;
	}
	return sets;
}

static void headers_fill(const struct flow *flow, struct fw_packet *packet)
{
	switch (flow->protocol) {
	case FW_PROTOCOL_TCP:
		packet->has = FW_HAS_PORTS | FW_HAS_FLAGS;
		packet->tcp_flags = TCP_SYN;
		packet->length += FW_TCP_HEADER;
		break;
	case FW_PROTOCOL_ICMP:
	case FW_PROTOCOL_ICMP6:
		packet->has = FW_HAS_ICMP;
		packet->icmp_type = flow->key->query;
		packet->length += FW_ICMP_HEADER;
		break;
	default:
		if (flow->source_port | flow->destination_port)
			packet->has = FW_HAS_PORTS;
		packet->length += FW_UDP_HEADER;
	}
	if (!(packet->has & FW_HAS_PORTS))
		return;
	packet->source_port = flow->source_port;
	packet->destination_port = flow->destination_port;
}

static void packet_make(struct recheck *recheck, const struct flow *flow, struct fw_packet *packet)
{
	const struct fw_instance *at = fw_instance(recheck->image, flow->hook, flow->key->family);
	bool wide = flow->key->family == FW_INET6;

	*packet = (struct fw_packet){
		.family = flow->key->family,
		.protocol = flow->protocol,
		.ethertype = wide ? FW_ETHERTYPE_IPV6 : FW_ETHERTYPE_IPV4,
		.length = wide ? FW_IPV6_HEADER : FW_IPV4_HEADER,
		.vlan = FW_NO_VLAN,
		.ttl = USUAL_TTL,
		.interface = flow->interface,
		.state = FW_STATE_NEW,
	};
	memcpy(packet->source, flow->source.word, sizeof(packet->source));
	memcpy(packet->destination, flow->destination.word, sizeof(packet->destination));
	packet->source_sets = sets_of(recheck, &flow->source, at->sets[0]);
	packet->destination_sets = sets_of(recheck, &flow->destination, at->sets[1]);
	fw_find_sets_row(recheck->image, recheck->mask, flow->hook, packet);
	headers_fill(flow, packet);
}

static enum flow_answer flow_recheck(const struct flow *flow, void *data)
{
	struct recheck *recheck = data;
	struct fw_match_result result;
	struct fw_packet packet;

	/* Where there is no block nothing refuses it. */
	if (!(header_of(recheck)->features[flow->hook] & FW_HAS_RULES))
		return FLOW_GO_ON;
	packet_make(recheck, flow, &packet);
	if (!recheck->error &&
	    fw_classify(recheck->image, recheck->mask, flow->hook, &packet, &result))
		recheck->error = -EBADMSG;
	if (recheck->error)
		return FLOW_STOP;
	if (fw_record(recheck->image, recheck->mask, result.record)->action == FW_PASS)
		return FLOW_GO_ON;
	return FLOW_DELETE;
}

/* Pages that the image does not fill are never touched. */
static int image_copy(int fd, size_t size, uint8_t **ret_image)
{
	const void *running;
	size_t length;
	void *copy;
	int error = array_map(fd, size, &running);

	if (error)
		return error;
	length = fw_image_header(running)->size;
	copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		error = -errno;
	else
		memcpy(copy, running, length < size ? length : size);
	array_unmap(running, size);
	*ret_image = copy;
	return error;
}

int dataplane_flows_recheck(struct dataplane *dataplane, uint64_t *ret_deleted)
{
	uint64_t active = maps_active(&dataplane->maps);
	unsigned class = FW_ACTIVE_CLASS(active);
	size_t size = dataplane->maps.sizes.image[class];
	struct recheck recheck = { .dataplane = dataplane, .mask = (uint32_t)size - 1 };
	_cleanup_close_ int fd =
		flow_place_open(dataplane->maps.images[class], FW_ACTIVE_SLOT(active));
	_cleanup_free_ struct live_set *sets = NULL;
	int error = fd < 0 ? fd : image_copy(fd, size, &recheck.image);

	if (error)
		return fail(dataplane, error, "cannot read the running rules: %s",
			    bpf_reason(error));
	error = dataplane_sets(dataplane, &sets, &recheck.set_count);
	recheck.sets = sets;
	if (!error)
		error = dataplane_flows_visit(dataplane, flow_recheck, &recheck, ret_deleted);
	munmap(recheck.image, size);
	if (!error && recheck.error)
		error = fail(dataplane, recheck.error, "cannot judge the flows anew");
	return error;
}
