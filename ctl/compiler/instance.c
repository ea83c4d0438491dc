/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/instance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compiler/forecast.h"
#include "compiler/tree.h"

#define BITS_MAX   (FW_MAX_WORDS * 64)
#define TERMS_BEST 1024 /* up to here a bit for each term is never slower */

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
		*root = instance->out.full_row;
		rows_init(&instance->rows[axis], space_words(&instance->space));
		rows_intern(&instance->rows[axis], instance->full, 0);
		return;
	}
	axis_classify_ranges(&instance->terms, axis, &instance->space, &classes);
	entries = instance_write_rows(instance, &classes.rows);
	*root = tree_write(instance->writer, &classes, entries,
			   instance->terms.family == FW_INET ? 2 : 8);
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
	instance->out.full_row = entries[0];
	instance->out.network_rows = entries[0] * (1ULL << 32 | 1);
	instance->out.link_rows = instance->out.network_rows;
	free(entries);
	rows_free(&rows);
}

static const char *hook_name(enum fw_hook hook)
{
	return hook == FW_INGRESS ? "ingress" : "egress";
}

static const char *family_name(enum fw_family family)
{
	static const char *const names[] = { "other", "inet", "inet6" };

	return names[family];
}

static int refuse(const struct instance *instance, char **ret_error, const char *why)
{
	if (asprintf(ret_error, "%s rules for %s packets: %s", hook_name(instance->hook),
		     family_name(instance->terms.family), why) < 0)
		message_out_of_memory();
	return -E2BIG;
}

/* A bit for each term, or for each group of terms. */
static int choose_form(struct instance *instance, enum compile_form form, char **ret_error)
{
	struct terms *terms = &instance->terms;

	if (terms->counted_count > FW_MAX_COUNTED_WORDS * 64)
		return refuse(instance, ret_error,
			      "more than 256 of them count and go on, or are over a limit");
	for (size_t i = 0; i < terms->count; i++)
		terms->items[i].bit = i;
	for (size_t i = 0; i < terms->counted_count; i++)
		terms->counted[i].bit = i;
	if (form == COMPILE_CHEAPEST)
		form = terms->count <= TERMS_BEST ? COMPILE_TERMS : COMPILE_GROUPS;
	if (form == COMPILE_GROUPS)
		instance->grouped = groups_make(terms, &instance->groups);
	if (!instance->grouped && terms->count > BITS_MAX)
		return refuse(instance, ret_error,
			      "their conditions differ in more than 4096 ways (combinations of "
			      "prefix lengths, sets, and other fields); use sets to say the same "
			      "with fewer rules");
	return 0;
}

static void write_bits(struct instance *instance, uint32_t first_record)
{
	struct terms *terms = &instance->terms;
	size_t bits = instance->grouped ? instance->groups.count : terms->count;

	instance->space.words = (bits + 63) / 64;
	instance->space.counted_words = (terms->counted_count + 63) / 64;
	instance->out.words = instance->space.words;
	instance->out.counted_words = instance->space.counted_words;
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
	write_bits(instance, first_record);
	write_full_row(instance);
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
	groups_free(&instance->groups);
	for (int i = 0; i < WORST_AXES; i++)
		rows_free(&instance->rows[i]);
	free(instance->worst.bits);
	terms_free(&instance->terms);
}

/* The worst packet, looked for in `words` words of each row from word `from` on. */
static void find_worst(const struct instance *instance, size_t from, size_t words, size_t enough,
		       struct worst *ret_worst)
{
	struct rows views[WORST_AXES];
	const struct rows *axes[WORST_AXES];

	for (int i = 0; i < WORST_AXES; i++) {
		views[i] = instance->rows[i];
		views[i].bits += from;
		axes[i] = &views[i];
	}
	worst_find(axes, words, enough, ret_worst);
}

