/* SPDX-License-Identifier: GPL-2.0-only */
/* The spaces of the three families, lists that are shared, and points made packets. */
#include "analysis/space.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "fw/parse.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ALL_ONES(bits) (~(u128)0 >> (128 - (bits)))

static uint64_t hash_items(const struct span *items, size_t count)
{
	const uint64_t *words = (const uint64_t *)items;
	uint64_t hash = 0x9e3779b97f4a7c15ULL;

	for (size_t i = 0; i < count * sizeof(*items) / sizeof(*words); i++) {
		hash = (hash ^ words[i]) * 0xff51afd7ed558ccdULL;
		hash ^= hash >> 32;
	}
	return hash;
}

static void lists_grow(struct spans_table *lists)
{
	struct spans_table larger = { .capacity = lists->capacity ? lists->capacity * 2 : 256 };

	larger.slots = calloc(larger.capacity, sizeof(larger.slots[0]));
	if (!larger.slots)
		message_out_of_memory();
	for (size_t i = 0; i < lists->capacity; i++) {
		const struct spans *list = lists->slots[i];
		size_t at;

		if (!list)
			continue;
		at = hash_items(list->items, list->count) & (larger.capacity - 1);
		while (larger.slots[at])
			at = (at + 1) & (larger.capacity - 1);
		larger.slots[at] = list;
	}
	larger.count = lists->count;
	free(lists->slots);
	*lists = larger;
}

const struct spans *space_share(struct space *space, const struct span *items, size_t count)
{
	struct spans_table *lists = &space->lists;
	const struct spans wanted = { .items = items, .count = count };
	struct spans *list;
	size_t at;

	if (lists->count * 2 >= lists->capacity)
		lists_grow(lists);
	at = hash_items(items, count) & (lists->capacity - 1);
	while (lists->slots[at]) {
		if (spans_equal(lists->slots[at], &wanted))
			return lists->slots[at];
		at = (at + 1) & (lists->capacity - 1);
	}
	list = arena_alloc(space->arena, sizeof(*list));
	list->items = arena_memdup(space->arena, items, count * sizeof(items[0]));
	list->count = count;
	lists->slots[at] = list;
	lists->count++;
	return list;
}

static void set_full(struct space *space, enum fw_family family, enum region_field field, u128 low,
		     u128 high)
{
	const struct span span = { low, high };

	space->families[family].full[field] = space_share(space, &span, 1);
}

/* Frames that are no IP: neither are they IP by their type, nor does a third tag reach a rule. */
static void set_other_ethertypes(struct space *space)
{
	static const uint16_t taken[] = { FW_ETHERTYPE_IPV4, 0x8100, FW_ETHERTYPE_IPV6, 0x88a8,
					  0x9100 };
	struct span spans[COUNT(taken) + 1];
	uint32_t low = 0;

	for (size_t i = 0; i < COUNT(taken); i++) {
		spans[i] = (struct span){ low, taken[i] - 1U };
		low = taken[i] + 1U;
	}
	spans[COUNT(taken)] = (struct span){ low, 0xffff };
	space->families[FW_OTHER].full[REGION_ETHERTYPE] = space_share(space, spans, COUNT(spans));
}

/* VIDs as the parser gives them: 0 is no tag. */
static void set_vlans(struct space *space, enum fw_family family)
{
	static const struct span vlans[] = { { 1, 4095 }, { FW_NO_VLAN, FW_NO_VLAN } };

	space->families[family].full[REGION_VLAN] = space_share(space, vlans, COUNT(vlans));
}

static void set_kinds(struct region *all, enum fw_family family)
{
	if (family == FW_OTHER) {
		region_add_kind(all, REGION_KIND(0, false));
		return;
	}
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		/* The walk over IPv6 headers never ends at an extension header. */
		if (family == FW_INET || !fw_is_extension(protocol))
			region_add_kind(all, REGION_KIND(protocol, false));
		region_add_kind(all, REGION_KIND(protocol, true));
	}
}

