/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fields that few rules ask for: each in use gets a table or a tree of classes, and a fold that
 * takes the rows of the fields before it in its chain and its own rows to the rows of both. The
 * last fold of a chain names rows of the image. The fields of the network packet have two chains
 * and the others two. A field joins the first that stays small with it, else the one that grows
 * least.
 */
#include <string.h>

#include "base/memory.h"
#include "compiler/instance.h"
#include "compiler/tree.h"

#define CHAINS		   2
#define FOLD_CELLS_MAX	   (1U << 22)
#define CHAIN_BYTES	   (1U << 20) /* of a chain's last fold and its rows: stays in the cache */
#define INTERFACES_LOG_MAX 7

struct chain {
	struct instance *instance;
	struct rows rows;  /* of the fields folded so far */
	uint32_t *last;	   /* the cells of the last fold: numbers of rows; */
	size_t last_count; /* they are written when the next field's size is known */
	uint32_t last_offset;
};

static size_t value_count(const struct instance *instance, enum fw_small_field field)
{
	switch (field) {
	case FW_SMALL_FRAGMENT:
		return 2;
	case FW_SMALL_STATE:
		return 8;
	case FW_SMALL_FLAGS:
	case FW_SMALL_ICMP_TYPE:
	case FW_SMALL_ICMP_CODE:
		return FW_SMALL_ABSENT + 1;
	case FW_SMALL_INTERFACE:
		return instance->input->link_count + 1;
	case FW_SMALL_VLAN:
	case FW_SMALL_ETHERTYPE:
	case FW_SMALL_LENGTH:
	case FW_SMALL_SOURCE_MAC:
	case FW_SMALL_DESTINATION_MAC:
		return 0; /* a tree */
	default:
		return 256;
	}
}

static uint32_t write_table(struct instance *instance, const struct axis_classes *classes)
{
	uint32_t offset =
		writer_add(instance->writer, classes->value_count * sizeof(uint16_t), FW_LINE);
	uint16_t *table = writer_at(instance->writer, offset);

	for (size_t i = 0; offset && i < classes->value_count; i++)
		table[i] = classes->class_of[i];
	return offset;
}

static uint32_t write_tree(struct instance *instance, enum fw_small_field field,
			   const struct axis_classes *classes)
{
	int chunks = field == FW_SMALL_LENGTH						 ? 2
		     : field == FW_SMALL_SOURCE_MAC || field == FW_SMALL_DESTINATION_MAC ? 4
											 : 1;
	uint32_t *entries = memory_new(classes->rows.count, sizeof(*entries)), root;

	for (size_t i = 0; i < classes->rows.count; i++)
		entries[i] = FW_ENTRY_OF(i);
	root = tree_write(instance->writer, classes, entries, chunks, NULL);
	free(entries);
	return root;
}

/* False if a line of the hash holds more than 8. */
static bool fill_interfaces(struct fw_interface_line *lines, unsigned log,
			    const struct compile_input *input, const uint32_t *class_of)
{
	memset(lines, 0, sizeof(*lines) << log);
	for (size_t i = 0; i < input->link_count; i++) {
		uint32_t index = input->links[i].index;
		struct fw_interface_line *line =
			&lines[(index * 0x9e3779b1U) >> 16 & ((1U << log) - 1)];
		size_t slot = 0;

		while (slot < 8 && line->interface[slot] && line->interface[slot] != index)
			slot++;
		if (slot == 8)
			return false;
		line->interface[slot] = index;
		line->class[slot] = class_of[i + 1];
	}
	return true;
}

static uint32_t write_interfaces(struct instance *instance, const struct axis_classes *classes)
{
	const struct compile_input *input = instance->input;
	struct fw_interface_line *lines = memory_new(1U << INTERFACES_LOG_MAX, sizeof(*lines));
	uint32_t offset = 0;
	unsigned log = 0;

	while (log <= INTERFACES_LOG_MAX && !fill_interfaces(lines, log, input, classes->class_of))
		log++;
	if (log > INTERFACES_LOG_MAX)
		instance->too_large = "network interfaces";
	else
		offset = writer_add(instance->writer, sizeof(*lines) << log, FW_LINE);
	if (offset)
		memcpy(writer_at(instance->writer, offset), lines, sizeof(*lines) << log);
	free(lines);
	return offset / FW_LINE << 3 | log;
}

static uint32_t write_field(struct instance *instance, enum fw_small_field field,
			    const struct axis_classes *classes)
{
	if (field == FW_SMALL_INTERFACE)
		return write_interfaces(instance, classes);
	if (!value_count(instance, field))
		return write_tree(instance, field, classes);
	return write_table(instance, classes);
}

/* Writes what the last fold leads to: its rows' numbers times `factor`, or entries of rows. */
static void chain_write_last(struct chain *chain, uint32_t factor, const uint32_t *entries)
{
	uint32_t *cells = writer_at(chain->instance->writer, chain->last_offset);

	for (size_t i = 0; chain->last_offset && i < chain->last_count; i++)
		cells[i] = entries ? entries[chain->last[i]] : chain->last[i] * factor;
}

