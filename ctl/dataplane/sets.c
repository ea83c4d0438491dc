// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which live sets there are. A set keeps its slot, and so its elements, as long as generations
 * name it. What a generation says of a set (size, timeout) stands beside what the generation before
 * said, so that it holds from the switch on and not earlier. A slot is given back only when two
 * generations have not named the set: until then the old rules can be put back.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/message.h"
#include "dataplane/set_internal.h"

struct fw_set_slot *set_slot(struct dataplane *dataplane, unsigned slot)
{
	return &dataplane->maps.live->slots[slot];
}

static uint32_t generation_number(const struct dataplane *dataplane)
{
	return FW_ACTIVE_GENERATION(maps_active(&dataplane->maps));
}

const struct fw_set_properties *set_properties(struct dataplane *dataplane,
					       const struct fw_set_slot *slot)
{
	return &slot->properties[generation_number(dataplane) & 1];
}

bool set_counts(const struct dataplane *dataplane, unsigned slot)
{
	return dataplane->maps.live->counted >> slot & 1;
}

uint64_t slot_total(const struct fw_set_slot *slot)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++)
		total += slot->count[i / FW_SET_FAMILIES][i % FW_SET_FAMILIES];
	return total;
}

/* Is it a set of the running rules? */
static bool slot_runs(struct dataplane *dataplane, const struct fw_set_slot *slot)
{
	uint32_t number = generation_number(dataplane);

	return slot->name[0] && number && slot->born <= number && slot->last >= number;
}

static void set_describe(struct dataplane *dataplane, unsigned number, struct live_set *ret_set)
{
	const struct fw_set_slot *slot = set_slot(dataplane, number);
	const struct fw_set_properties *properties = set_properties(dataplane, slot);

	*ret_set = (struct live_set){
		.slot = number,
		.size = properties->size,
		.timeout = properties->timeout,
		.counters = properties->flags & FW_SET_COUNTERS,
		.bans = properties->flags & FW_SET_BANS,
		.count = slot_total(slot),
		.refused = slot->refused,
	};
	memcpy(ret_set->name, slot->name, sizeof(ret_set->name));
	ret_set->name[sizeof(ret_set->name) - 1] = '\0';
}

static int compare_names(const void *a, const void *b)
{
	const struct live_set *first = a, *second = b;

	return strcmp(first->name, second->name);
}

int dataplane_sets(struct dataplane *dataplane, struct live_set **ret_sets, size_t *ret_count)
{
	struct live_set *sets = calloc(FW_MAX_LIVE_SETS, sizeof(*sets));
	size_t count = 0;

	if (!sets)
		return fail(dataplane, -ENOMEM, "not enough memory");
	for (unsigned i = 0; dataplane->maps.live && i < FW_MAX_LIVE_SETS; i++)
		if (slot_runs(dataplane, set_slot(dataplane, i)))
			set_describe(dataplane, i, &sets[count++]);
	qsort(sets, count, sizeof(*sets), compare_names);
	*ret_sets = sets;
	*ret_count = count;
	return 0;
}

/* "there is no live set named X; there are: a, b" */
static int fail_unknown(struct dataplane *dataplane, const char *name)
{
	_cleanup_free_ struct live_set *sets = NULL;
	char names[512] = "";
	size_t count = 0, length = 0;

	if (!name)
		return fail(dataplane, -ENOENT,
			    "the rules name no set for bans: write a line such as "
			    "`option ban-set banned` and apply it");
	if (!dataplane_sets(dataplane, &sets, &count))
		for (size_t i = 0; i < count && length + SET_NAME_LENGTH_MAX + 3 < sizeof(names);
		     i++)
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
						   i ? ", " : "", sets[i].name);
	return fail(dataplane, -ENOENT, "the running rules have no live set '%s'%s%s", name,
		    count ? "; there are: " : ", nor any other", names);
}

int dataplane_find_set(struct dataplane *dataplane, const char *name, struct live_set *ret_set)
{
	if (!dataplane->maps.live)
		return fail(dataplane, -ENOENT, "no rules are loaded");
	for (unsigned i = 0; i < FW_MAX_LIVE_SETS; i++) {
		const struct fw_set_slot *slot = set_slot(dataplane, i);

		if (!slot_runs(dataplane, slot))
			continue;
		if (name ? strcmp(slot->name, name) != 0
			 : !(set_properties(dataplane, slot)->flags & FW_SET_BANS))
			continue;
		set_describe(dataplane, i, ret_set);
		return 0;
	}
	return fail_unknown(dataplane, name);
}

