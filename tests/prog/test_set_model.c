// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/*
 * Live sets through the real programs, compared with a model: lists that are searched from end to
 * end, with the reference evaluator for the rules. Each of 100,000 random changes is followed by a
 * packet on one of the hooks.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/evaluate.h"
#include "dataplane/set_internal.h"
#include "set_run.h"

#define STEPS 100000 /* or as many as FWCTL_TEST_STEPS says, for machines that are emulated */

#define MODEL_SETS 3
#define MODEL_SIZE 120

static const char *const model_names[MODEL_SETS] = { "a", "b", "c" };

struct model {
	struct set_elements sets[MODEL_SETS];
};

static const char *const model_rules[] = {
	"drop from @a to not @c\n pass from @a\n drop to @b\n pass from not @b to @c\n",
	"pass from @c to @c\n drop from { @a, 10.0.0.32/28 }\n pass to { @b, 2001:db8::20/124 }\n",
	"drop from not { @a, @b }\n pass to @c udp\n drop inet6 to @b\n pass from @b\n",
	"pass to not @a\n drop from @b to @c\n pass from @a\n",
};

static void model_apply(struct filter *filter, int variant)
{
	char text[1024];

	/* Slots stay with names, in whatever order they stand. */
	snprintf(text, sizeof(text),
		 "set %s live size %d\nset %s live size %d\nset %s live size %d\n"
		 "ingress default drop {\n %s}\negress default pass {\n %s}\n"
		 "option essential off\n",
		 model_names[variant % 3], MODEL_SIZE, model_names[(variant + 1) % 3], MODEL_SIZE,
		 model_names[(variant + 2) % 3], MODEL_SIZE, model_rules[variant],
		 model_rules[(variant + 1) % 4]);
	filter_apply(filter, text);
}

static struct address model_address(unsigned family)
{
	struct address address = { .family = family ? FW_INET6 : FW_INET };

	if (family) {
		address.word[0] = 0x20010db8;
		address.word[3] = pick(64);
	} else {
		address.word[0] = 0x0a000000 | pick(64);
	}
	return address;
}

static struct set_element model_element(void)
{
	unsigned family = pick(2), bits = family ? 128 : 32;
	struct set_element element = { .address = model_address(family), .added = 1 };
	uint32_t now = boot_seconds(), kind = pick(8);
	struct address last;

	element.length = (uint8_t)(pick(2) ? bits : bits - pick(8));
	if (!pick(50))
		element.length = (uint8_t)pick(bits);
	prefix_bounds(&element.address, element.length, &element.address, &last);
	element.expires = kind < 3 ? 0 : kind < 5 ? now + 1 + pick(3) : kind < 6 ? now : now + 1000;
	return element;
}

static bool is_valid(const struct set_element *element, uint32_t now)
{
	return !element->expires || element->expires > now;
}

static struct set_element *model_find(struct set_elements *set, const struct set_element *element)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].length == element->length &&
		    set->items[i].address.family == element->address.family &&
		    !words_compare(set->items[i].address.word, element->address.word))
			return &set->items[i];
	return NULL;
}

/* What has expired is out of the model at once. */
static void model_expire(struct model *model, uint32_t now)
{
	for (int i = 0; i < MODEL_SETS; i++) {
		struct set_elements *set = &model->sets[i];
		size_t kept = 0;

		for (size_t j = 0; j < set->count; j++)
			if (is_valid(&set->items[j], now))
				set->items[kept++] = set->items[j];
		set->count = kept;
	}
}

static int model_add(struct set_elements *set, const struct set_element *element)
{
	struct set_element *found = model_find(set, element);

	if (found)
		*found = *element;
	else if (set->count >= MODEL_SIZE)
		return -ENOSPC;
	else
		set_elements_add(set, element);
	return 0;
}

static void model_delete(struct set_elements *set, const struct set_element *element)
{
	struct set_element *found = model_find(set, element);

	if (found)
		*found = set->items[--set->count];
}

