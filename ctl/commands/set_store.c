/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live sets in a file, from one boot to the next. Times are those of the calendar, because the
 * clock that elements expire by begins with the boot. One element a line behind a line that names
 * the set:
 *
 *	set banned
 *	192.0.2.1 added 1700000000 expires 1700003600 packets 12 bytes 720
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/message.h"
#include "base/number.h"
#include "commands/replace.h"
#include "commands/running.h"
#include "commands/set.h"
#include "language/language.h"

#define HEADER "# Elements of live sets, written by fwctl. Read back with: fwctl set restore FILE\n"

/* False: it has expired, and is left out. */
static bool element_save(const struct set_element *element, struct buffer *text)
{
	char name[ADDRESS_TEXT_MAX];

	if (element->expires && element->expires <= boot_seconds())
		return false;
	set_element_print(element, name);
	buffer_puts(text, name);
	buffer_puts(text, " added ");
	buffer_number(text, element->added);
	buffer_puts(text, " expires ");
	buffer_number(text, calendar_of_expiry(element->expires));
	buffer_puts(text, " packets ");
	buffer_number(text, element->packets);
	buffer_puts(text, " bytes ");
	buffer_number(text, element->bytes);
	buffer_putc(text, '\n');
	return true;
}

static int set_save(struct dataplane *dataplane, const struct live_set *set, struct buffer *text,
		    size_t *ret_count)
{
	_cleanup_elements_ struct set_elements elements = { 0 };
	int error = dataplane_set_read(dataplane, set, &elements);

	if (error)
		return error;
	buffer_printf(text, "set %s\n", set->name);
	for (size_t i = 0; i < elements.count; i++)
		*ret_count += element_save(&elements.items[i], text);
	return 0;
}

static void directory_make(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	char *slash = copy ? strrchr(copy, '/') : NULL;

	if (slash && slash != copy) {
		*slash = '\0';
		mkdir(copy, 0755);
	}
}

enum exit_status sets_save(const struct context *context, struct dataplane *dataplane,
			   const char *path)
{
	_cleanup_free_ struct live_set *sets = NULL;
	_cleanup_buffer_ struct buffer text = { 0 };
	size_t count = 0, elements = 0;
	int error = dataplane_sets(dataplane, &sets, &count);

	buffer_puts(&text, HEADER);
	for (size_t i = 0; i < count && !error; i++)
		error = set_save(dataplane, &sets[i], &text, &elements);
	if (error) {
		message_error("%s: %s", context->command->name, dataplane_error(dataplane));
		return EXIT_FAILED;
	}
	directory_make(path);
	error = file_replace(path, buffer_text(&text), text.length);
	if (error) {
		message_error("%s: cannot write %s: %s; it is as it was", context->command->name,
			      path, strerror(-error));
		return EXIT_FAILED;
	}
	message_info("%s: saved %zu element%s of %zu live set%s", path, elements,
		     elements == 1 ? "" : "s", count, count == 1 ? "" : "s");
	return EXIT_DONE;
}

/* --- Reading ------------------------------------------------------------------------------ */

struct stored_set {
	char name[SET_NAME_LENGTH_MAX + 1];
	struct set_elements elements;
};

struct set_store {
	struct stored_set *sets;
	size_t count;
};

void set_store_free(struct set_store **store)
{
	if (!*store)
		return;
	for (size_t i = 0; i < (*store)->count; i++)
		set_elements_free(&(*store)->sets[i].elements);
	free((*store)->sets);
	free(*store);
	*store = NULL;
}

static struct stored_set *stored_find(const struct set_store *store, const char *name)
{
	for (size_t i = 0; i < store->count; i++)
		if (!strcmp(store->sets[i].name, name))
			return &store->sets[i];
	return NULL;
}

static bool store_set(struct set_store *store, const char *name)
{
	struct stored_set *sets;

	if (!*name || strlen(name) > SET_NAME_LENGTH_MAX || store->count >= FW_MAX_LIVE_SETS ||
	    stored_find(store, name))
		return false;
	sets = reallocarray(store->sets, store->count + 1, sizeof(*sets));
	if (!sets)
		message_out_of_memory();
	store->sets = sets;
	memset(&sets[store->count], 0, sizeof(*sets));
	strcpy(sets[store->count++].name, name);
	return true;
}

