/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/bounds.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/message.h"
#include "compiler/pieces.h"

#define BITS_MAX (FW_MAX_WORDS * 64)
#define NAMED	 3 /* rules that a refusal names */

static const char *hook_name(enum fw_hook hook)
{
	return hook == FW_INGRESS ? "ingress" : "egress";
}

static const char *family_name(enum fw_family family)
{
	static const char *const names[] = { "other", "inet", "inet6" };

	return names[family];
}

static int refuse(const struct instance *instance, char **ret_error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(const struct instance *instance, char **ret_error, const char *format, ...)
{
	_cleanup_free_ char *why = NULL;
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vasprintf(&why, format, arguments);
	va_end(arguments);
	if (written < 0 ||
	    asprintf(ret_error, "%s rules for %s packets: %s", hook_name(instance->hook),
		     family_name(instance->terms.family), why) < 0)
		message_out_of_memory();
	return -E2BIG;
}

static void name_rule(const struct instance *instance, uint32_t number, struct buffer *names)
{
	const struct rule *rule = &instance->terms.block->rules[number];

	buffer_printf(names, "%s'%.60s'", buffer_text(names)[0] ? ", " : "", rule_identity(rule));
	if (rule->at.line)
		buffer_printf(names, " (line %u)", rule->at.line);
}

/* Names the rules of the first bits: `rule_of` says whose bit it is. */
static void name_bits(const struct instance *instance, const uint64_t *bits, size_t count,
		      uint32_t (*rule_of)(const struct instance *instance, size_t bit),
		      struct buffer *names)
{
	size_t named = 0;

	for (size_t i = 0; i < count && named < NAMED; i++) {
		if (!(bits[i / 64] >> i % 64 & 1))
			continue;
		name_rule(instance, rule_of(instance, i), names);
		named++;
	}
}

static uint32_t counted_rule(const struct instance *instance, size_t bit)
{
	return instance->terms.counted[bit].rule;
}

static uint32_t group_rule(const struct instance *instance, size_t bit)
{
	return instance->groups.items[bit].best_rule;
}

int bounds_check_terms(const struct instance *instance, char **ret_error)
{
	if (instance->terms.counted_count > FW_MAX_COUNTED_WORDS * 64)
		return refuse(instance, ret_error,
			      "%zu conditions of rules that count and go on, or have a limit; at "
			      "most %d can be loaded (a rule that decides counts its packets, too)",
			      instance->terms.counted_count, FW_MAX_COUNTED_WORDS * 64);
	if (!instance->grouped && instance->terms.count > BITS_MAX)
		return refuse(instance, ret_error, "more than %d rules that have little in common",
			      BITS_MAX);
	return 0;
}

int bounds_check_groups(const struct instance *instance, enum groups_error problem,
			char **ret_error)
{
	const struct groups *groups = &instance->groups;
	_cleanup_buffer_ struct buffer names = { 0 };

	if (problem == GROUPS_FIT)
		return 0;
	if (problem == GROUPS_TOO_MANY_PIECES) {
		uint32_t last = groups->pieces.items[groups->pieces.count - 1].term;

		name_rule(instance, instance->terms.items[last].rule, &names);
		return refuse(instance, ret_error,
			      "lists of addresses, ports and protocols multiply to more than %d "
			      "combinations, up to rule %s; name long lists as sets",
			      PIECES_MAX, buffer_text(&names));
	}
	for (size_t i = groups->count > NAMED ? groups->count - NAMED : 0; i < groups->count; i++)
		name_rule(instance, instance->terms.items[groups->items[i].best].rule, &names);
	return refuse(
		instance, ret_error,
		"their conditions differ in more than %d ways (combinations of prefix "
		"lengths, port ranges, sets and other fields), as those of %s; use sets to say "
		"the same with fewer rules",
		BITS_MAX, buffer_text(&names));
}

/* The packet that is searched for longest. */
static void find_worst(const struct instance *instance, size_t enough, struct worst *ret_worst)
{
	const struct rows *axes[WORST_AXES];

	for (int i = 0; i < WORST_AXES; i++)
		axes[i] = &instance->rows[i];
	worst_find(axes, instance->space.words, WORST_BITS_AND_WORDS, enough, ret_worst);
}

/* The packet that most rules count and let go on. */
static void find_worst_counted(const struct instance *instance, size_t enough,
			       struct worst *ret_worst)
{
	struct rows views[WORST_AXES];
	const struct rows *axes[WORST_AXES];

	for (int i = 0; i < WORST_AXES; i++) {
		views[i] = instance->rows[i];
		views[i].bits += instance->space.words;
		axes[i] = &views[i];
	}
	worst_find(axes, instance->space.counted_words, WORST_BITS, enough, ret_worst);
}

/* No packet may meet more than FW_MAX_COUNTED rules that count and go on. */
static int check_counted(const struct instance *instance, char **ret_error)
{
	const struct terms *terms = &instance->terms;
	_cleanup_buffer_ struct buffer names = { 0 };
	struct worst worst;
	bool fits;

	if (terms->counted_count <= FW_MAX_COUNTED)
		return 0;
	find_worst_counted(instance, FW_MAX_COUNTED, &worst);
	fits = worst.exact && worst.rounds == FW_MAX_COUNTED;
	name_bits(instance, worst.bits, terms->counted_count, counted_rule, &names);
	free(worst.bits);
	if (fits)
		return 0;
	return refuse(instance, ret_error,
		      "one packet may meet more than %d that count and go on%s%s", FW_MAX_COUNTED,
		      buffer_text(&names)[0] ? ", among them " : "", buffer_text(&names));
}

/* By term: in how many pieces it was cut. */
static uint32_t *count_pieces(const struct pieces *pieces)
{
	uint32_t last = 0, *counts;

	for (size_t i = 0; i < pieces->count; i++)
		if (pieces->items[i].term > last)
			last = pieces->items[i].term;
	counts = memory_new(last + 1, sizeof(*counts));
	for (size_t i = 0; i < pieces->count; i++)
		counts[pieces->items[i].term]++;
	return counts;
}

/*
 * The groups that are one term: if the rows leave such a one it matches, whatever the packet.
 * (Rules that ask for a live set and little else are mostly such.)
 */
static uint64_t *sure_groups(const struct instance *instance)
{
	const struct groups *groups = &instance->groups;
	uint32_t *counts = count_pieces(&groups->pieces);
	uint64_t *sure = memory_new(space_words(&instance->space), sizeof(*sure));

	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->items[i];
		bool is_one = group->count == counts[group->best];

		for (size_t k = 0; is_one && k < group->count; k++)
			is_one = groups->pieces.items[group->pieces[k]].term == group->best;
		if (is_one)
			bit_set(sure, group->bit);
	}
	free(counts);
	return sure;
}