static void build_family(struct space *space, enum fw_family family)
{
	unsigned bits = family == FW_INET ? 32 : 128;
	unsigned header = family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER;
	u128 last = interfaces_last(&space->interfaces);
	u128 ethertype = family == FW_INET ? FW_ETHERTYPE_IPV4 : FW_ETHERTYPE_IPV6;

	set_kinds(&space->families[family].all, family);
	set_full(space, family, REGION_SOURCE, 0, ALL_ONES(bits));
	set_full(space, family, REGION_DESTINATION, 0, ALL_ONES(bits));
	set_full(space, family, REGION_SOURCE_PORT, 0, 65535);
	set_full(space, family, REGION_DESTINATION_PORT, 0, 65535);
	set_full(space, family, REGION_FLAGS, 0, 255);
	set_full(space, family, REGION_ICMP_TYPE, 0, 255);
	set_full(space, family, REGION_ICMP_CODE, 0, 255);
	set_full(space, family, REGION_STATE, 0, 2);
	set_full(space, family, REGION_LENGTH, header, 40 + 65535); /* as in IPv6 */
	set_full(space, family, REGION_TTL, 0, 255);
	set_full(space, family, REGION_DSCP, 0, 63);
	set_full(space, family, REGION_ETHERTYPE, ethertype, ethertype);
	set_full(space, family, REGION_SOURCE_MAC, 0, ALL_ONES(48));
	set_full(space, family, REGION_DESTINATION_MAC, 0, ALL_ONES(48));
	set_full(space, family, REGION_INTERFACE, 0, last);
	set_vlans(space, family);
}

/* Live sets of one name are the same set in both rulesets. */
static void add_live_sets(struct space *space, const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->set_count; i++) {
		const char *name = ruleset->sets[i].name;

		if (ruleset->sets[i].kind == SET_LIVE)
			table_add(&space->live, name, strlen(name), (uint32_t)space->live.count);
	}
}

struct space *space_new(const struct ruleset *const *rulesets, size_t count)
{
	struct arena *arena = arena_new();
	struct space *space = arena_alloc(arena, sizeof(*space));

	space->arena = arena;
	space->ruleset_count = count;
	space->interfaces.arena = arena;
	for (size_t i = 0; i < count; i++) {
		space->rulesets[i] = rulesets[i];
		space->sets[i] = arena_alloc(arena, (rulesets[i]->set_count + 1) *
							    sizeof(space->sets[i][0]));
		interfaces_add(&space->interfaces, rulesets[i]);
		add_live_sets(space, rulesets[i]);
	}
	interfaces_finish(&space->interfaces);
	for (int family = 0; family < FW_FAMILIES; family++)
		build_family(space, (enum fw_family)family);
	set_other_ethertypes(space);
	return space;
}

void space_free(struct space **space)
{
	struct arena *arena;

	if (!*space)
		return;
	arena = (*space)->arena;
	interfaces_free(&(*space)->interfaces);
	table_free(&(*space)->live);
	free((*space)->lists.slots);
	free((*space)->work);
	*space = NULL;
	arena_free(&arena);
}

size_t space_scratch_size(const struct space *space)
{
	size_t rules = 0, ranges = 0;

	for (size_t i = 0; i < space->ruleset_count; i++) {
		const struct ruleset *ruleset = space->rulesets[i];

		for (int hook = 0; hook < FW_HOOKS; hook++)
			rules += ruleset->blocks[hook].count;
		for (size_t j = 0; j < ruleset->set_count; j++)
			ranges += ruleset->sets[j].ranges.inet_count +
				  ruleset->sets[j].ranges.inet6_count;
	}
	return scratch_size(rules, ranges);
}

static void set_words(enum fw_family family, u128 value, uint32_t words[4])
{
	memset(words, 0, 4 * sizeof(words[0]));
	if (family == FW_INET) {
		words[0] = (uint32_t)value;
		return;
	}
	for (int i = 0; i < 4; i++)
		words[i] = (uint32_t)(value >> (96 - 32 * i));
}

