/* SPDX-License-Identifier: GPL-2.0-only */
/* Sorts what `on` compares with into classes of names, and finds an example for each. */
#include "analysis/interfaces.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"

/* A name, or all names that begin with `text` and are of no longer class. */
struct interface_class {
	const char *text;
	uint32_t length;
	bool is_prefix;
};

/* Bits of table values: what a text is. */
enum {
	SEEN_NAME,
	SEEN_PREFIX,
	SEEN_PATTERN, /* and above: SEEN_PATTERN + its index */
};

static size_t plain_length(const char *pattern)
{
	return strcspn(pattern, "*?[\\");
}

static bool is_prefix_pattern(const char *pattern)
{
	size_t plain = plain_length(pattern);

	return pattern[plain] == '*' && !pattern[plain + 1];
}

static void add_pattern(struct interfaces *interfaces, const char *pattern)
{
	uint32_t value = SEEN_NAME;

	if (is_prefix_pattern(pattern))
		value = SEEN_PREFIX;
	else if (pattern[plain_length(pattern)])
		value = SEEN_PATTERN + (uint32_t)interfaces->pattern_count;
	if (!table_add(&interfaces->seen, pattern, strlen(pattern), value))
		return;
	if (value >= SEEN_PATTERN && interfaces->pattern_count < INTERFACE_PATTERNS_MAX)
		interfaces->patterns[interfaces->pattern_count++] = pattern;
}

static void add_preferred(struct interfaces *interfaces, const char *name)
{
	const char **names = reallocarray(interfaces->preferred, interfaces->preferred_count + 1,
					  sizeof(names[0]));

	if (!names)
		message_out_of_memory();
	interfaces->preferred = names;
	names[interfaces->preferred_count++] = name;
}

void interfaces_add(struct interfaces *interfaces, const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->interface_count && i < 16; i++)
		if (!ruleset->interfaces[i].is_pattern)
			add_preferred(interfaces, ruleset->interfaces[i].pattern);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &ruleset->blocks[hook];

		for (size_t i = 0; i < block->count; i++) {
			const struct match *match =
				rule_find_match(&block->rules[i], MATCH_INTERFACE);

			for (size_t j = 0; match && j < match->names.count; j++)
				add_pattern(interfaces, match->names.patterns[j]);
		}
	}
}

/* A prefix stands before all that begin with it, also before the name of the same text. */
static int compare_classes(const void *a, const void *b)
{
	const struct interface_class *x = a, *y = b;
	size_t shorter = x->length < y->length ? x->length : y->length;
	int order = memcmp(x->text, y->text, shorter);

	if (order)
		return order;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return (int)y->is_prefix - (int)x->is_prefix;
}

/* The class that a name is of. */
static uint32_t class_of(const struct interfaces *interfaces, const char *name)
{
	uint32_t best = interfaces_last(interfaces);
	size_t length = strlen(name);

	for (uint32_t i = 0; i < interfaces->class_count; i++) {
		const struct interface_class *class = &interfaces->classes[i];

		if (class->is_prefix && length >= class->length &&
		    !memcmp(name, class->text, class->length))
			best = i; /* longer prefixes come later */
		else if (!class->is_prefix && !strcmp(name, class->text))
			return i;
	}
	return best;
}

void interfaces_finish(struct interfaces *interfaces)
{
	static const char *const usual[] = { "eth0", "lan0", "wan0", "port0", "if0" };
	struct interface_class *classes =
		arena_alloc(interfaces->arena, (interfaces->seen.count + 1) * sizeof(*classes));
	size_t count = 0;

	for (size_t i = 0; i < interfaces->seen.capacity; i++) {
		const struct table_slot *slot = &interfaces->seen.slots[i];
		bool is_prefix = slot->value == SEEN_PREFIX;

		/* "*" is no class of its own: it is every name. */
		if (!slot->key || slot->value >= SEEN_PATTERN || (is_prefix && slot->length == 1))
			continue;
		classes[count++] = (struct interface_class){
			.text = slot->key,
			.length = slot->length - is_prefix,
			.is_prefix = is_prefix,
		};
	}
	qsort(classes, count, sizeof(*classes), compare_classes);
	interfaces->classes = classes;
	interfaces->class_count = count;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		add_preferred(interfaces, usual[i]);
	interfaces->preferred_classes =
		arena_alloc(interfaces->arena,
			    interfaces->preferred_count * sizeof(interfaces->preferred_classes[0]));
	for (size_t i = 0; i < interfaces->preferred_count; i++)
		interfaces->preferred_classes[i] = class_of(interfaces, interfaces->preferred[i]);
}

