/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet out of many: a familiar one to be shown, or a corner, where rules that overlap are
 * most likely to leave something over.
 */
#include "analysis/packet_frame.h"
#include "analysis/packet_kinds.h"
#include "analysis/space.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Documentation addresses (RFC 5737, RFC 3849), well known ports, and the like. */
struct familiar {
	u128 values[4];
	size_t count;
};

#define DOC6(host) ((u128)0x20010db8 << 96 | (host))

static const struct familiar familiar_source[FW_FAMILIES] = {
	[FW_INET] = { { 0xc0000201, 0xcb007101, 0x0a000001, 0xc0a80001 }, 4 },
	[FW_INET6] = { { DOC6(1), DOC6((u128)1 << 64 | 1) }, 2 },
};
static const struct familiar familiar_destination[FW_FAMILIES] = {
	[FW_INET] = { { 0xc6336401, 0xc0000202, 0x0a000002, 0xc0a80002 }, 4 },
	[FW_INET6] = { { DOC6((u128)2 << 64 | 1), DOC6(2) }, 2 },
};
static const struct familiar familiar_type[FW_FAMILIES] = {
	[FW_INET] = { { 8, 0, 3 }, 3 },
	[FW_INET6] = { { 128, 129, 1 }, 3 },
};
static const struct familiar familiar_field[REGION_FIELDS] = {
	[REGION_SOURCE_PORT] = { { 50000, 1024, 123 }, 3 },
	[REGION_DESTINATION_PORT] = { { 80, 443, 22, 8080 }, 4 },
	[REGION_FLAGS] = { { 0x02, 0x10, 0x12, 0x11 }, 4 },
	[REGION_TTL] = { { PACKET_TTL, 255 }, 2 },
	[REGION_VLAN] = { { FW_NO_VLAN, 10 }, 2 },
	[REGION_ETHERTYPE] = { { FW_ETHERTYPE_ARP, 0x88cc }, 2 },
	[REGION_SOURCE_MAC] = { { PACKET_SOURCE_MAC }, 1 },
	[REGION_DESTINATION_MAC] = { { PACKET_DESTINATION_MAC }, 1 },
};

static const struct familiar *familiar_of(enum region_field field, enum fw_family family)
{
	switch (field) {
	case REGION_SOURCE:
		return &familiar_source[family];
	case REGION_DESTINATION:
		return &familiar_destination[family];
	case REGION_ICMP_TYPE:
		return &familiar_type[family];
	default:
		return &familiar_field[field];
	}
}

static u128 pick_familiar(const struct spans *values, enum region_field field,
			  enum fw_family family)
{
	const struct familiar *familiar = familiar_of(field, family);
	const struct span *first = &values->items[0];
	bool is_address = field == REGION_SOURCE || field == REGION_DESTINATION;

	for (size_t i = 0; i < familiar->count; i++)
		if (spans_contain(values, familiar->values[i]))
			return familiar->values[i];
	/* The first address of a network is rarely a host's. */
	return is_address && first->high - first->low > 1 ? first->low + 1 : first->low;
}

/* An interface that the file itself attaches to is easier to understand than a made-up one. */
static u128 pick_interface(const struct space *space, const struct region *region)
{
	const struct interfaces *interfaces = &space->interfaces;
	const struct spans *values = region->field[REGION_INTERFACE];

	for (size_t i = 0; i < interfaces->preferred_count; i++) {
		uint32_t number = interfaces->preferred_classes[i];

		if (!values || spans_contain(values, number))
			return number;
	}
	return values ? values->items[0].low : interfaces_last(interfaces);
}

/* Bytes that a packet of this kind has at least. */
static uint32_t smallest_length(enum fw_family family, unsigned kind)
{
	const struct fw_packet packet = {
		.family = (uint8_t)family,
		.protocol = (uint8_t)kind,
		.has = kind >= REGION_KIND(0, true) ? FW_IS_FRAGMENT : 0,
	};

	return packet_smallest_length(&packet);
}

/* Can a packet of this kind have one of the lengths that the region allows? */
static bool fits_length(enum fw_family family, const struct region *region, unsigned kind)
{
	const struct spans *lengths = region->field[REGION_LENGTH];

	return !lengths || lengths->items[lengths->count - 1].high >= smallest_length(family, kind);
}

/* Has the kind any choice of ICMP types? Else one packet stands for all. */
static bool kind_has_types(enum fw_family family, unsigned kind)
{
	return kind == (family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6);
}

static uint8_t states_of_kind(enum fw_family family, unsigned kind, unsigned type)
{
	const struct fw_packet packet = {
		.family = (uint8_t)family,
		.protocol = (uint8_t)kind,
		.has = kind >= REGION_KIND(0, true) ? FW_IS_FRAGMENT : 0,
		.icmp_type = (uint8_t)type,
	};

	return packet_states(&packet);
}

/* The first state that a packet of this kind and type can have and the region allows, or -1. */
static int find_state(enum fw_family family, const struct region *region, unsigned kind,
		      unsigned type)
{
	const struct spans *states = region->field[REGION_STATE];
	uint8_t possible = states_of_kind(family, kind, type);

	for (int state = 0; possible >> state; state++)
		if (possible >> state & 1 && (!states || spans_contain(states, (u128)state)))
			return state;
	return -1;
}

/* The same for any type that the region allows, which it tells. */
static int find_type_and_state(enum fw_family family, const struct region *region, unsigned kind,
			       unsigned *ret_type)
{
	const struct spans *types = region->field[REGION_ICMP_TYPE];

	for (unsigned type = 0; type <= (kind_has_types(family, kind) ? UINT8_MAX : 0); type++) {
		int state = find_state(family, region, kind, type);
		bool is_allowed =
			!kind_has_types(family, kind) || !types || spans_contain(types, type);

		if (state < 0 || !is_allowed)
			continue;
		*ret_type = type;
		return state;
	}
	return -1;
}