static bool model_holds(const struct set_elements *set, const struct address *address, uint32_t now)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct set_element *element = &set->items[i];
		struct address first, last;

		if (element->address.family != address->family || !is_valid(element, now))
			continue;
		prefix_bounds(address, element->length, &first, &last);
		if (!words_compare(first.word, element->address.word))
			return true;
	}
	return false;
}

static uint64_t model_sets(struct filter *filter, const struct model *model,
			   const struct address *address, uint32_t now)
{
	uint64_t sets = 0;

	for (size_t i = 0; i < filter->ruleset->set_count; i++) {
		const struct set *set = &filter->ruleset->sets[i];

		if (model_holds(&model->sets[set->name[0] - 'a'], address, now))
			sets |= 1ULL << set->live_index;
	}
	return sets;
}

static enum fw_verdict model_judge(struct filter *filter, const struct model *model,
				   enum fw_hook hook, const struct address addresses[2])
{
	uint32_t now = boot_seconds();
	struct fw_packet packet = {
		.family = addresses[0].family,
		.protocol = IPPROTO_UDP,
		.source_port = 1,
		.destination_port = 2,
		.has = FW_HAS_PORTS | FW_HAS_MAC,
		.vlan = FW_NO_VLAN,
		.ttl = 64,
		.source_sets = model_sets(filter, model, &addresses[0], now),
		.destination_sets = model_sets(filter, model, &addresses[1], now),
	};
	struct evaluation evaluation;

	memcpy(packet.source, addresses[0].word, sizeof(packet.source));
	memcpy(packet.destination, addresses[1].word, sizeof(packet.destination));
	evaluate(filter->ruleset, hook, &packet, "", &evaluation);
	return evaluation.action == FW_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
}

/* The model takes over what is in the set: a second ended while it was being changed. */
static void model_read(struct filter *filter, struct model *model, int number)
{
	const struct live_set set = set_named(filter, model_names[number]);

	set_elements_free(&model->sets[number]);
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &model->sets[number]), 0);
	model_expire(model, boot_seconds());
}

static void step_change(struct filter *filter, struct model *model)
{
	int number = (int)pick(MODEL_SETS);
	struct set_element element = model_element();
	const struct set_elements one = { &element, 1, 1 };
	const struct live_set set = set_named(filter, model_names[number]);
	uint32_t before = boot_seconds(), kind = pick(1000);
	struct set_change change;
	int error = 0, expected = 0;

	model_expire(model, before);
	if (kind < 1) {
		assert_int_equal(dataplane_set_flush(filter->dataplane, &set), 0);
		model->sets[number].count = 0;
	} else if (kind < 600) {
		error = dataplane_set_add(filter->dataplane, &set, &one, &change);
		expected = model_add(&model->sets[number], &element);
	} else {
		error = dataplane_set_delete(filter->dataplane, &set, &one, &change);
		model_delete(&model->sets[number], &element);
	}
	if (boot_seconds() != before)
		model_read(filter, model, number);
	else
		assert_int_equal(error, expected);
}

static struct set_elements model_elements(uint32_t most)
{
	struct set_elements elements = { 0 };

	for (uint32_t i = pick(most); i; i--) {
		const struct set_element element = model_element();

		set_elements_add(&elements, &element);
	}
	set_elements_unite(&elements);
	return elements;
}

static void assert_holds_what_the_model_holds(struct filter *filter, struct model *model,
					      int number)
{
	const struct live_set set = set_named(filter, model_names[number]);
	struct set_elements *expected = &model->sets[number], elements;
	uint32_t now = boot_seconds(); /* once: the second may end on the way */

	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.count, set.count);
	model_expire(model, now);
	set_elements_sort(expected);
	for (size_t i = 0, j = 0; i < elements.count; i++) {
		if (!is_valid(&elements.items[i], now))
			continue;
		assert_true(j < expected->count);
		assert_int_equal(set_element_compare(&elements.items[i], &expected->items[j]), 0);
		assert_int_equal(elements.items[i].expires, expected->items[j++].expires);
	}
	set_elements_free(&elements);
}