/* No packet may meet more than FW_MAX_COUNTED rules that count and go on. */
static int check_counted(const struct instance *instance, char **ret_error)
{
	const struct terms *terms = &instance->terms;
	size_t words = instance->space.counted_words, named = 0;
	struct worst worst;
	char why[512];
	int length;

	if (terms->counted_count <= FW_MAX_COUNTED)
		return 0;
	/* A round is a bit or a word: few bits in several words are refused a little early. */
	find_worst(instance, instance->space.words, words, FW_MAX_COUNTED + 1, &worst);
	if (worst.exact && worst.rounds == FW_MAX_COUNTED + 1) {
		free(worst.bits);
		return 0;
	}
	length = snprintf(why, sizeof(why), "one packet may meet more than %d that count and go on",
			  FW_MAX_COUNTED);
	for (size_t i = 0; i < terms->counted_count && named < 3; i++) {
		const struct rule *rule = &terms->block->rules[terms->counted[i].rule];

		if (worst.bits[i / 64] >> i % 64 & 1)
			length += snprintf(why + length, sizeof(why) - length, "%s '%.60s'",
					   named++ ? "," : ", among them", rule_identity(rule));
	}
	free(worst.bits);
	return refuse(instance, ret_error, why);
}

static int check_rounds(const struct instance *instance, char **ret_error)
{
	struct worst worst;
	char why[128];
	bool fits;

	find_worst(instance, 0, instance->space.words, FW_SEARCH_ROUNDS, &worst);
	fits = worst.exact && worst.rounds <= FW_SEARCH_ROUNDS;
	free(worst.bits);
	if (fits)
		return 0;
	snprintf(why, sizeof(why),
		 "they overlap too much: more than about %d groups of them can hold one packet",
		 FW_SEARCH_ROUNDS - 2);
	return refuse(instance, ret_error, why);
}

/* What is only known when all is written. */
static int check_result(struct instance *instance, char **ret_error)
{
	char why[128];
	int error;

	if (instance->too_large) {
		snprintf(why, sizeof(why), "they combine too many different %s",
			 instance->too_large);
		return refuse(instance, ret_error, why);
	}
	error = check_counted(instance, ret_error);
	if (!error && instance->grouped)
		error = check_rounds(instance, ret_error);
	if (!error && instance->input->forecast)
		find_worst(instance, 0, instance->space.words, 0, &instance->worst);
	return error;
}

static int compile_form(const struct compile_input *input, struct instance *instance,
			enum fw_family family, uint32_t first_record, char **ret_error)
{
	size_t size = instance->writer->size;
	int error;

	terms_make(&input->ruleset->blocks[instance->hook], family, &instance->terms);
	error = choose_form(instance, input->form, ret_error);
	if (!error) {
		write_instance(instance, first_record);
		error = check_result(instance, ret_error);
	}
	if (!error && input->forecast && instance->terms.count)
		forecast_part_fill(&input->forecast->parts[input->forecast->count++], instance);
	if (error) /* for another attempt */
		instance->writer->size = size;
	return error;
}

int instance_compile(const struct compile_input *input, enum fw_hook hook, enum fw_family family,
		     uint32_t first_record, struct writer *writer, char **ret_error)
{
	struct instance instance = { .input = input, .hook = hook, .writer = writer };
	struct compile_input terms = *input;
	char *why = NULL;
	int error = compile_form(input, &instance, family, first_record, ret_error);
	bool again = error && instance.grouped && input->form == COMPILE_CHEAPEST;

	instance_free(&instance);
	if (!again)
		return error;
	/* Too many groups overlap: the other form does not mind, but has fewer bits. */
	terms.form = COMPILE_TERMS;
	instance = (struct instance){ .input = &terms, .hook = hook, .writer = writer };
	if (!compile_form(&terms, &instance, family, first_record, &why)) {
		free(*ret_error);
		*ret_error = NULL;
		error = 0;
	}
	free(why);
	instance_free(&instance);
	return error;
}
