/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/instance.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "compiler/bounds.h"
#include "compiler/forecast.h"
#include "compiler/tree.h"
#include "fw/tree.h"

#define TERMS_BEST 1024 /* up to here a bit for each term is never slower */

/* A row in the image: its readers look for words side by side behind multiples of FW_EXACT_SIZE. */
size_t instance_row_size(const struct instance *instance)
{
	size_t words = instance->out.summary + space_words(&instance->space);
	size_t size = sizeof(struct fw_row_head) + words * sizeof(uint64_t);

	return (size + FW_EXACT_SIZE - 1) / FW_EXACT_SIZE * FW_EXACT_SIZE;
}

static void write_row(const struct instance *instance, const uint64_t *row, uint32_t entry,
		      struct fw_row_head *head)
{
	uint64_t *out = (uint64_t *)(head + 1);

	head->entry = entry;
	for (size_t i = 0; instance->out.summary && i < instance->space.words; i++)
		if (row[i])
			out[0] |= 1ULL << i;
	memcpy(out + instance->out.summary, row, space_words(&instance->space) * sizeof(*row));
}

uint32_t *instance_write_rows(struct instance *instance, const struct rows *rows)
{
	size_t stride = instance_row_size(instance);
	uint32_t *entries = memory_new(rows->count, sizeof(*entries));
	uint32_t offset = writer_add(instance->writer, rows->count * stride, 2 * FW_LINE);

	if (!offset)
		return entries;
	for (size_t i = 0; i < rows->count; i++) {
		size_t at = offset + i * stride;

		entries[i] = FW_ENTRY_OF(at / sizeof(uint64_t));
		write_row(instance, rows_at(rows, i), entries[i], writer_at(instance->writer, at));
	}
	return entries;
}

void instance_compile_addresses(struct instance *instance, enum axis axis)
{
	__u32 *root = axis == AXIS_SOURCE ? &instance->out.source : &instance->out.destination;
	struct axis_classes classes;
	uint32_t *entries;

	if (!axis_is_used(&instance->terms, axis)) {
		*root = instance->out.full_row;
		rows_init(&instance->rows[axis], space_words(&instance->space));
		rows_intern(&instance->rows[axis], instance->full, 0);
		return;
	}
	axis_classify_ranges(&instance->terms, axis, &instance->space, &classes);
	entries = instance_write_rows(instance, &classes.rows);
	if (instance->terms.family == FW_INET)
		*root = tree_write_tables(instance->writer, &classes, entries);
	if (*root)
		instance->out.tables |= 1U << (axis == AXIS_DESTINATION);
	else if (instance->terms.family == FW_INET)
		*root = tree_write(instance->writer, &classes, entries, 2, NULL);
	else
		*root = tree_write(instance->writer, &classes, entries, 8,
				   &instance->out.prefixes[axis == AXIS_DESTINATION]);
	free(entries);
	instance->rows[axis] = classes.rows;
	classes.rows = (struct rows){ 0 };
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
		records[i / 64 * 64 + fw_bit_place(1ULL << i % 64)] =
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
	instance->out.full_row = entries[0];
	instance->out.service_row = entries[0];
	instance->out.network_rows = entries[0] * (1ULL << 32 | 1);
	instance->out.link_rows = instance->out.network_rows;
	free(entries);
	rows_free(&rows);
}

/* A way to make an instance. */
struct attempt {
	bool grouped;
	enum merging merging;
};

/* A bit for each term, or for each group of terms. */
static int choose_bits(struct instance *instance, struct attempt attempt, char **ret_error)
{
	struct terms *terms = &instance->terms;
	enum groups_error problem = GROUPS_FIT;

	instance->grouped = attempt.grouped;
	for (size_t i = 0; i < terms->count; i++)
		terms->items[i].bit = i;
	for (size_t i = 0; i < terms->counted_count; i++)
		terms->counted[i].bit = i;
	if (attempt.grouped)
		problem = groups_make(terms, attempt.merging, &instance->groups);
	return bounds_check_groups(instance, problem, ret_error);
}