/* ADDR[/LEN] and the four numbers. What has expired meanwhile is left out. */
static bool store_element(struct set_store *store, const char *line)
{
	unsigned long long added, expires, packets, bytes;
	struct set_element element = { 0 };
	uint64_t limits[2] = { 0, 128 }, prefix = 0;
	char name[ADDRESS_TEXT_MAX];
	struct address last;
	const char *slash;
	int end = 0;

	if (!store->count ||
	    sscanf(line, "%63s added %llu expires %llu packets %llu bytes %llu%n", name, &added,
		   &expires, &packets, &bytes, &end) != 5 ||
	    line[end])
		return false;
	slash = strchr(name, '/');
	if (!address_parse(name, slash ? (size_t)(slash - name) : strlen(name), &element.address))
		return false;
	limits[1] = prefix = element.address.family == FW_INET ? 32 : 128;
	if (slash && number_parse(slash + 1, strlen(slash + 1), NUMBER_DECIMAL, limits, &prefix))
		return false;
	prefix_bounds(&element.address, (unsigned)prefix, &element.address, &last);
	if (!expiry_of_calendar(expires, &element.expires))
		return true;
	element.length = (uint8_t)prefix;
	element.added = (uint32_t)added;
	element.packets = packets;
	element.bytes = bytes;
	set_elements_add(&store->sets[store->count - 1].elements, &element);
	return true;
}

static bool store_line(struct set_store *store, const char *line)
{
	if (!*line || *line == '#')
		return true;
	if (!strncmp(line, "set ", 4))
		return store_set(store, line + 4);
	return store_element(store, line);
}

static bool store_lines(struct set_store *store, FILE *file, const char *path)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0, number = 0;
	ssize_t length;

	while ((length = getline(&line, &capacity, file)) > 0) {
		number++;
		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if (strlen(line) == (size_t)length && store_line(store, line))
			continue;
		message_error("%s:%zu: not a line that `fwctl set save` writes", path, number);
		return false;
	}
	return true;
}

struct set_store *set_store_read(const char *path, bool *ret_failed)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	struct set_store *store;

	*ret_failed = !file && errno != ENOENT;
	if (!file) {
		if (*ret_failed)
			message_error("cannot read %s: %m", path);
		return NULL;
	}
	store = calloc(1, sizeof(*store));
	if (!store)
		message_out_of_memory();
	if (!store_lines(store, file, path)) {
		*ret_failed = true;
		set_store_free(&store);
	}
	return store;
}

void set_store_fill(const char *name, struct set_elements *elements, void *data)
{
	const struct set_store *store = data;
	const struct stored_set *stored = stored_find(store, name);

	for (size_t i = 0; stored && i < stored->elements.count; i++)
		set_elements_add(elements, &stored->elements.items[i]);
}

/* What is in the file, and in the running rules a live set. */
static enum exit_status store_apply(const struct context *context, struct dataplane *dataplane,
				    struct set_store *store, const char *path)
{
	enum exit_status status = EXIT_DONE;

	for (size_t i = 0; i < store->count; i++) {
		struct stored_set *stored = &store->sets[i];
		struct set_change change = { 0 };
		struct live_set set;

		set_elements_unite(&stored->elements);
		if (dataplane_find_set(dataplane, stored->name, &set)) {
			message_warn("%s: the rules have no live set %s any more", path,
				     stored->name);
			continue;
		}
		if (dataplane_set_add(dataplane, &set, &stored->elements, &change)) {
			message_error("%s: set %s: %s", context->command->name, set.name,
				      dataplane_error(dataplane));
			status = EXIT_FAILED;
			continue;
		}
		message_info("set %s: %zu element%s restored", set.name, change.added,
			     change.added == 1 ? "" : "s");
	}
	return status;
}

enum exit_status sets_restore(const struct context *context, const char *path)
{
	enum exit_status status = EXIT_FAILED;
	struct dataplane *dataplane = NULL;
	bool failed = false;
	struct set_store *store = set_store_read(path, &failed);

	if (!store && !failed) {
		message_error("%s: there is no file %s", context->command->name, path);
	} else if (store) {
		dataplane = dataplane_open_running(context);
		if (dataplane)
			status = store_apply(context, dataplane, store, path);
		dataplane_close(&dataplane);
	}
	set_store_free(&store);
	return status;
}