/* --- Maps of a set ------------------------------------------------------------------------ */

void set_mark(struct dataplane *dataplane, unsigned slot, struct set_map map)
{
	__u64 *mask = &dataplane->maps.live->occupied[map.kind][map.family];
	__u64 bit = 1ULL << slot, before = *mask;

	if (set_slot(dataplane, slot)->count[map.kind][map.family])
		__atomic_or_fetch(mask, bit, __ATOMIC_RELEASE);
	else
		__atomic_and_fetch(mask, ~bit, __ATOMIC_RELEASE);
	if (*mask != before)
		generation_ask_sets(dataplane);
}

static int set_place(struct dataplane *dataplane, unsigned slot, struct set_map map, uint64_t room)
{
	uint32_t key = slot;
	_cleanup_close_ int fd = set_map_create(map, room);

	return fd < 0 ? fd
		      : bpf_map_update_elem(dataplane->maps.sets[map.kind][map.family], &key, &fd,
					    BPF_ANY);
}

int set_empty(struct dataplane *dataplane, unsigned number)
{
	struct fw_set_slot *slot = set_slot(dataplane, number);

	slot->dirty = 1;
	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		int error =
			set_place(dataplane, number, map,
				  map.kind == FW_SET_HOSTS ? slot->room[map.family] : SET_SIZE_MAX);

		if (error)
			return error;
		slot->count[map.kind][map.family] = 0;
		set_mark(dataplane, number, map);
	}
	slot->dirty = 0;
	return 0;
}

static void set_drop(struct dataplane *dataplane, unsigned number)
{
	struct fw_set_slot *slot = set_slot(dataplane, number);
	uint32_t key = number;

	slot->name[0] = '\0';
	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };

		slot->count[map.kind][map.family] = 0;
		set_mark(dataplane, number, map);
		bpf_map_delete_elem(dataplane->maps.sets[map.kind][map.family], &key);
	}
	memset(slot, 0, sizeof(*slot));
}

/*
 * What packets counted on the elements of the old map since they were copied. Behind the switch,
 * when no packet sees the old map any more. Where the kernel does not run our program, a packet
 * that is counted this moment may be lost.
 */
static int counts_carry(struct dataplane *dataplane, unsigned number, int old, int new,
			struct set_elements *copied)
{
	const struct set_map map = { FW_SET_HOSTS, copied->items[0].address.family == FW_INET6 };
	_cleanup_elements_ struct set_elements now = { 0 }, more = { 0 };
	int error = set_map_read(old, map, &now);

	set_elements_sort(&now);
	set_elements_sort(copied);
	for (size_t i = 0; !error && i < now.count && i < copied->count; i++) {
		struct set_element element = now.items[i];

		element.packets -= copied->items[i].packets;
		element.bytes -= copied->items[i].bytes;
		if (element.packets)
			set_elements_add(&more, &element);
	}
	if (!error && set_renew(dataplane, number, RENEW_COUNTS, &more))
		error = set_map_fill(new, map, now.items, now.count);
	return error;
}

int set_resize(struct dataplane *dataplane, unsigned number, unsigned family, uint64_t room)
{
	struct fw_set_slot *slot = set_slot(dataplane, number);
	const struct set_map map = { FW_SET_HOSTS, family };
	_cleanup_elements_ struct set_elements elements = { 0 };
	_cleanup_close_ int old = set_map_open(dataplane, map, number);
	_cleanup_close_ int new = -1;
	uint32_t key = number;
	int error = old < 0 ? old : set_map_read(old, map, &elements);

	if (room < elements.count)
		room = elements.count;
	if (!error) {
		new = set_map_create(map, room);
		error = new < 0 ? new : set_map_fill(new, map, elements.items, elements.count);
	}
	crash_point();
	/* The kernel returns from it when no packet is in the old map any more. */
	if (!error)
		error = bpf_map_update_elem(dataplane->maps.sets[FW_SET_HOSTS][family], &key, &new,
					    BPF_ANY);
	crash_point();
	if (error)
		return error;
	slot->room[family] = room;
	return elements.count ? counts_carry(dataplane, number, old, new, &elements) : 0;
}

