// SPDX-License-Identifier: GPL-2.0-only
/* Manifests: what is written is read again, and bytes that are not a manifest are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/dataplane.h"
#include "dataplane/manifest.h"

static struct registry_entry entries[] = {
	{ .key = "00ssh", .index = 0, .hook = FW_INGRESS, .action = FW_PASS },
	{ .key = "11default",
	  .index = 7,
	  .hook = FW_EGRESS,
	  .action = FW_DROP,
	  .start = { 3, 180 } },
	{ .key = "03pass udp to port 53",
	  .index = 2,
	  .retired = 41,
	  .hook = FW_INGRESS,
	  .action = FW_COUNT,
	  .start = { ~0ULL, 1 } },
};

static const struct generation_file files[] = {
	{ .path = "blocklist.txt", .text = "192.0.2.0/24\n", .length = 13 },
	{ .path = "empty.txt", .text = "", .length = 0 },
};

static struct registry sample = {
	.entries = entries,
	.count = 3,
	.generation = 42,
	.counter_class = 1,
	.removed = { [FW_EGRESS] = { [FW_DROP] = { 5, 500 } } },
};

static const struct switch_input input = {
	.origin = { .source = "/etc/fwctl/fw.conf", .digest = ~7ULL, .changes = 3 },
	.text = "ingress default drop {\n}\n",
	.length = 25,
	.fail_drop = true,
	.files = files,
	.file_count = 2,
};

static void *sample_write(size_t *ret_size)
{
	size_t size = manifest_size(&sample, &input);
	void *bytes = malloc(size);

	assert_non_null(bytes);
	manifest_write(bytes, &sample, &input);
	*ret_size = size;
	return bytes;
}

static void rules_and_files_come_back(void **state)
{
	struct generation generation;
	size_t size;
	void *bytes = sample_write(&size);

	(void)state;
	assert_int_equal(manifest_check(bytes, size), 0);
	manifest_generation(bytes, &generation);
	assert_int_equal(generation.number, 42);
	assert_true(generation.fail_drop);
	assert_string_equal(generation.origin.source, input.origin.source);
	assert_int_equal(generation.origin.digest, input.origin.digest);
	assert_int_equal(generation.origin.changes, 3);
	assert_string_equal(generation.text, input.text);
	assert_int_equal(generation.length, input.length);
	assert_int_equal(generation.file_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(generation.files[i].path, files[i].path);
		assert_string_equal(generation.files[i].text, files[i].text);
		assert_int_equal(generation.files[i].length, files[i].length);
	}
	free((void *)(uintptr_t)generation.files);
	free(bytes);
}

static void saving_clears_the_changes(void **state)
{
	struct generation generation;
	size_t size;
	void *bytes = sample_write(&size);

	(void)state;
	manifest_mark_saved(bytes, 99);
	assert_int_equal(manifest_check(bytes, size), 0);
	manifest_generation(bytes, &generation);
	assert_int_equal(generation.origin.digest, 99);
	assert_int_equal(generation.origin.changes, 0);
	assert_string_equal(generation.text, input.text);
	free((void *)(uintptr_t)generation.files);
	free(bytes);
}

/* The registry must not point into the bytes: they are unmapped before it is used. */
static void registry_outlives_the_bytes(void **state)
{
	size_t size;
	void *bytes = sample_write(&size);
	struct registry *registry = manifest_registry(bytes);

	(void)state;
	memset(bytes, 0xff, size);
	free(bytes);
	assert_int_equal(registry->generation, 42);
	assert_int_equal(registry->counter_class, 1);
	assert_int_equal(registry->count, 3);
	assert_memory_equal(registry->removed, sample.removed, sizeof(sample.removed));
	for (size_t i = 0; i < 3; i++) {
		const struct registry_entry *entry = &registry->entries[i];

		assert_string_equal(entry->key, entries[i].key);
		assert_int_equal(entry->index, entries[i].index);
		assert_int_equal(entry->retired, entries[i].retired);
		assert_int_equal(entry->hook, entries[i].hook);
		assert_int_equal(entry->action, entries[i].action);
		assert_memory_equal(&entry->start, &entries[i].start, sizeof(entry->start));
	}
	assert_string_equal(registry_identity(&registry->entries[2]), "pass udp to port 53");
	registry_free(&registry);
	assert_null(registry);
}

static void bytes_that_are_no_manifest_are_refused(void **state)
{
	size_t size;
	uint8_t *bytes = sample_write(&size);

	(void)state;
	assert_int_equal(manifest_check(bytes, size - 1), -EBADMSG);
	assert_int_equal(manifest_check(bytes, 3), -EBADMSG);
	bytes[0] ^= 1;
	assert_int_equal(manifest_check(bytes, size), -EBADMSG);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_and_files_come_back),
		cmocka_unit_test(saving_clears_the_changes),
		cmocka_unit_test(registry_outlives_the_bytes),
		cmocka_unit_test(bytes_that_are_no_manifest_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