void interfaces_free(struct interfaces *interfaces)
{
	table_free(&interfaces->seen);
	free(interfaces->preferred);
	*interfaces = (struct interfaces){ 0 };
}

static bool begins_with(const struct interface_class *class, const char *text, size_t length)
{
	return class->length >= length && !memcmp(class->text, text, length);
}

int interfaces_find(const struct interfaces *interfaces, const char *pattern, uint32_t *ret_low,
		    uint32_t *ret_high)
{
	const uint32_t *value = table_find(&interfaces->seen, pattern, strlen(pattern));
	struct interface_class wanted = {
		.text = pattern,
		.length = (uint32_t)plain_length(pattern),
		.is_prefix = is_prefix_pattern(pattern),
	};
	const struct interface_class *found;
	uint32_t last;

	if (!value || *value >= SEEN_PATTERN + INTERFACE_PATTERNS_MAX)
		return -E2BIG;
	if (*value >= SEEN_PATTERN)
		return (int)(*value - SEEN_PATTERN) + 1;
	*ret_low = 0;
	*ret_high = interfaces_last(interfaces);
	if (wanted.is_prefix && !wanted.length)
		return 0;
	found = bsearch(&wanted, interfaces->classes, interfaces->class_count, sizeof(wanted),
			compare_classes);
	*ret_low = last = (uint32_t)(found - interfaces->classes);
	while (wanted.is_prefix && last + 1 < interfaces->class_count &&
	       begins_with(&interfaces->classes[last + 1], wanted.text, wanted.length))
		last++;
	*ret_high = last;
	return 0;
}

uint64_t interfaces_answers(const struct interfaces *interfaces, const char *name)
{
	uint64_t answers = 0;

	for (size_t i = 0; i < interfaces->pattern_count; i++)
		if (!fnmatch(interfaces->patterns[i], name, 0))
			answers |= 2ULL << i;
	return answers;
}

static bool fits(const struct interfaces *interfaces, const char *name, uint32_t number,
		 const uint64_t wanted[2])
{
	uint64_t answers = interfaces_answers(interfaces, name);

	return !(wanted[0] & ~answers) && !(wanted[1] & answers) &&
	       class_of(interfaces, name) == number;
}

/* The shortest name that a pattern stands for: no text for a star, the first of a bracket. */
static void instantiate(const char *pattern, const char *star, char name[64])
{
	size_t length = 0;

	for (; *pattern && length < 60; pattern++) {
		const char *end = *pattern == '[' ? strchr(pattern + 1, ']') : NULL;

		if (*pattern == '*') {
			for (const char *at = star; *at && length < 60; at++)
				name[length++] = *at;
		} else if (*pattern == '?') {
			name[length++] = '0';
		} else if (end && end > pattern + 1 && pattern[1] != '!' && pattern[1] != '^') {
			name[length++] = pattern[1];
			pattern = end;
		} else {
			name[length++] = *pattern;
		}
	}
	name[length] = '\0';
}

const char *interfaces_sample(const struct interfaces *interfaces, uint32_t number, uint64_t one,
			      uint64_t zero)
{
	static const char *const tails[] = { "0", "1", "x", "", "-a", "7z", "q3" };
	const uint64_t wanted[2] = { one, zero };
	const struct interface_class *class = NULL;
	char name[64];

	if (number < interfaces->class_count)
		class = &interfaces->classes[number];
	if (class && !class->is_prefix)
		return fits(interfaces, class->text, number, wanted) ? class->text : NULL;
	for (size_t i = 0; i < interfaces->preferred_count; i++)
		if (fits(interfaces, interfaces->preferred[i], number, wanted))
			return interfaces->preferred[i];
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		const char *found;

		snprintf(name, sizeof(name), "%.*s%s", class ? (int)class->length : 1,
			 class ? class->text : "n", tails[i]);
		found = fits(interfaces, name, number, wanted) ? name : NULL;
		for (size_t j = 0; !found && j < interfaces->pattern_count; j++) {
			instantiate(interfaces->patterns[j], tails[i], name);
			found = fits(interfaces, name, number, wanted) ? name : NULL;
		}
		if (found)
			return arena_strndup(interfaces->arena, found, strlen(found));
	}
	return NULL;
}