int set_recount(struct dataplane *dataplane, unsigned number)
{
	struct fw_set_slot *slot = set_slot(dataplane, number);

	if (!slot->dirty)
		return 0;
	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		_cleanup_elements_ struct set_elements elements = { 0 };
		_cleanup_close_ int fd = set_map_open(dataplane, map, number);
		int error = fd < 0 ? fd : set_map_read(fd, map, &elements);

		/* He may have died before all maps were in their places. */
		if (fd == -ENOENT)
			error = set_place(dataplane, number, map,
					  map.kind == FW_SET_HOSTS ? slot->room[map.family]
								   : SET_SIZE_MAX);
		if (error)
			return error;
		slot->count[map.kind][map.family] = elements.count;
		set_mark(dataplane, number, map);
	}
	/* He may have died between the marks and `active`. */
	generation_ask_sets(dataplane);
	slot->dirty = 0;
	return 0;
}

/* --- Generations -------------------------------------------------------------------------- */

/* The slot of that name, else a free one, else one that the running rules do not name. */
static int slot_find(struct dataplane *dataplane, const char *name, unsigned *ret_slot,
		     bool *ret_is_new)
{
	int free_slot = -1, spare = -1;

	for (int i = FW_MAX_LIVE_SETS - 1; i >= 0; i--) {
		const struct fw_set_slot *slot = set_slot(dataplane, (unsigned)i);

		if (!strcmp(slot->name, name)) {
			*ret_slot = (unsigned)i;
			*ret_is_new = false;
			return 0;
		}
		if (!slot->name[0])
			free_slot = i;
		else if (slot->last < generation_number(dataplane))
			spare = i;
	}
	if (free_slot < 0 && spare >= 0) {
		set_drop(dataplane, (unsigned)spare);
		free_slot = spare;
	}
	if (free_slot < 0)
		return fail(dataplane, -ENOSPC,
			    "there is no room for the new live set %s beside the %d "
			    "that are running: apply a file without some of those first",
			    name, FW_MAX_LIVE_SETS);
	*ret_slot = (unsigned)free_slot;
	*ret_is_new = true;
	return 0;
}

static void ranges_add_to(const struct address_ranges *ranges, const struct set_element *element,
			  struct set_elements *elements)
{
	for (size_t i = 0; i < ranges->inet_count; i++) {
		const struct address low = { { ranges->inet[i].low }, FW_INET };
		const struct address high = { { ranges->inet[i].high }, FW_INET };

		set_elements_add_span(elements, &low, &high, element);
	}
	for (size_t i = 0; i < ranges->inet6_count; i++) {
		struct address low = { .family = FW_INET6 }, high = { .family = FW_INET6 };

		memcpy(low.word, ranges->inet6[i].low, sizeof(low.word));
		memcpy(high.word, ranges->inet6[i].high, sizeof(high.word));
		set_elements_add_span(elements, &low, &high, element);
	}
}

struct filling {
	set_fill *fill;
	void *data;
};

static int set_make(struct dataplane *dataplane, unsigned number, const struct set *set,
		    const struct filling *filling)
{
	struct fw_set_slot *slot = set_slot(dataplane, number);
	const struct live_set live = { .slot = number };
	const struct set_element first = {
		.expires = boot_expiry(set->timeout),
		.added = (uint32_t)time(NULL),
	};
	_cleanup_elements_ struct set_elements elements = { 0 };
	struct set_change change;
	int error;

	slot->room[0] = slot->room[1] = set->size ? set->size : SET_SIZE_DEFAULT;
	error = set_empty(dataplane, number);
	if (error)
		return fail(dataplane, error, "cannot make the live set %s: %s", set->name,
			    bpf_reason(error));
	ranges_add_to(&set->ranges, &first, &elements);
	if (filling->fill)
		filling->fill(set->name, &elements, filling->data);
	if (!elements.count)
		return 0;
	set_elements_unite(&elements);
	error = dataplane_set_add(dataplane, &live, &elements, &change);
	if (error == -ENOSPC)
		message_warn("set %s: %s", set->name, dataplane_error(dataplane));
	return error == -ENOSPC ? 0 : error;
}