static void write_bits(struct instance *instance, uint32_t first_record)
{
	struct terms *terms = &instance->terms;
	size_t bits = instance->grouped ? instance->groups.count : terms->count;

	instance->space.words = (bits + 63) / 64;
	instance->space.counted_words = (terms->counted_count + 63) / 64;
	instance->out.words = instance->space.words;
	instance->out.counted_words = instance->space.counted_words;
	instance->out.summary = instance->grouped || space_words(&instance->space) > FW_EXACT_WORDS;
	instance->out.counted_terms = write_terms(instance, terms->counted, terms->counted_count,
						  instance->space.counted_words, first_record);
	if (instance->grouped) {
		instance->out.groups =
			groups_write(&instance->groups, terms, first_record, instance->writer);
		groups_replace_terms(&instance->groups, terms);
	} else {
		instance->out.terms = write_terms(instance, terms->items, terms->count,
						  instance->space.words, first_record);
	}
}

static void write_instance(struct instance *instance, uint32_t first_record)
{
	enum fw_family family = instance->terms.family;
	uint32_t at = FW_INSTANCES + (instance->hook * 4 + family) * FW_INSTANCE_SIZE;

	instance->out.default_record = first_record + instance->terms.block->count;
	instance->out.wide = family != FW_INET;
	instance->out.is_empty = !instance->terms.count && !instance->terms.counted_count;
	write_bits(instance, first_record);
	write_full_row(instance);
	instance_compile_sets(instance);
	instance_compile_addresses(instance, AXIS_SOURCE);
	instance_compile_addresses(instance, AXIS_DESTINATION);
	instance_compile_service(instance);
	instance_compile_small(instance);
	memcpy(writer_at(instance->writer, at), &instance->out, sizeof(instance->out));
}

static void instance_free(struct instance *instance)
{
	free(instance->scratch);
	free(instance->full);
	free(instance->in_none);
	groups_free(&instance->groups);
	for (int i = 0; i < WORST_AXES; i++)
		rows_free(&instance->rows[i]);
	free(instance->worst.bits);
	free(instance->counted.bits);
	terms_free(&instance->terms);
}

static int make_attempt(const struct compile_input *input, struct instance *instance,
			struct attempt attempt, uint32_t first_record, char **ret_error)
{
	size_t size = instance->writer->size;
	int error = choose_bits(instance, attempt, ret_error);

	if (!error)
		error = bounds_check_terms(instance, ret_error);
	if (!error) {
		write_instance(instance, first_record);
		error = bounds_check_result(instance, ret_error);
	}
	if (!error && input->forecast && (instance->terms.count || instance->terms.counted_count))
		forecast_part_fill(&input->forecast->parts[input->forecast->count++], instance);
	if (error) /* for another attempt */
		instance->writer->size = size;
	return error;
}

/* Cheapest first; returns how many. */
static size_t list_attempts(enum compile_form form, size_t terms, struct attempt list[3])
{
	size_t count = 0;

	if (form == COMPILE_CHEAPEST)
		form = terms <= TERMS_BEST ? COMPILE_TERMS : COMPILE_CHEAPEST;
	if (form == COMPILE_GROUPS || form == COMPILE_CHEAPEST)
		list[count++] = (struct attempt){ true, MERGE_FEW };
	if (form != COMPILE_TERMS)
		list[count++] = (struct attempt){ true, MERGE_ALL };
	if (form == COMPILE_TERMS || (form == COMPILE_CHEAPEST && terms <= FW_MAX_WORDS * 64))
		list[count++] = (struct attempt){ false, MERGE_FEW };
	return count;
}

int instance_compile(const struct compile_input *input, struct instance_name name,
		     struct writer *writer, char **ret_error)
{
	struct attempt attempts[3];
	size_t count = 1;
	int error = -E2BIG;

	*ret_error = NULL;
	for (size_t i = 0; error && i < count; i++) {
		struct instance instance = { .input = input, .hook = name.hook, .writer = writer };

		free(*ret_error);
		*ret_error = NULL;
		terms_make(&input->ruleset->blocks[name.hook], name.family, &instance.terms);
		count = list_attempts(input->form, instance.terms.count, attempts);
		error = make_attempt(input, &instance, attempts[i], name.first_record, ret_error);
		instance_free(&instance);
	}
	return error;
}
