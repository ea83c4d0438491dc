/* SPDX-License-Identifier: GPL-2.0-only */
/* The image as a whole: bounds, header, records, and an instance for each hook and family. */
#include "compiler/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compiler/instance.h"
#include "compiler/limits.h"
#include "fw/flows.h"
#include "fw/tree.h"

static int fail(char **ret_error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(char **ret_error, const char *format, ...)
{
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vasprintf(ret_error, format, arguments);
	va_end(arguments);
	if (written < 0)
		message_out_of_memory();
	return -E2BIG;
}

static size_t count_prefixes(const struct ruleset *ruleset)
{
	size_t count = 0;

	for (size_t i = 0; i < ruleset->set_count; i++)
		if (ruleset->sets[i].kind != SET_LIVE)
			count += ruleset->sets[i].ranges.inet_count +
				 ruleset->sets[i].ranges.inet6_count;
	return count;
}

static int check_bounds(const struct ruleset *ruleset, char **ret_error)
{
	size_t rules = ruleset->blocks[FW_INGRESS].count + ruleset->blocks[FW_EGRESS].count;
	size_t prefixes = count_prefixes(ruleset);

	if (rules > FW_MAX_RULES)
		return fail(ret_error, "%zu rules; at most %d can be loaded", rules, FW_MAX_RULES);
	if (prefixes > FW_MAX_PREFIXES)
		return fail(ret_error, "the sets hold %zu prefixes; at most %d can be loaded",
			    prefixes, FW_MAX_PREFIXES);
	if (limits_count(ruleset) > FW_MAX_LIMITS)
		return fail(ret_error, "%zu rules with a limit; at most %d can be loaded",
			    limits_count(ruleset), FW_MAX_LIMITS);
	return 0;
}

static bool names_live_set(const struct rule *rule, enum match_kind kind)
{
	const struct match *match = rule_find_match(rule, kind);

	for (size_t i = 0; match && i < match->addresses.set_count; i++)
		if (match->addresses.sets[i]->kind == SET_LIVE)
			return true;
	return false;
}

static uint32_t rule_features(const struct rule *rule)
{
	uint32_t features = 0;

	if (rule_find_match(rule, MATCH_STATE))
		features |= FW_NEEDS_STATE;
	if (names_live_set(rule, MATCH_SOURCE))
		features |= FW_NEEDS_SOURCE_SETS;
	if (names_live_set(rule, MATCH_DESTINATION))
		features |= FW_NEEDS_DESTINATION_SETS;
	if (rule_find_match(rule, MATCH_SOURCE_MAC) || rule_find_match(rule, MATCH_DESTINATION_MAC))
		features |= FW_USES_MAC;
	if (rule_goes_on(rule))
		features |= FW_HAS_COUNT_RULES | (rule->limit ? FW_COUNTED_LIMITS : 0);
	if (rule->limit)
		features |= FW_NEEDS_LIMITS;
	if (rule->log)
		features |= FW_NEEDS_LOG;
	if (rule->keep_state)
		features |= FW_NEEDS_KEEP_STATE;
	if (rule->syncookie)
		features |= FW_NEEDS_SYNCOOKIE;
	if (rule->action == FW_REJECT)
		features |= FW_NEEDS_REJECT;
	return features;
}

static void header_add_block(struct fw_image_header *header, const struct ruleset *ruleset,
			     enum fw_hook hook)
{
	const struct block *block = &ruleset->blocks[hook];
	__u32 features = block->present ? FW_HAS_RULES : 0;

	if (ruleset->options.malformed_pass)
		features |= FW_MALFORMED_PASS;
	for (size_t i = 0; i < block->count; i++) {
		features |= rule_features(&block->rules[i]);
	}
	header->features[hook] = features;
	header->first_record[hook] = header->record_count;
	header->default_record[hook] = header->record_count + block->count;
	header->record_count += block->count + 1;
}

static struct fw_record rule_record(const struct rule *rule)
{
	return (struct fw_record){
		.action = rule->action,
		.flags = (rule->limit ? FW_RECORD_LIMIT : 0) | (rule->log ? FW_RECORD_LOG : 0) |
			 (rule->keep_state ? FW_RECORD_KEEP_STATE : 0) |
			 (rule->syncookie ? FW_RECORD_SYNCOOKIE : 0) |
			 (rule->action == FW_REJECT ? FW_RECORD_REJECT : 0),
	};
}

static void write_records(struct writer *writer, const struct compile_input *input,
			  const struct fw_image_header *header)
{
	struct fw_record *records = writer_at(writer, header->records);
	uint16_t limits = 0;

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &input->ruleset->blocks[hook];

		for (size_t i = 0; i < block->count; i++) {
			*records = rule_record(&block->rules[i]);
			if (input->no_limits)
				records->flags &= ~FW_RECORD_LIMIT;
			else if (block->rules[i].limit)
				records->limit = ++limits;
			records++;
		}
		*records++ = (struct fw_record){
			.action = block->present ? block->default_action : FW_PASS,
		};
	}
}

