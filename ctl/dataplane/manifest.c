// SPDX-License-Identifier: GPL-2.0-only
/* Writes manifests and reads them again. The form is private to one FW_LAYOUT_VERSION. */
#include "dataplane/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/internal.h"

#define MANIFEST_MAGIC 0x356e614dU /* "Man5" */

/* Header, entries, files, then strings: offsets are from the start, each string ends with a NUL. */
struct manifest_header {
	uint32_t magic;
	uint32_t generation;
	uint64_t size;
	int64_t applied;
	uint32_t fail_drop;
	uint32_t counter_class;
	uint32_t entry_count;
	uint32_t file_count;
	uint32_t source;
	uint32_t text;
	uint32_t links;
	uint32_t pad;
	uint64_t text_length;
	uint64_t image_size;
	uint64_t source_digest;
	uint64_t changes;
	struct fw_counter removed[FW_HOOKS][FW_ACTIONS];
};

struct manifest_entry {
	uint32_t key;
	uint32_t index;
	uint32_t retired;
	uint32_t born;
	uint32_t bucket;
	uint32_t pad;
	struct fw_counter start;
};

struct manifest_file {
	uint32_t path;
	uint32_t text;
	uint64_t length;
};

static const struct manifest_entry *manifest_entries(const struct manifest_header *header)
{
	return (const void *)(header + 1);
}

static const struct manifest_file *manifest_files(const struct manifest_header *header)
{
	return (const void *)(manifest_entries(header) + header->entry_count);
}

size_t manifest_size(const struct registry *registry, const struct switch_input *input)
{
	size_t size = sizeof(struct manifest_header);

	size += registry->count * sizeof(struct manifest_entry);
	size += input->file_count * sizeof(struct manifest_file);
	for (size_t i = 0; i < registry->count; i++)
		size += strlen(registry->entries[i].key) + 1;
	for (size_t i = 0; i < input->file_count; i++)
		size += strlen(input->files[i].path) + 1 + input->files[i].length + 1;
	size += strlen(input->links ? input->links : "") + 1;
	return size + strlen(input->origin.source) + 1 + input->length + 1;
}

/* Appends a string and its NUL at *at, and moves it. */
static uint32_t string_write(void *bytes, size_t *at, const char *text, size_t length)
{
	size_t offset = *at;

	memcpy((char *)bytes + offset, text, length);
	((char *)bytes)[offset + length] = '\0';
	*at = offset + length + 1;
	return (uint32_t)offset;
}

void manifest_write(void *bytes, const struct registry *registry, const struct switch_input *input)
{
	struct manifest_header *header = bytes;
	struct manifest_entry *entries = (void *)(header + 1);
	struct manifest_file *files = (void *)(entries + registry->count);
	const char *links = input->links ? input->links : "";
	size_t at = (size_t)((char *)(files + input->file_count) - (char *)bytes);

	*header = (struct manifest_header){
		.magic = MANIFEST_MAGIC,
		.generation = registry->generation,
		.applied = (int64_t)time(NULL),
		.fail_drop = input->fail_drop,
		.counter_class = registry->counter_class,
		.entry_count = (uint32_t)registry->count,
		.file_count = (uint32_t)input->file_count,
		.text_length = input->length,
		.image_size = input->image_size,
		.source_digest = input->origin.digest,
		.changes = input->origin.changes,
	};
	memcpy(header->removed, registry->removed, sizeof(header->removed));
	for (size_t i = 0; i < registry->count; i++) {
		const struct registry_entry *entry = &registry->entries[i];

		entries[i] = (struct manifest_entry){
			.key = string_write(bytes, &at, entry->key, strlen(entry->key)),
			.index = entry->index,
			.retired = entry->retired,
			.born = entry->born,
			.bucket = entry->bucket,
			.start = entry->start,
		};
	}
	for (size_t i = 0; i < input->file_count; i++) {
		const struct generation_file *file = &input->files[i];

		files[i].path = string_write(bytes, &at, file->path, strlen(file->path));
		files[i].text = string_write(bytes, &at, file->text, file->length);
		files[i].length = file->length;
	}
	header->source =
		string_write(bytes, &at, input->origin.source, strlen(input->origin.source));
	header->text = string_write(bytes, &at, input->text, input->length);
	header->links = string_write(bytes, &at, links, strlen(links));
	header->size = at;
}