/* Many at once, with a kernel that takes batches, one that does not and one that stops in them. */
static void step_many(struct filter *filter, struct model *model)
{
	int number = (int)pick(MODEL_SETS), error, expected = 0;
	const struct live_set set = set_named(filter, model_names[number]);
	struct set_elements elements = model_elements(MODEL_SIZE * 2);
	uint32_t before = boot_seconds();
	bool deletes = pick(2);
	struct set_change change;

	set_batch_fault = pick(3);
	model_expire(model, before);
	for (size_t i = 0; i < elements.count; i++) {
		if (deletes)
			model_delete(&model->sets[number], &elements.items[i]);
		else if (model_add(&model->sets[number], &elements.items[i]))
			expected = -ENOSPC;
	}
	if (deletes)
		error = dataplane_set_delete(filter->dataplane, &set, &elements, &change);
	else
		error = dataplane_set_add(filter->dataplane, &set, &elements, &change);
	assert_true(!error || error == -ENOSPC);
	assert_true(change.added + change.renewed + change.refused + change.deleted +
			    change.missing ==
		    elements.count);
	set_batch_fault = BATCH_WORKS;
	/* Where not all fit, or a second ended, it is the set that says which are in. */
	if (expected || boot_seconds() != before)
		model_read(filter, model, number);
	else
		assert_int_equal(error, 0);
	assert_holds_what_the_model_holds(filter, model, number);
	set_elements_free(&elements);
}

static void step_replace(struct filter *filter, struct model *model)
{
	int number = (int)pick(MODEL_SETS);
	const struct live_set set = set_named(filter, model_names[number]);
	struct set_elements elements = model_elements(MODEL_SIZE);
	struct set_change change;

	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, true, &change),
			 0);
	set_elements_free(&model->sets[number]);
	model->sets[number] = elements;
}

/* The programs read the clock once a tick: they may be late by so much. */
static bool second_has_just_begun(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_nsec < 50000000;
}

static void step_judge(struct filter *filter, const struct model *model)
{
	unsigned family = pick(2);
	const struct address addresses[2] = { model_address(family), model_address(family) };
	enum fw_hook hook = pick(2);
	uint32_t before = boot_seconds();
	enum fw_verdict verdict = packet_run(filter, hook, &addresses[0], &addresses[1]);
	enum fw_verdict expected = model_judge(filter, model, hook, addresses);

	if (boot_seconds() == before && !second_has_just_begun())
		assert_int_equal(verdict, expected);
}

static void a_model_agrees_after_each_of_100000_changes(void **state)
{
	struct filter *filter = *state;
	struct model model = { 0 };
	unsigned least, verdicts[2] = { 0 };
	const char *text = getenv("FWCTL_TEST_STEPS");
	int steps = text ? atoi(text) : STEPS;

	model_apply(filter, 0);
	for (int i = 0; i < MODEL_SETS; i++) {
		const struct live_set set = set_named(filter, model_names[i]);

		assert_int_equal(dataplane_set_flush(filter->dataplane, &set), 0);
	}
	for (int i = 0; i < steps; i++) {
		uint32_t kind = pick(2000);

		if (kind < 1)
			model_apply(filter, (int)pick(4));
		else if (kind < 5)
			step_replace(filter, &model);
		else if (kind < 15)
			step_many(filter, &model);
		else
			step_change(filter, &model);
		step_judge(filter, &model);
	}
	for (int i = 0; i < MODEL_SETS; i++)
		set_elements_free(&model.sets[i]);
	/* Both verdicts must have been seen often, or the rules tell nothing. */
	for (int i = 0; i < 2; i++)
		verdicts[i] = (unsigned)filter_hook(filter, i).pass.packets;
	least = (unsigned)steps / 1000;
	assert_true(verdicts[0] > least && verdicts[1] > least);
	assert_true(filter_hook(filter, FW_INGRESS).drop.packets > least);
	assert_true(filter_hook(filter, FW_EGRESS).drop.packets > least);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_agrees_after_each_of_100000_changes),
	};

	if (needs_root())
		return 77;
	return cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