static void chain_begin(struct chain *chain, struct instance *instance)
{
	*chain = (struct chain){ .instance = instance };
	rows_init(&chain->rows, space_words(&instance->space));
	rows_intern(&chain->rows, instance->full, 0);
}

/* The cells of a fold: for each row of the chain and of the field, the number of both in `rows`. */
static uint32_t *fold_rows(struct chain *chain, const struct rows *field, struct rows *rows)
{
	struct instance *instance = chain->instance;
	size_t count = chain->rows.count * field->count;
	uint32_t *cells = memory_new(count, sizeof(*cells));

	for (size_t i = 0; i < count; i++) {
		const uint64_t *before = rows_at(&chain->rows, i / field->count);
		const uint64_t *own = rows_at(field, i % field->count);

		for (size_t word = 0; word < rows->words; word++)
			instance->scratch[word] = before[word] & own[word] & instance->full[word];
		cells[i] = rows_intern_new(rows, instance->scratch);
	}
	return cells;
}

static void chain_fold(struct chain *chain, enum fw_small_field field,
		       const struct axis_classes *classes)
{
	struct instance *instance = chain->instance;
	size_t own = classes->rows.count, count = chain->rows.count * own;
	struct fw_step *step = &instance->out.steps[field];
	struct rows rows;
	uint32_t *cells;

	if (count > FOLD_CELLS_MAX || own > UINT16_MAX) {
		instance->too_large = "values of fields beside addresses, protocols and ports";
		return;
	}
	rows_init(&rows, space_words(&instance->space));
	cells = fold_rows(chain, &classes->rows, &rows);
	step->table = write_field(instance, field, classes);
	step->fold = writer_add(instance->writer, count * sizeof(uint32_t), FW_LINE);
	instance->out.features |= 1U << field;
	chain_write_last(chain, own, NULL);
	free(chain->last);
	rows_free(&chain->rows);
	chain->rows = rows;
	chain->last = cells;
	chain->last_count = count;
	chain->last_offset = step->fold;
}

static void chain_end(struct chain *chain)
{
	uint32_t *entries;

	if (chain->last) {
		entries = instance_write_rows(chain->instance, &chain->rows);
		chain_write_last(chain, 0, entries);
		free(entries);
	}
	free(chain->last);
	rows_free(&chain->rows);
}

struct chains {
	struct chain items[CHAINS];
	__u64 *start;
	size_t first; /* those before are taken */
	size_t end;
};

/* The number of the chain that a field with so many classes joins. */
static size_t chains_choose(struct chains *chains, struct instance *instance, size_t classes)
{
	size_t cell = sizeof(uint32_t) + space_words(&instance->space) * sizeof(uint64_t);
	size_t best = chains->first;

	for (size_t i = chains->first; i < chains->end; i++) {
		if (chains->items[i].rows.count * classes * cell <= CHAIN_BYTES)
			return i;
		if (chains->items[i].rows.count < chains->items[best].rows.count)
			best = i;
	}
	if (chains->end == CHAINS)
		return best;
	chain_begin(&chains->items[chains->end], instance);
	*chains->start &= ~(0xffffffffULL << (32 * chains->end));
	return chains->end++;
}

static void fold_axis(struct instance *instance, struct chains *chains, enum fw_small_field field)
{
	enum axis axis = AXIS_SMALL + field;
	const struct axis_values values = { instance->input->links, value_count(instance, field),
					    instance->hook };
	struct axis_classes classes;
	size_t chain;

	if (values.count)
		axis_classify_values(&instance->terms, axis, &instance->space, values, &classes);
	else
		axis_classify_ranges(&instance->terms, axis, &instance->space, &classes);
	chain = chains_choose(chains, instance, classes.rows.count);
	instance->out.chains[field] = 32 * chain;
	chain_fold(&chains->items[chain], field, &classes);
	axis_classes_free(&classes);
}

static void fold_fields(struct instance *instance, struct chains *chains, int field, int end)
{
	chains->end = chains->first;
	for (; field < end && !instance->too_large; field++)
		if (axis_is_used(&instance->terms, AXIS_SMALL + field))
			fold_axis(instance, chains, field);
	for (size_t i = chains->first; i < chains->end; i++)
		chain_end(&chains->items[i]);
}

void instance_compile_small(struct instance *instance)
{
	struct chains network = { .start = &instance->out.network_rows };
	struct chains link = { .start = &instance->out.link_rows };

	if (instance->out.features & FW_USES_PORT_ROW)
		network.first = 1;
	if (instance->out.features & FW_USES_SETS)
		link.first = 1;
	fold_fields(instance, &network, 0, FW_SMALL_VLAN);
	fold_fields(instance, &link, FW_SMALL_VLAN, FW_SMALL_FIELDS);
}
