/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwctl set list and set test. JSON is written element by element: a tree of a million of them
 * would take a gigabyte.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/message.h"
#include "base/number.h"
#include "commands/running.h"
#include "commands/set.h"

/* Whole seconds that are left. `expires` is rounded up, `now` down. */
static uint32_t seconds_left(const struct set_element *element, uint32_t now)
{
	return element->expires - now > 1 ? element->expires - now - 1 : 1;
}

static void element_write(const struct live_set *set, const struct set_element *element,
			  uint32_t now)
{
	char text[ADDRESS_TEXT_MAX], left[DURATION_TEXT_MAX] = "never", added[32] = "?";
	time_t when = element->added;
	struct tm local;

	set_element_print(element, text);
	if (element->expires)
		duration_print(seconds_left(element, now), left);
	if (localtime_r(&when, &local))
		strftime(added, sizeof(added), "%F %T", &local);
	printf("%-18s  added %s  expires %s%s", text, added, element->expires ? "in " : "", left);
	if (set->counters)
		printf("  packets %" PRIu64 "  bytes %" PRIu64, element->packets, element->bytes);
	putchar('\n');
}

static void element_write_json(const struct live_set *set, const struct set_element *element,
			       uint32_t now)
{
	char text[ADDRESS_TEXT_MAX];

	set_element_print(element, text);
	printf("{\"element\": \"%s\", \"added\": %u, \"expires_in\": ", text, element->added);
	if (element->expires)
		printf("%u", seconds_left(element, now));
	else
		printf("null");
	if (set->counters)
		printf(", \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64, element->packets,
		       element->bytes);
	putchar('}');
}

static void set_write_json(const struct live_set *set)
{
	printf("\"name\": \"%s\", \"size\": %" PRIu64 ", \"timeout\": %" PRIu64
	       ", \"counters\": %s, \"ban_set\": %s, \"count\": %" PRIu64 ", \"expired\": %" PRIu64
	       ", \"refused\": %" PRIu64,
	       set->name, set->size, set->timeout, set->counters ? "true" : "false",
	       set->bans ? "true" : "false", set->count, set->expired, set->refused);
}

static void elements_write(const struct live_set *set, const struct set_elements *elements,
			   bool json)
{
	uint32_t now = boot_seconds();
	const char *separator = "\n    ";

	if (json) {
		printf("{");
		set_write_json(set);
		printf(",\n  \"elements\": [");
	}
	for (size_t i = 0; i < elements->count; i++) {
		if (set_element_has_expired(&elements->items[i], now))
			continue;
		if (json) {
			fputs(separator, stdout);
			element_write_json(set, &elements->items[i], now);
			separator = ",\n    ";
		} else {
			element_write(set, &elements->items[i], now);
		}
	}
	if (json)
		printf("\n  ]\n}\n");
}

static void sets_write(const struct live_set *sets, size_t count, bool json)
{
	if (json)
		printf("[");
	else
		printf("%-20s %10s %10s %12s %10s\n", "set", "elements", "size", "timeout",
		       "refused");
	for (size_t i = 0; i < count; i++) {
		char timeout[DURATION_TEXT_MAX] = "never";

		if (json) {
			printf("%s\n  {", i ? "," : "");
			set_write_json(&sets[i]);
			printf("}");
			continue;
		}
		if (sets[i].timeout)
			duration_print(sets[i].timeout, timeout);
		printf("%-20s %10" PRIu64 " %10" PRIu64 " %12s %10" PRIu64 "%s\n", sets[i].name,
		       sets[i].count, sets[i].size, timeout, sets[i].refused,
		       sets[i].bans ? "  (ban-set)" : "");
	}
	if (json)
		printf("\n]\n");
}

static enum exit_status sets_list(const struct context *context, bool json)
{
	struct dataplane *dataplane = dataplane_open_told(context, false);
	_cleanup_free_ struct live_set *sets = NULL;
	size_t count = 0;
	int error;

	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_sets(dataplane, &sets, &count);
	for (size_t i = 0; i < count && !error; i++)
		error = dataplane_set_count(dataplane, &sets[i]);
	if (error)
		message_error("set: %s", dataplane_error(dataplane));
	else
		sets_write(sets, count, json);
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}

enum exit_status set_list(const struct context *context, const char *name, bool json)
{
	_cleanup_elements_ struct set_elements elements = { 0 };
	struct dataplane *dataplane;
	struct live_set set;
	int error;

	if (!name)
		return sets_list(context, json);
	dataplane = set_open(context, name, false, &set);
	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_set_read(dataplane, &set, &elements);
	set.count = set_elements_alive(&elements);
	set.expired = elements.count - set.count;
	if (error)
		message_error("set: %s", dataplane_error(dataplane));
	else
		elements_write(&set, &elements, json);
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}

enum exit_status set_test(const struct context *context, const char *name, const char *text)
{
	_cleanup_elements_ struct set_elements elements = { 0 };
	struct dataplane *dataplane;
	struct address address;
	struct live_set set;
	int error;

	if (!set_address_parse(context, text, &address))
		return EXIT_USAGE;
	dataplane = set_open(context, name, false, &set);
	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_set_test(dataplane, &set, &address, &elements);
	if (error)
		message_error("set: %s", dataplane_error(dataplane));
	else if (!elements.count)
		printf("%s is not in %s\n", text, set.name);
	else
		elements_write(&set, &elements, false);
	dataplane_close(&dataplane);
	return error || !elements.count ? EXIT_FAILED : EXIT_DONE;
}