int manifest_check(const void *bytes, size_t size)
{
	const struct manifest_header *header = bytes;
	size_t fixed;

	if (size < sizeof(*header) || header->magic != MANIFEST_MAGIC || header->size > size)
		return -EBADMSG;
	fixed = sizeof(*header) + header->entry_count * sizeof(struct manifest_entry) +
		header->file_count * sizeof(struct manifest_file);
	if (fixed > header->size || header->counter_class >= FW_COUNTER_CLASSES)
		return -EBADMSG;
	return 0;
}

void manifest_generation(const void *bytes, struct generation *ret_generation)
{
	const struct manifest_header *header = bytes;
	const struct manifest_file *files = manifest_files(header);
	const char *text = bytes;
	struct generation_file *copies = NULL;

	if (header->file_count)
		copies = calloc(header->file_count, sizeof(*copies));
	for (size_t i = 0; copies && i < header->file_count; i++) {
		copies[i].path = text + files[i].path;
		copies[i].text = text + files[i].text;
		copies[i].length = files[i].length;
	}
	*ret_generation = (struct generation){
		.number = header->generation,
		.applied = header->applied,
		.fail_drop = header->fail_drop,
		.image_size = header->image_size,
		.origin = { .source = text + header->source,
			    .digest = header->source_digest,
			    .changes = (uint32_t)header->changes },
		.text = text + header->text,
		.length = header->text_length,
		.links = text + header->links,
		.files = copies,
		.file_count = copies ? header->file_count : 0,
	};
}

void manifest_mark_saved(void *bytes, uint64_t digest)
{
	struct manifest_header *header = bytes;

	/* Whoever dies between leaves changes that count as not saved: that is the safe side. */
	__atomic_store_n(&header->source_digest, digest, __ATOMIC_RELEASE);
	__atomic_store_n(&header->changes, 0, __ATOMIC_RELEASE);
}

struct registry *registry_new(void)
{
	struct arena *arena = arena_new();
	struct registry *registry = arena_alloc(arena, sizeof(*registry));

	registry->arena = arena;
	registry->entries = arena_alloc(arena, sizeof(*registry->entries)); /* never NULL */
	return registry;
}

void registry_free(struct registry **registry)
{
	struct arena *arena;

	if (!*registry)
		return;
	arena = (*registry)->arena;
	arena_free(&arena);
	*registry = NULL;
}

struct registry *manifest_registry(const void *bytes)
{
	const struct manifest_header *header = bytes;
	const struct manifest_entry *entries = manifest_entries(header);
	struct registry *registry = registry_new();

	registry->generation = header->generation;
	registry->counter_class = header->counter_class;
	registry->count = header->entry_count;
	registry->entries =
		arena_alloc(registry->arena, (registry->count + 1) * sizeof(*registry->entries));
	memcpy(registry->removed, header->removed, sizeof(registry->removed));
	for (size_t i = 0; i < registry->count; i++) {
		const char *key = (const char *)bytes + entries[i].key;

		registry->entries[i] = (struct registry_entry){
			.key = arena_strndup(registry->arena, key, strlen(key)),
			.index = entries[i].index,
			.retired = entries[i].retired,
			.born = entries[i].born,
			.hook = (enum fw_hook)((key[0] - '0') & 1),
			.action = (enum fw_action)((key[1] - '0') & 3),
			.limited = (key[1] - '0') & REGISTRY_LIMITED,
			.bucket = entries[i].bucket,
			.start = entries[i].start,
		};
	}
	return registry;
}

void manifest_unmap(struct manifest_map *map)
{
	array_unmap(map->bytes, map->size);
	cleanup_close(&map->fd);
	*map = (struct manifest_map)MANIFEST_NONE;
}
