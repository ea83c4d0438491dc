/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cost model: constants are measured with `fwbench classify` (docs/classifier.md). A bit per
 * term costs the words of a row that survive the summaries; a bit per group costs its candidates.
 */
#include "compiler/forecast.h"

#include "compiler/instance.h"
#include "fw/image.h"

#define BASE_NS	     40.0 /* field look-ups and the first row word, all in the cache */
#define WORD_NS	     3.0  /* each further word of a row */
#define CANDIDATE_NS 8.0  /* each further candidate: a group, a bucket, compares */

void forecast_part_fill(struct forecast_part *part, const struct instance *instance)
{
	const struct worst *worst = &instance->worst;

	*part = (struct forecast_part){
		.hook = instance->hook,
		.family = instance->terms.family,
		.form = instance->grouped ? COMPILE_GROUPS : COMPILE_TERMS,
		.bits = instance->grouped ? instance->groups.count : instance->terms.count,
		.source_classes = instance->rows[0].count,
		.destination_classes = instance->rows[1].count,
		.service_classes = instance->rows[2].count,
		.longest_chain = instance->groups.longest_chain,
		.candidates = worst->candidates,
		.exact = worst->exact,
		.typical_ns = BASE_NS + (instance->grouped ? CANDIDATE_NS : 0),
	};
	/* Terms: only words that hold no match cost, and the first match ends the search. */
	part->worst_ns =
		BASE_NS + (instance->grouped
				   ? CANDIDATE_NS * (double)worst->candidates
				   : WORD_NS * (double)(worst->rounds - worst->candidates));
	for (size_t i = 0; i < instance->space.words * 64; i++) {
		if (part->rule_count == FORECAST_RULES || !(worst->bits[i / 64] >> i % 64 & 1))
			continue;
		part->rules[part->rule_count++] = instance->grouped
							  ? instance->groups.items[i].best_rule
							  : instance->terms.items[i].rule;
	}
}

bool forecast_part_is_uneven(const struct forecast_part *part)
{
	return part->worst_ns > 10 * part->typical_ns;
}

int forecast_make(const struct compile_input *input, struct forecast *ret_forecast,
		  char **ret_error)
{
	struct forecast forecast = { 0 };
	struct compile_input asking = *input;
	const struct fw_image_header *header;
	struct image image;
	int error;

	asking.forecast = &forecast;
	error = compile(&asking, &image, ret_error);
	if (error)
		return error;
	header = image.bytes;
	forecast.image_bytes = image.size;
	for (int hook = 0; hook < FW_HOOKS; hook++)
		forecast.features[hook] = header->features[hook];
	image_free(&image);
	*ret_forecast = forecast;
	return 0;
}