/* Seconds that a kind of flow is kept if no option says otherwise. */
static const uint32_t default_timeouts[FW_TIMEOUTS] = {
	[FW_TIMEOUT_TCP_OPENING] = 60,	   [FW_TIMEOUT_TCP_ESTABLISHED] = 5 * 86400,
	[FW_TIMEOUT_TCP_CLOSING] = 120,	   [FW_TIMEOUT_TCP_CLOSED] = 10,
	[FW_TIMEOUT_UDP_UNREPLIED] = 30,   [FW_TIMEOUT_UDP_REPLIED] = 120,
	[FW_TIMEOUT_ICMP_UNREPLIED] = 30,  [FW_TIMEOUT_ICMP_REPLIED] = 30,
	[FW_TIMEOUT_OTHER_UNREPLIED] = 60, [FW_TIMEOUT_OTHER_REPLIED] = 600,
};

#define SAME_TIMEOUT(kind) \
	_Static_assert((int)TIMEOUT_##kind == (int)FW_TIMEOUT_##kind, "in one order")

SAME_TIMEOUT(TCP_OPENING);
SAME_TIMEOUT(TCP_CLOSED);
SAME_TIMEOUT(UDP_UNREPLIED);
SAME_TIMEOUT(ICMP_REPLIED);
SAME_TIMEOUT(OTHER_REPLIED);

static void write_options(struct writer *writer, struct fw_image_header *header,
			  const struct options *options)
{
	struct fw_state_options *written;

	header->options = writer_add(writer, sizeof(*written), FW_LINE);
	written = writer_at(writer, header->options);
	for (int kind = 0; kind < FW_TIMEOUTS; kind++)
		written->timeouts[kind] = options->timeouts[kind]
						  ? (uint32_t)options->timeouts[kind]
						  : default_timeouts[kind];
	written->flags = options->pickup ? FW_OPTION_PICKUP : 0;
	written->reject_rate = (uint32_t)options->reject_rate;
	written->syncookie_after = (uint32_t)options->syncookie_after;
	written->flows = options->flows ? (uint32_t)options->flows : FW_FLOWS_DEFAULT;
}

/* From the places of bits to their numbers. */
static void write_bit_numbers(struct writer *writer)
{
	uint8_t *numbers = writer_at(writer, FW_BIT_NUMBERS);

	for (unsigned bit = 0; bit < 64; bit++)
		numbers[fw_bit_place(1ULL << bit)] = bit;
}

/* At the very end, for one CPU: who has more lets the image grow by so many of it. */
static void add_scratch(struct writer *writer, struct fw_image_header *header)
{
	for (int i = 0; i < FW_HOOKS * 4; i++) {
		const struct fw_instance *at =
			writer_at(writer, FW_INSTANCES + i * FW_INSTANCE_SIZE);
		uint32_t words = at->summary + at->words + at->counted_words;
		uint32_t size = sizeof(struct fw_row_head) + words * sizeof(uint64_t);

		if (at->features & FW_USES_SETS && size > header->scratch_size)
			header->scratch_size = size;
	}
	/* As far apart as rows of few words must begin, which also keeps CPUs apart. */
	header->scratch_size = (header->scratch_size + 2 * FW_LINE - 1) & ~(2U * FW_LINE - 1);
	if (header->scratch_size)
		header->scratch = writer_add(writer, header->scratch_size, 2 * FW_LINE);
}

static int write_image(struct writer *writer, const struct compile_input *input, char **ret_error)
{
	struct fw_image_header header = { .magic = FW_IMAGE_MAGIC, .layout = FW_IMAGE_LAYOUT };
	int error = 0;

	for (int hook = 0; hook < FW_HOOKS; hook++)
		header_add_block(&header, input->ruleset, hook);
	writer_add(writer, FW_IMAGE_FIXED, FW_LINE);
	write_bit_numbers(writer);
	write_options(writer, &header, &input->ruleset->options);
	header.limits = limits_write(writer, input);
	header.records =
		writer_add(writer, header.record_count * sizeof(struct fw_record), FW_LINE);
	write_records(writer, input, &header);
	for (int i = 0; !error && i < FW_HOOKS * FW_FAMILIES; i++) {
		const struct instance_name name = { i / FW_FAMILIES, i % FW_FAMILIES,
						    header.first_record[i / FW_FAMILIES] };

		error = instance_compile(input, name, writer, ret_error);
	}
	if (error)
		return error;
	add_scratch(writer, &header);
	if (writer->full)
		return fail(ret_error, "the compiled rules need more than %u MB",
			    FW_IMAGE_SIZE_3 >> 20);
	header.size = writer->size;
	memcpy(writer_at(writer, 0), &header, sizeof(header));
	return 0;
}

int compile(const struct compile_input *input, struct image *ret_image, char **ret_error)
{
	struct writer writer = { 0 };
	int error = check_bounds(input->ruleset, ret_error);

	if (!error)
		error = write_image(&writer, input, ret_error);
	if (error) {
		writer_free(&writer);
		return error;
	}
	memset(writer.bytes + writer.size, 0, writer.capacity - writer.size);
	*ret_image = (struct image){
		.bytes = writer.bytes,
		.size = writer.size,
		.block = writer.capacity,
	};
	image_number(ret_image, input);
	return 0;
}

void image_number(const struct image *image, const struct compile_input *input)
{
	const struct fw_image_header *header = image->bytes;
	uint8_t *bytes = image->bytes;
	struct fw_record *record = (void *)(bytes + header->records);

	for (int hook = 0; hook < FW_HOOKS; hook++)
		for (size_t i = 0; i <= input->ruleset->blocks[hook].count; i++, record++)
			record->counter = input->counters[hook] ? input->counters[hook][i] : 0;
	limits_number(bytes, header, input);
}

void image_free(struct image *image)
{
	free(image->bytes);
	*image = (struct image){ 0 };
}