static uint64_t live_bits(const struct space *space, size_t ruleset, uint64_t word)
{
	const struct ruleset *rules = space->rulesets[ruleset];
	uint64_t bits = 0;

	for (size_t i = 0; i < rules->set_count; i++) {
		const struct set *set = &rules->sets[i];
		const uint32_t *bit = table_find(&space->live, set->name, strlen(set->name));

		if (set->kind == SET_LIVE && bit && *bit < 64 && word >> *bit & 1)
			bits |= 1ULL << set->live_index;
	}
	return bits;
}

static void set_transport(struct fw_packet *packet, const struct point *point)
{
	uint8_t icmp = packet->family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6;

	switch (packet->protocol) {
	case FW_PROTOCOL_TCP:
		packet->has |= FW_HAS_FLAGS;
		packet->tcp_flags = (uint8_t)point->field[REGION_FLAGS];
		/* fall through */
	case FW_PROTOCOL_UDP:
	case FW_PROTOCOL_DCCP:
	case FW_PROTOCOL_SCTP:
	case FW_PROTOCOL_UDPLITE:
		packet->has |= FW_HAS_PORTS;
		packet->source_port = (uint16_t)point->field[REGION_SOURCE_PORT];
		packet->destination_port = (uint16_t)point->field[REGION_DESTINATION_PORT];
		return;
	}
	if (packet->protocol == icmp) {
		packet->has |= FW_HAS_ICMP;
		packet->icmp_type = (uint8_t)point->field[REGION_ICMP_TYPE];
		packet->icmp_code = (uint8_t)point->field[REGION_ICMP_CODE];
	}
}

static void set_network(const struct space *space, const struct point *point, size_t ruleset,
			struct fw_packet *packet)
{
	enum fw_family family = (enum fw_family)packet->family;

	packet->protocol = (uint8_t)point->kind;
	set_words(family, point->field[REGION_SOURCE], packet->source);
	set_words(family, point->field[REGION_DESTINATION], packet->destination);
	packet->source_sets = live_bits(space, ruleset, point->words[REGION_SOURCE_SETS]);
	packet->destination_sets = live_bits(space, ruleset, point->words[REGION_DESTINATION_SETS]);
	packet->length = (uint32_t)point->field[REGION_LENGTH];
	packet->ttl = (uint8_t)point->field[REGION_TTL];
	packet->dscp = (uint8_t)point->field[REGION_DSCP];
	packet->state = (uint8_t)(1U << (unsigned)point->field[REGION_STATE]);
	if (point->kind >= REGION_KIND(0, true))
		packet->has |= FW_IS_FRAGMENT;
	else
		set_transport(packet, point);
}

bool space_packet(const struct space *space, enum fw_family family, const struct point *point,
		  size_t ruleset, struct sample *ret_sample)
{
	uint64_t facts = point->words[REGION_FACTS];
	struct fw_packet packet = {
		.family = (uint8_t)family,
		.ethertype = (uint16_t)point->field[REGION_ETHERTYPE],
		.vlan = (uint16_t)point->field[REGION_VLAN],
	};
	const char *name =
		interfaces_sample(&space->interfaces, (uint32_t)point->field[REGION_INTERFACE],
				  facts & ~REGION_FACT_MAC, ~facts & ~REGION_FACT_MAC);

	if (!name)
		return false;
	if (facts & REGION_FACT_MAC) {
		packet.has |= FW_HAS_MAC;
		packet.source_mac = (uint64_t)point->field[REGION_SOURCE_MAC];
		packet.destination_mac = (uint64_t)point->field[REGION_DESTINATION_MAC];
	}
	if (family != FW_OTHER)
		set_network(space, point, ruleset, &packet);
	*ret_sample = (struct sample){ packet, name };
	return true;
}