/*
 * The first group that matches surely is the last that is searched, so of all such groups one round
 * counts, and one that sees the end; beside them every word, and what may be searched in vain.
 */
static bool rounds_fit_surely(const struct instance *instance)
{
	size_t words = instance->space.words, stride = space_words(&instance->space);
	_cleanup_free_ uint64_t *sure = NULL;
	struct rows views[WORST_AXES];
	const struct rows *axes[WORST_AXES];
	struct worst worst;
	bool fits;

	if (words + 2 >= FW_SEARCH_ROUNDS)
		return false;
	sure = sure_groups(instance);
	for (int i = 0; i < WORST_AXES; i++) {
		views[i] = instance->rows[i];
		views[i].bits = memory_new(views[i].count * stride, sizeof(uint64_t));
		for (size_t k = 0; k < views[i].count * stride; k++)
			views[i].bits[k] = instance->rows[i].bits[k] & ~sure[k % stride];
		axes[i] = &views[i];
	}
	worst_find(axes, words, WORST_BITS, FW_SEARCH_ROUNDS - words - 2, &worst);
	fits = worst.exact && worst.rounds == FW_SEARCH_ROUNDS - words - 2;
	free(worst.bits);
	for (int i = 0; i < WORST_AXES; i++)
		free(views[i].bits);
	return fits;
}

static int check_rounds(const struct instance *instance, char **ret_error)
{
	_cleanup_buffer_ struct buffer names = { 0 };
	struct worst worst;
	bool found;

	find_worst(instance, FW_SEARCH_ROUNDS, &worst);
	found = worst.rounds > FW_SEARCH_ROUNDS;
	name_bits(instance, worst.bits, instance->groups.count, group_rule, &names);
	free(worst.bits);
	if ((found || !worst.exact) && rounds_fit_surely(instance))
		return 0;
	if (found)
		return refuse(
			instance, ret_error,
			"they overlap too much: for one packet more than %d of their "
			"combinations of prefix lengths and ports may have to be searched, as "
			"those of %s; up to %d rules may overlap freely",
			FW_SEARCH_ROUNDS, buffer_text(&names), BITS_MAX);
	if (!worst.exact)
		return refuse(instance, ret_error,
			      "they overlap too much: it could not be shown that no packet needs "
			      "more than %d steps of search; up to %d rules may overlap freely",
			      FW_SEARCH_ROUNDS, BITS_MAX);
	return 0;
}

int bounds_check_result(struct instance *instance, char **ret_error)
{
	int error;

	if (instance->too_large)
		return refuse(instance, ret_error, "they combine too many different %s",
			      instance->too_large);
	error = check_counted(instance, ret_error);
	if (!error && instance->grouped)
		error = check_rounds(instance, ret_error);
	if (!error && instance->input->forecast)
		find_worst(instance, 0, &instance->worst);
	if (!error && instance->input->forecast)
		find_worst_counted(instance, 0, &instance->counted);
	return error;
}
