// SPDX-License-Identifier: GPL-2.0-only
#include "syn.h"

#include <string.h>

void bytes_put(struct bytes *to, uint32_t value, unsigned bytes)
{
	while (bytes--)
		to->at[to->length++] = (uint8_t)(value >> 8 * bytes);
}

static void put_zeros(struct bytes *to, unsigned bytes)
{
	memset(to->at + to->length, 0, bytes);
	to->length += bytes;
}

uint32_t bytes_sum(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i < bytes; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void shape_put_ends(struct bytes *to, const struct shape *shape)
{
	const uint32_t hosts[2] = { shape->client ? shape->client : 1, 2 };

	for (int i = 0; i < 2; i++) {
		if (shape->inet6) {
			bytes_put(to, 0x20010db8, 4);
			put_zeros(to, 8);
			bytes_put(to, hosts[i], 4);
		} else {
			bytes_put(to, 0xc0000200 | hosts[i], 4);
		}
	}
}

static void put_network(struct bytes *to, const struct shape *shape, unsigned transport)
{
	unsigned extra = shape->ip_options;
	size_t start = to->length;
	uint32_t sum;

	if (shape->inet6) {
		bytes_put(to, 0x60000000, 4);
		bytes_put(to, (extra + transport) << 16 | (extra ? 60U : 6U) << 8 | 61, 4);
		shape_put_ends(to, shape);
		if (extra) {
			bytes_put(to, 6 << 24 | (extra / 8 - 1) << 16 | 1 << 8 | (extra - 4), 4);
			put_zeros(to, extra - 4);
		}
		return;
	}
	bytes_put(to, (0x45U + extra / 4) << 24 | (20 + extra + transport), 4);
	bytes_put(to, 0xabcd0000 | (shape->more_fragments ? 0x2000U : 0), 4);
	bytes_put(to, 61U << 24 | 6 << 16, 4);
	shape_put_ends(to, shape);
	memset(to->at + to->length, 1, extra);
	to->length += extra;
	sum = ~bytes_sum(to->at + start, 20 + extra, 0);
	to->at[start + 10] = (uint8_t)(sum >> 8);
	to->at[start + 11] = (uint8_t)sum;
}

struct bytes shape_frame(const struct shape *shape)
{
	unsigned header = 20 + shape->option_bytes;
	struct bytes frame = {};

	bytes_put(&frame, shape->group ? 0xffffffff : 0x02000000, 4);
	bytes_put(&frame, shape->group ? 0xffff : shape->other_mac ? 0xff : 2, 2);
	bytes_put(&frame, 0x02000000, 4);
	bytes_put(&frame, 1, 2);
	for (unsigned i = shape->tags; i; i--)
		bytes_put(&frame, (i == 1 ? 0x8100U : 0x88a8U) << 16 | (100 + i), 4);
	bytes_put(&frame, shape->inet6 ? 0x86dd : 0x0800, 2);
	put_network(&frame, shape, header + shape->behind);
	bytes_put(&frame, CLIENT_PORT << 16 | (shape->port ? shape->port : OPEN_PORT), 4);
	bytes_put(&frame, shape->sequence ? shape->sequence : SEQUENCE, 4);
	bytes_put(&frame, shape->acknowledgement, 4);
	bytes_put(&frame, header / 4 << 28 | (shape->flags ? shape->flags : SYN) << 16 | 64000, 4);
	bytes_put(&frame, 0, 4);
	if (shape->option_bytes)
		memcpy(frame.at + frame.length, shape->options, shape->option_bytes);
	frame.length += shape->option_bytes;
	memset(frame.at + frame.length, 'x', shape->behind);
	frame.length += shape->behind;
	put_zeros(&frame, shape->padding);
	return frame;
}
