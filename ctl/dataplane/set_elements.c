// SPDX-License-Identifier: GPL-2.0-only
/* Lists of set elements, as arrays: growing, sorting, spans to prefixes, clocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/message.h"
#include "dataplane/sets.h"

void set_elements_add(struct set_elements *elements, const struct set_element *element)
{
	if (elements->count == elements->capacity) {
		size_t wanted = elements->capacity ? elements->capacity * 2 : 16;
		struct set_element *items = reallocarray(elements->items, wanted, sizeof(*items));

		if (!items)
			message_out_of_memory();
		elements->items = items;
		elements->capacity = wanted;
	}
	elements->items[elements->count++] = *element;
}

static bool address_step(struct address *address)
{
	int last = address->family == FW_INET ? 0 : 3;

	for (int i = last; i >= 0; i--)
		if (++address->word[i])
			return true;
	return false;
}

void set_elements_add_span(struct set_elements *elements, const struct address *low,
			   const struct address *high, const struct set_element *element)
{
	unsigned bits = low->family == FW_INET ? 32 : 128;
	struct set_element piece = *element;

	piece.address = *low;
	do {
		struct address first, last, end = piece.address;
		unsigned length = bits;

		/* The widest prefix that begins here and does not reach beyond `high`. */
		while (length) {
			prefix_bounds(&piece.address, length - 1, &first, &last);
			if (words_compare(first.word, piece.address.word) ||
			    words_compare(last.word, high->word) > 0)
				break;
			end = last;
			length--;
		}
		piece.length = (uint8_t)length;
		set_elements_add(elements, &piece);
		piece.address = end;
	} while (words_compare(piece.address.word, high->word) < 0 && address_step(&piece.address));
}

int set_element_compare(const struct set_element *a, const struct set_element *b)
{
	int order;

	if (a->address.family != b->address.family)
		return a->address.family < b->address.family ? -1 : 1;
	order = words_compare(a->address.word, b->address.word);
	return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int elements_compare(const void *a, const void *b)
{
	return set_element_compare(a, b);
}

void set_elements_sort(struct set_elements *elements)
{
	struct set_element *items = elements->items;

	for (size_t i = 1; i < elements->count; i++) {
		if (set_element_compare(&items[i - 1], &items[i]) <= 0)
			continue;
		qsort(items, elements->count, sizeof(*items), elements_compare);
		return;
	}
}

static bool expires_later(const struct set_element *a, const struct set_element *b)
{
	return b->expires && (!a->expires || a->expires > b->expires);
}

size_t set_elements_unite(struct set_elements *elements)
{
	struct set_element *items = elements->items;
	size_t before = elements->count, kept = 0;

	set_elements_sort(elements);
	for (size_t i = 1; i < before; i++) {
		if (set_element_compare(&items[kept], &items[i]))
			items[++kept] = items[i];
		else if (expires_later(&items[i], &items[kept]))
			items[kept] = items[i];
	}
	if (before)
		elements->count = kept + 1;
	return before - elements->count;
}

void set_element_print(const struct set_element *element, char *text)
{
	address_print(&element->address, text);
	if (element->length != (element->address.family == FW_INET ? 32 : 128))
		sprintf(text + strlen(text), "/%u", element->length);
}

bool set_element_has_expired(const struct set_element *element, uint32_t now)
{
	return element->expires && element->expires <= now;
}

size_t set_elements_alive(const struct set_elements *elements)
{
	uint32_t now = boot_seconds();
	size_t count = 0;

	for (size_t i = 0; i < elements->count; i++)
		count += !set_element_has_expired(&elements->items[i], now);
	return count;
}

void set_elements_free(struct set_elements *elements)
{
	free(elements->items);
	*elements = (struct set_elements){ 0 };
}

uint32_t boot_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint32_t)now.tv_sec;
}

uint32_t boot_expiry(uint64_t seconds)
{
	struct timespec now;
	uint64_t at;

	if (!seconds)
		return 0;
	clock_gettime(CLOCK_BOOTTIME, &now);
	at = (uint64_t)now.tv_sec + !!now.tv_nsec + seconds;
	return at > UINT32_MAX ? UINT32_MAX : (uint32_t)at;
}

/* Seconds from the boot clock to the calendar, to the nearest. */
static int64_t calendar_offset(void)
{
	struct timespec boot, calendar;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &calendar);
	return calendar.tv_sec - boot.tv_sec + (calendar.tv_nsec - boot.tv_nsec > 500000000) -
	       (calendar.tv_nsec - boot.tv_nsec < -500000000);
}

uint64_t calendar_of_expiry(uint32_t expires)
{
	return expires ? (uint64_t)(calendar_offset() + expires) : 0;
}

bool expiry_of_calendar(uint64_t calendar, uint32_t *ret_expires)
{
	int64_t expires = (int64_t)calendar - calendar_offset();

	*ret_expires = 0;
	if (!calendar)
		return true;
	if (calendar > INT64_MAX || expires <= (int64_t)boot_seconds())
		return false;
	*ret_expires = expires > UINT32_MAX ? UINT32_MAX : (uint32_t)expires;
	return true;
}

/*
 * What the kernel takes, measured (tests/e2e/43-set-memory.sh): an element of a hash is 97 bytes of
 * slabs, 110 in a memory cgroup, which is charged 104; and 16 bytes a bucket, of which there are as
 * many as elements rounded up to a power of two, in one hash for each family. A network is a node
 * of a trie, and most have a second above them that tells two apart.
 */
#define HOST_BYTES   104
#define NET_BYTES    176
#define BUCKET_BYTES 16

uint64_t set_memory_empty(uint64_t size)
{
	uint64_t buckets = 1;

	while (buckets < size)
		buckets *= 2;
	return buckets * BUCKET_BYTES * FW_SET_FAMILIES;
}

uint64_t set_memory_full(uint64_t size, enum fw_set_kind kind)
{
	return set_memory_empty(size) + size * (kind == FW_SET_HOSTS ? HOST_BYTES : NET_BYTES);
}