static int set_prepare(struct dataplane *dataplane, struct set *set, uint32_t number,
		       const struct filling *filling, bool bans)
{
	unsigned place = 0;
	bool is_new = false;
	struct fw_set_slot *slot;
	int error;

	if (strlen(set->name) > SET_NAME_LENGTH_MAX)
		return fail(dataplane, -ENAMETOOLONG,
			    "the name of the live set %s has more than %d "
			    "letters",
			    set->name, SET_NAME_LENGTH_MAX);
	error = slot_find(dataplane, set->name, &place, &is_new);
	if (error)
		return error;
	slot = set_slot(dataplane, place);
	slot->properties[number & 1] = (struct fw_set_properties){
		.size = set->size ? set->size : SET_SIZE_DEFAULT,
		.timeout = set->timeout,
		.flags = (set->counters ? FW_SET_COUNTERS : 0) | (bans ? FW_SET_BANS : 0),
	};
	slot->last = number;
	set->live_index = place;
	if (!is_new)
		return 0;
	/* Until it runs both are alike: elements are put in before. */
	slot->properties[!(number & 1)] = slot->properties[number & 1];
	slot->born = number;
	snprintf(slot->name, sizeof(slot->name), "%s", set->name);
	crash_point();
	error = set_make(dataplane, place, set, filling);
	crash_point();
	if (error)
		set_drop(dataplane, place);
	return error;
}

int dataplane_prepare_sets(struct dataplane *dataplane, const struct plan *plan,
			   struct ruleset *ruleset, set_fill *fill, void *data)
{
	const struct registry *registry = plan->registry;
	const struct filling filling = { fill, data };
	const char *ban_set = ruleset->options.ban_set;

	for (size_t i = 0; i < ruleset->set_count; i++) {
		struct set *set = &ruleset->sets[i];
		int error;

		if (set->kind != SET_LIVE)
			continue;
		error = set_prepare(dataplane, set, registry->generation, &filling,
				    ban_set && !strcmp(ban_set, set->name));
		if (error)
			return error;
	}
	return 0;
}

/* A hash that is not as large as the rules want it; only if that changes its buckets. */
static int set_settle(struct dataplane *dataplane, unsigned number)
{
	struct fw_set_slot *slot = set_slot(dataplane, number);
	uint64_t size = set_properties(dataplane, slot)->size;
	int error = set_recount(dataplane, number);

	for (unsigned family = 0; family < FW_SET_FAMILIES && !error; family++) {
		uint64_t count = slot->count[FW_SET_HOSTS][family];
		uint64_t room = size > count ? size : count;

		if (slot->room[family] != room)
			error = set_resize(dataplane, number, family, room);
	}
	return error;
}

static int sets_settle(struct dataplane *dataplane, bool clean)
{
	uint32_t number = generation_number(dataplane);
	uint64_t counted = 0;
	int error = 0;

	for (unsigned i = 0; i < FW_MAX_LIVE_SETS; i++) {
		struct fw_set_slot *slot = set_slot(dataplane, i);

		if (!slot->name[0])
			continue;
		if ((clean && slot->born > number) || slot->last + 1 < number) {
			set_drop(dataplane, i);
			continue;
		}
		if (!slot_runs(dataplane, slot))
			continue;
		if (set_properties(dataplane, slot)->flags & FW_SET_COUNTERS)
			counted |= 1ULL << i;
		if (!error)
			error = set_settle(dataplane, i);
	}
	if (dataplane->maps.live->counted != counted)
		__atomic_store_n(&dataplane->maps.live->counted, counted, __ATOMIC_RELEASE);
	return error;
}

int dataplane_settle_sets(struct dataplane *dataplane)
{
	int error = sets_settle(dataplane, false);

	return error ? fail(dataplane, error,
			    "a live set could not be made as large as its `size` "
			    "says: %s",
			    bpf_reason(error))
		     : 0;
}

/* Sizes are tried again by the next apply: nothing else waits for them. */
int sets_clean(struct dataplane *dataplane)
{
	sets_settle(dataplane, true);
	return 0;
}
