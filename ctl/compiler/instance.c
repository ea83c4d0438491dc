/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/instance.h"

#include <errno.h>
#include <stdio.h>

#include "compiler/memory.h"
#include "compiler/tree.h"

#define BITS_MAX (FW_MAX_WORDS * 64)

/* Rows up to half a line share lines, but none lies across two; larger ones begin a line. */
static size_t row_stride(size_t size)
{
	size_t stride = 8;

	while (stride < size && stride < FW_LINE)
		stride *= 2;
	return size <= FW_LINE ? stride : (size + FW_LINE - 1) / FW_LINE * FW_LINE;
}

static void write_row(const struct instance *instance, const uint64_t *row, uint64_t *out)
{
	for (size_t i = 0; i < instance->space.words; i++)
		if (row[i])
			out[0] |= 1ULL << i;
	memcpy(out + 1, row, space_words(&instance->space) * sizeof(*row));
}

uint32_t *instance_write_rows(struct instance *instance, const struct rows *rows)
{
	size_t stride = row_stride((1 + rows->words) * sizeof(uint64_t));
	uint32_t *entries = memory_new(rows->count, sizeof(*entries));
	uint32_t offset = writer_add(instance->writer, rows->count * stride, FW_LINE);

	if (!offset)
		return entries;
	for (size_t i = 0; i < rows->count; i++) {
		size_t at = offset + i * stride;

		write_row(instance, rows_at(rows, i), writer_at(instance->writer, at));
		entries[i] = FW_ENTRY(FW_ENTRY_VALUE, at / sizeof(uint64_t));
	}
	return entries;
}

void instance_compile_addresses(struct instance *instance, enum axis axis)
{
	__u32 *root = axis == AXIS_SOURCE ? &instance->out.source : &instance->out.destination;
	struct axis_classes classes;
	uint32_t *entries;

	if (!axis_is_used(&instance->terms, axis)) {
		*root = instance->out.full_rows[0];
		return;
	}
	axis_classify_ranges(&instance->terms, axis, &instance->space, &classes);
	entries = instance_write_rows(instance, &classes.rows);
	*root = tree_write(instance->writer, &classes, entries,
			   instance->terms.family == FW_INET ? 2 : 8);
	free(entries);
	axis_classes_free(&classes);
}

/* From bits to records; past the last, to the default's, though no such bit is ever set. */
static uint32_t write_terms(struct instance *instance, const struct term *terms, size_t count,
			    size_t words, uint32_t first_record)
{
	uint32_t offset = writer_add(instance->writer, (words * 64 + 1) * sizeof(uint32_t), 4);
	uint32_t *records = writer_at(instance->writer, offset);

	if (!offset)
		return 0;
	for (size_t i = 0; i < words * 64; i++)
		records[i] =
			i < count ? first_record + terms[i].rule : instance->out.default_record;
	return offset;
}

static void write_full_row(struct instance *instance)
{
	struct rows rows;
	uint32_t *entries;

	instance->scratch = memory_new(space_words(&instance->space), sizeof(uint64_t));
	instance->full = memory_new(space_words(&instance->space), sizeof(uint64_t));
	for (size_t i = 0; i < instance->terms.count; i++)
		bit_set(instance->full, instance->terms.items[i].bit);
	for (size_t i = 0; i < instance->terms.counted_count; i++)
		bit_set(instance->full, instance->space.words * 64 + i);
	rows_init(&rows, space_words(&instance->space));
	rows_intern(&rows, instance->full, 0);
	entries = instance_write_rows(instance, &rows);
	for (size_t i = 0; i < 4; i++)
		instance->out.full_rows[i] = entries[0];
	free(entries);
	rows_free(&rows);
}

static int check_bounds(const struct instance *instance, char **ret_error)
{
	static const char *const family_names[] = { "other", "inet", "inet6" };
	const char *what = NULL;
	unsigned bound = 0;

	if (instance->terms.counted_count > FW_MAX_COUNTED_WORDS * 64) {
		what = "rules that count and go on";
		bound = FW_MAX_COUNTED_WORDS * 64;
	} else if (instance->terms.count > BITS_MAX) {
		what = "rules";
		bound = BITS_MAX;
	}
	if (!what)
		return 0;
	if (asprintf(ret_error, "%s has more than %u %s for %s packets",
		     instance->hook == FW_INGRESS ? "ingress" : "egress", bound, what,
		     family_names[instance->terms.family]) < 0)
		message_out_of_memory();
	return -E2BIG;
}

static void instance_write(struct instance *instance, uint32_t first_record)
{
	struct terms *terms = &instance->terms;
	uint32_t at = FW_INSTANCES + (instance->hook * 4 + terms->family) * FW_INSTANCE_SIZE;

	for (size_t i = 0; i < terms->count; i++)
		terms->items[i].bit = i;
	for (size_t i = 0; i < terms->counted_count; i++)
		terms->counted[i].bit = i;
	instance->space.words = (terms->count + 63) / 64;
	instance->space.counted_words = (terms->counted_count + 63) / 64;
	instance->out.words = instance->space.words;
	instance->out.counted_words = instance->space.counted_words;
	instance->out.default_record = first_record + terms->block->count;
	instance->out.terms = write_terms(instance, terms->items, terms->count,
					  instance->space.words, first_record);
	instance->out.counted_terms = write_terms(instance, terms->counted, terms->counted_count,
						  instance->space.counted_words, first_record);
	write_full_row(instance);
	instance_compile_addresses(instance, AXIS_SOURCE);
	instance_compile_addresses(instance, AXIS_DESTINATION);
	instance_compile_service(instance);
	instance_compile_small(instance);
	memcpy(writer_at(instance->writer, at), &instance->out, sizeof(instance->out));
}

int instance_compile(const struct compile_input *input, enum fw_hook hook, enum fw_family family,
		     uint32_t first_record, struct writer *writer, char **ret_error)
{
	struct instance instance = { .input = input, .hook = hook, .writer = writer };
	int error;

	terms_make(&input->ruleset->blocks[hook], family, &instance.terms);
	error = check_bounds(&instance, ret_error);
	if (!error)
		instance_write(&instance, first_record);
	if (instance.too_large && !error) {
		error = -E2BIG;
		if (asprintf(ret_error, "the rules combine too many different %s",
			     instance.too_large) < 0)
			message_out_of_memory();
	}
	free(instance.scratch);
	free(instance.full);
	terms_free(&instance.terms);
	return error;
}