/* Every packet may be new. */
static bool limits_state(const struct region *region)
{
	return region->field[REGION_STATE] && region->field[REGION_STATE]->items[0].low;
}

static bool fits_state(enum fw_family family, const struct region *region, unsigned kind)
{
	unsigned type;

	return !limits_state(region) || find_type_and_state(family, region, kind, &type) >= 0;
}

static bool has_real_kind(enum fw_family family, const struct region *region, unsigned kind)
{
	return region_has_kind(region, kind) && fits_length(family, region, kind) &&
	       fits_state(family, region, kind);
}

static unsigned first_kind(enum fw_family family, const struct region *region)
{
	unsigned kind = 0;

	while (kind < REGION_KINDS && !has_real_kind(family, region, kind))
		kind++;
	return kind;
}

static unsigned last_kind(enum fw_family family, const struct region *region)
{
	unsigned kind = REGION_KINDS;

	while (kind-- > 0)
		if (has_real_kind(family, region, kind))
			return kind;
	return REGION_KINDS;
}

bool space_is_real(enum fw_family family, const struct region *region)
{
	return (!region->field[REGION_LENGTH] && !limits_state(region)) ||
	       first_kind(family, region) < REGION_KINDS;
}

static unsigned pick_kind(enum fw_family family, const struct region *region, unsigned variant)
{
	static const uint8_t usual[] = {
		FW_PROTOCOL_TCP, FW_PROTOCOL_UDP, FW_PROTOCOL_ICMP, FW_PROTOCOL_ICMP6, 50, 47
	};

	if (variant % 3 == 1)
		return last_kind(family, region);
	for (size_t i = 0; i < COUNT(usual) && !variant; i++) {
		unsigned kind = REGION_KIND(usual[i], false);
		bool is_foreign =
			usual[i] == (family == FW_INET ? FW_PROTOCOL_ICMP6 : FW_PROTOCOL_ICMP);

		if (!is_foreign && has_real_kind(family, region, kind))
			return kind;
	}
	return first_kind(family, region);
}

/* The shortest that a packet of the kind can be and the region allows. */
static u128 pick_length(enum fw_family family, const struct region *region, unsigned kind)
{
	const struct spans *lengths = region->field[REGION_LENGTH];
	uint32_t smallest = smallest_length(family, kind);

	for (size_t i = 0; lengths && i < lengths->count; i++)
		if (lengths->items[i].high >= smallest)
			return lengths->items[i].low > smallest ? lengths->items[i].low : smallest;
	return smallest;
}

/* Which end of a field's values a variant takes: both ends of the four that rules differ in. */
static bool takes_last(enum region_field field, unsigned variant)
{
	switch (field) {
	case REGION_SOURCE:
		return variant & 1;
	case REGION_DESTINATION:
		return (variant ^ variant >> 1) & 1;
	case REGION_DESTINATION_PORT:
		return (variant >> 1) & 1;
	case REGION_SOURCE_PORT:
		return (variant >> 2) & 1;
	default:
		return (variant >> 3) & 1;
	}
}

/* The name that the packet comes from decides all open questions about its interface. */
static void answer_patterns(const struct space *space, const struct region *region,
			    struct point *point)
{
	const char *name;

	if (!space->interfaces.pattern_count)
		return;
	name = interfaces_sample(&space->interfaces, (uint32_t)point->field[REGION_INTERFACE],
				 region->one[REGION_FACTS], region->zero[REGION_FACTS]);
	if (name)
		point->words[REGION_FACTS] |= interfaces_answers(&space->interfaces, name);
}

/* A state that a packet of the kind can have, if need be with another ICMP type. */
static void pick_state(enum fw_family family, const struct region *region, struct point *point)
{
	unsigned type = (unsigned)point->field[REGION_ICMP_TYPE];
	int state;

	if (states_of_kind(family, point->kind, type) >> (unsigned)point->field[REGION_STATE] & 1)
		return;
	state = find_state(family, region, point->kind, type);
	if (state < 0)
		state = find_type_and_state(family, region, point->kind, &type);
	if (state < 0)
		return;
	point->field[REGION_STATE] = (unsigned)state;
	if (kind_has_types(family, point->kind))
		point->field[REGION_ICMP_TYPE] = type;
}

void space_pick(const struct space *space, enum fw_family family, const struct region *region,
		unsigned variant, struct point *ret_point)
{
	for (int i = 0; i < REGION_FIELDS; i++) {
		enum region_field field = (enum region_field)i;
		const struct spans *values = region->field[i];

		if (!values)
			values = space->families[family].full[i];
		if (!variant || (!region->field[i] && field > REGION_DESTINATION_PORT))
			ret_point->field[i] = pick_familiar(values, field, family);
		else if (takes_last(field, variant))
			ret_point->field[i] = values->items[values->count - 1].high;
		else
			ret_point->field[i] = values->items[0].low;
	}
	ret_point->field[REGION_INTERFACE] = pick_interface(space, region);
	ret_point->kind = pick_kind(family, region, variant);
	ret_point->field[REGION_LENGTH] = pick_length(family, region, ret_point->kind);
	pick_state(family, region, ret_point);
	for (int i = 0; i < REGION_WORDS; i++)
		ret_point->words[i] = region->one[i];
	if (!(region->zero[REGION_FACTS] & REGION_FACT_MAC))
		ret_point->words[REGION_FACTS] |= REGION_FACT_MAC;
	answer_patterns(space, region, ret_point);
}
