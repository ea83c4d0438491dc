/* SPDX-License-Identifier: GPL-2.0-only */
/* Groups and their hash tables as bytes of the image. */
#include <string.h>

#include "base/memory.h"
#include "compiler/place.h"
#include "fw/groups.h"
#include "fw/tree.h"

static void write_buckets(struct fw_bucket *buckets, const struct groups *groups,
			  const struct group *group, const struct fw_group *masks,
			  const uint32_t *meta)
{
	for (size_t i = 0; i < group->buckets; i++)
		for (int k = 0; k < FW_BUCKET_RECORDS; k++)
			buckets[i].meta[k] = FW_RECORD_NONE;
	for (size_t i = 0; i < group->count; i++) {
		const struct piece *piece = &groups->pieces.items[group->pieces[i]];
		struct fw_bucket *bucket = &buckets[group->place[i]];
		struct fw_group_key key;
		int slot = 0;

		while (bucket->meta[slot] != FW_RECORD_NONE)
			slot++;
		group_piece_key(piece, masks, groups->family, &key);
		bucket->addresses[slot] = key.addresses;
		bucket->ports[slot] = fw_ports_pack(piece->ports);
		bucket->meta[slot] = meta[i];
	}
}

/* Where groups go. */
struct output {
	struct writer *writer;
	uint32_t lines; /* offset of the struct fw_group */
	uint32_t first_record;
};

static void write_group(const struct groups *groups, size_t number, const struct terms *terms,
			const struct output *output)
{
	struct writer *writer = output->writer;
	const struct group *group = &groups->items[number];
	uint32_t offset = writer_add(writer, group->buckets * sizeof(struct fw_bucket), FW_LINE);
	uint32_t *meta;
	struct fw_group out;

	if (!offset)
		return;
	meta = memory_new(group->count, sizeof(*meta));
	for (size_t i = 0; i < group->count; i++) {
		const struct piece *piece = &groups->pieces.items[group->pieces[i]];

		meta[i] = output->first_record + terms->items[piece->term].rule;
		meta[i] |= (uint32_t)piece->protocol << FW_RECORD_BITS;
	}
	group_masks(&groups->pieces.bases[group->key.base], group->key.bits, groups->family, &out);
	out.seed = group->seed;
	out.best = output->first_record + terms->items[group->best].rule;
	out.line = offset / FW_LINE;
	out.shift = group_shift(group->buckets);
	write_buckets(writer_at(writer, offset), groups, group, &out, meta);
	free(meta);
	number = number / 64 * 64 + fw_bit_place(1ULL << number % 64);
	memcpy(writer_at(writer, output->lines + number * sizeof(out)), &out, sizeof(out));
}

uint32_t groups_write(const struct groups *groups, const struct terms *terms, uint32_t first_record,
		      struct writer *writer)
{
	size_t places = (groups->count + 63) / 64 * 64;
	uint32_t lines = writer_add(writer, places * sizeof(struct fw_group), FW_LINE);
	const struct output output = { writer, lines, first_record };

	for (size_t i = 0; lines && i < groups->count; i++)
		write_group(groups, i, terms, &output);
	return lines ? lines / FW_LINE - 64 : 0;
}
