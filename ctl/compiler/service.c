/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protocol and ports: three classes number a cell of one table, and the cell names a row, so that
 * three conditions cost the match one row. If the table would be too large, source ports lead to
 * rows of their own, in the place of the first
 * chain of small fields.
 */
#include "base/memory.h"
#include "compiler/instance.h"
#include "compiler/tree.h"

#define CELLS_MAX (1U << 18)

struct service {
	struct axis_classes protocol;
	struct axis_classes source;
	struct axis_classes destination;
	bool port_row;
};

/* Summands of a cell's number: class times `factor`, as tree entries. */
static uint32_t *summands(size_t count, uint32_t factor)
{
	uint32_t *entries = memory_new(count, sizeof(*entries));

	for (size_t i = 0; i < count; i++)
		entries[i] = FW_ENTRY_OF(i * factor);
	return entries;
}

static uint32_t write_ports(struct instance *instance, const struct axis_classes *classes,
			    uint32_t factor)
{
	uint32_t *entries = summands(classes->rows.count, factor);
	uint32_t root = tree_write(instance->writer, classes, entries, 1, NULL);

	free(entries);
	return root;
}

static void write_protocols(struct instance *instance, const struct axis_classes *classes,
			    uint32_t factor)
{
	uint32_t offset = writer_add(instance->writer, 256 * sizeof(uint32_t), FW_LINE);
	uint32_t *table = writer_at(instance->writer, offset);

	instance->out.protocols = offset;
	if (!offset)
		return;
	for (size_t i = 0; i < 256; i++)
		table[i] = FW_ENTRY_OF(classes->class_of[i] * factor);
}

/* With live sets: first what a packet in none of them needs, then the rows as they are. */
static uint32_t *write_service_rows(struct instance *instance, const struct rows *rows)
{
	struct rows in_none = { .words = rows->words, .count = rows->count };
	uint32_t *entries, *plain;

	if (!instance->in_none)
		return instance_write_rows(instance, rows);
	in_none.bits = memory_new(rows->count * rows->words, sizeof(uint64_t));
	for (size_t i = 0; i < rows->count * rows->words; i++)
		in_none.bits[i] = rows->bits[i] & instance->in_none[i % rows->words];
	entries = instance_write_rows(instance, &in_none);
	plain = instance_write_rows(instance, rows);
	instance->out.service_plain = plain[0] - entries[0];
	free(plain);
	free(in_none.bits);
	return entries;
}

static void write_unused(struct instance *instance)
{
	uint32_t *entries;

	if (!instance->in_none)
		return;
	entries = write_service_rows(instance, &instance->rows[2]);
	instance->out.service_row = entries[0];
	free(entries);
}

/* Cells are numbered (protocol, source port, destination port), the last running fastest. */
static void write_cells(struct instance *instance, const struct service *service)
{
	size_t protocols = service->protocol.rows.count;
	size_t sources = service->port_row ? 1 : service->source.rows.count;
	size_t destinations = service->destination.rows.count;
	size_t count = protocols * sources * destinations;
	uint32_t *cells = memory_new(count, sizeof(*cells)), *at = cells, *entries;
	struct rows rows;
	uint32_t offset;

	rows_init(&rows, space_words(&instance->space));
	for (size_t i = 0; i < protocols; i++)
		for (size_t j = 0; j < sources; j++)
			for (size_t k = 0; k < destinations; k++)
				*at++ = rows_intern_and(
					&rows, rows_at(&service->protocol.rows, i),
					service->port_row ? instance->full
							  : rows_at(&service->source.rows, j),
					rows_at(&service->destination.rows, k), instance->scratch);
	entries = write_service_rows(instance, &rows);
	offset = writer_add(instance->writer, count * sizeof(uint32_t), FW_LINE);
	instance->out.service = offset;
	for (size_t i = 0; offset && i < count; i++)
		((uint32_t *)writer_at(instance->writer, offset))[i] = entries[cells[i]];
	free(entries);
	free(cells);
	instance->rows[2] = rows;
}

static void write_source_ports(struct instance *instance, const struct service *service)
{
	uint32_t *entries;

	if (!service->port_row) {
		instance->out.source_port =
			write_ports(instance, &service->source, service->destination.rows.count);
		return;
	}
	instance->out.features |= FW_USES_PORT_ROW;
	instance->out.network_rows &= ~0ULL << 32;
	entries = instance_write_rows(instance, &service->source.rows);
	instance->out.source_port =
		tree_write(instance->writer, &service->source, entries, 1, NULL);
	instance->out.portless_row = entries[0];
	free(entries);
}

void instance_compile_service(struct instance *instance)
{
	const struct terms *terms = &instance->terms;
	struct service service = { 0 };
	size_t cells;

	if (!axis_is_used(terms, AXIS_PROTOCOL) && !axis_is_used(terms, AXIS_SOURCE_PORT) &&
	    !axis_is_used(terms, AXIS_DESTINATION_PORT)) {
		rows_init(&instance->rows[2], space_words(&instance->space));
		rows_intern(&instance->rows[2], instance->full, 0);
		write_unused(instance);
		return;
	}
	axis_classify_values(terms, AXIS_PROTOCOL, &instance->space,
			     (struct axis_values){ .count = 256 }, &service.protocol);
	axis_classify_ranges(terms, AXIS_SOURCE_PORT, &instance->space, &service.source);
	axis_classify_ranges(terms, AXIS_DESTINATION_PORT, &instance->space, &service.destination);
	cells = service.protocol.rows.count * service.destination.rows.count;
	service.port_row = cells * service.source.rows.count > CELLS_MAX;
	if (cells > FW_ENTRY_VALUE_MAX / sizeof(uint32_t)) {
		instance->too_large = "protocols and ports";
	} else {
		instance->out.features |= FW_USES_SERVICE;
		write_protocols(instance, &service.protocol,
				service.destination.rows.count *
					(service.port_row ? 1 : service.source.rows.count));
		write_source_ports(instance, &service);
		instance->out.destination_port = write_ports(instance, &service.destination, 1);
		write_cells(instance, &service);
	}
	axis_classes_free(&service.protocol);
	axis_classes_free(&service.source);
	axis_classes_free(&service.destination);
}
