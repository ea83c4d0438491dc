/* SPDX-License-Identifier: GPL-2.0-only */
/* A sketch as bytes, and ways to spoil them. */
#include "sketch.h"

#include <string.h>

static void put8(struct frame *frame, unsigned value)
{
	if (frame->length < FRAME_MAX)
		frame->bytes[frame->length++] = (uint8_t)value;
}

static void put16(struct frame *frame, unsigned value)
{
	put8(frame, value >> 8);
	put8(frame, value & 0xff);
}

static void put32(struct frame *frame, uint32_t value)
{
	put16(frame, value >> 16);
	put16(frame, value & 0xffff);
}

static void put_mac(struct frame *frame, uint64_t mac)
{
	put16(frame, (unsigned)(mac >> 32) & 0xffff);
	put32(frame, (uint32_t)mac);
}

static void put_noise(struct frame *frame, struct random *random, size_t count)
{
	while (count--)
		put8(frame, random_one_in(random, 2) ? 0 : random_below(random, 256));
}

static void store16(struct frame *frame, size_t at, size_t value)
{
	frame->bytes[at] = (uint8_t)(value >> 8);
	frame->bytes[at + 1] = (uint8_t)value;
}

static void put_tcp(const struct sketch *sketch, struct random *random, struct frame *frame)
{
	unsigned words = 5 + (random_one_in(random, 4) ? random_below(random, 4) : 0);

	put16(frame, sketch->source_port);
	put16(frame, sketch->destination_port);
	put32(frame, (uint32_t)random_next(random));
	put32(frame, (uint32_t)random_next(random));
	put8(frame, words << 4 | random_below(random, 2));
	put8(frame, sketch->tcp_flags);
	put_noise(frame, random, 6 + (words - 5) * 4);
}

static void put_udp(const struct sketch *sketch, struct frame *frame)
{
	unsigned length = 8U + sketch->payload;

	if (sketch->fragment == SKETCH_FIRST_FRAGMENT)
		length += 1000;
	put16(frame, sketch->source_port);
	put16(frame, sketch->destination_port);
	put16(frame, length);
	put16(frame, 0);
}

/* The header of the transport protocol, as far as rules look at it; behind it the payload. */
static void put_transport(const struct sketch *sketch, struct random *random, struct frame *frame)
{
	switch (sketch->protocol) {
	case 6:
		put_tcp(sketch, random, frame);
		break;
	case 17:
		put_udp(sketch, frame);
		break;
	case 33:
	case 132:
	case 136:
		put16(frame, sketch->source_port);
		put16(frame, sketch->destination_port);
		put_noise(frame, random, 8);
		break;
	case 1:
	case 58:
		put8(frame, sketch->icmp_type);
		put8(frame, sketch->icmp_code);
		put_noise(frame, random, 6);
		break;
	default:
		break;
	}
	put_noise(frame, random, sketch->payload);
}

/* What a later fragment carries looks like a transport header, so that a judge may be misled. */
static void put_content(const struct sketch *sketch, struct random *random, struct frame *frame)
{
	put_transport(sketch, random, frame);
	if (sketch->fragment == SKETCH_FIRST_FRAGMENT)
		while (frame->length % 8)
			put8(frame, 0);
}

static void put_inet(const struct sketch *sketch, struct random *random, struct frame *frame)
{
	size_t start = frame->length;
	unsigned fragment = random_one_in(random, 2) ? 0x4000 : 0;

	if (sketch->fragment == SKETCH_FIRST_FRAGMENT)
		fragment = 0x2000;
	else if (sketch->fragment == SKETCH_LATER_FRAGMENT)
		fragment = (random_one_in(random, 2) ? 0x2000U : 0) | sketch->fragment_offset;
	put8(frame, 0x45U + sketch->option_words);
	put8(frame, (unsigned)sketch->dscp << 2 | random_below(random, 4));
	put16(frame, 0);
	put16(frame, random_below(random, 65536));
	put16(frame, fragment);
	put8(frame, sketch->ttl);
	put8(frame, sketch->protocol);
	put16(frame, random_below(random, 65536));
	put32(frame, sketch->source[0]);
	put32(frame, sketch->destination[0]);
	for (unsigned i = 0; i < sketch->option_words * 4U; i++)
		put8(frame, 1);
	put_content(sketch, random, frame);
	store16(frame, start + 2, frame->length - start);
}

/* AH counts words of 4 less 2; the others words of 8 less 1. */
static void put_extension(uint8_t kind, uint8_t next, struct random *random, struct frame *frame)
{
	unsigned more = random_one_in(random, 3) ? random_below(random, 3) : 0;

	put8(frame, next);
	put8(frame, kind == 51 ? 1 + more * 2 : more);
	if (kind == 51) {
		put_noise(frame, random, 10 + more * 8);
		return;
	}
	put8(frame, 1);
	put8(frame, 4 + more * 8);
	put_noise(frame, random, 4 + more * 8);
}

static void put_fragment_header(const struct sketch *sketch, struct random *random,
				struct frame *frame)
{
	unsigned fragment = 0;

	if (sketch->fragment == SKETCH_FIRST_FRAGMENT)
		fragment = 1;
	else if (sketch->fragment == SKETCH_LATER_FRAGMENT)
		fragment = (unsigned)sketch->fragment_offset << 3 | random_below(random, 2);
	put8(frame, sketch->protocol);
	put8(frame, 0);
	put16(frame, fragment);
	put32(frame, (uint32_t)random_next(random));
}

static void put_inet6(const struct sketch *sketch, struct random *random, struct frame *frame)
{
	size_t start = frame->length;
	uint8_t last = sketch->fragment ? FW_PROTOCOL_FRAGMENT : sketch->protocol;

	put32(frame, 6U << 28 | (uint32_t)sketch->dscp << 22 | random_below(random, 1U << 22));
	put16(frame, 0);
	put8(frame, sketch->extension_count ? sketch->extensions[0] : last);
	put8(frame, sketch->ttl);
	for (int i = 0; i < 4; i++)
		put32(frame, sketch->source[i]);
	for (int i = 0; i < 4; i++)
		put32(frame, sketch->destination[i]);
	for (size_t i = 0; i < sketch->extension_count; i++)
		put_extension(sketch->extensions[i],
			      i + 1 < sketch->extension_count ? sketch->extensions[i + 1] : last,
			      random, frame);
	if (sketch->fragment)
		put_fragment_header(sketch, random, frame);
	put_content(sketch, random, frame);
	store16(frame, start + 4, frame->length - start - 40);
}

void frame_build(const struct sketch *sketch, struct random *random, struct frame *ret_frame)
{
	static const uint16_t ethertypes[FW_FAMILIES] = { [FW_INET] = 0x800, [FW_INET6] = 0x86dd };
	struct frame *frame = ret_frame;

	frame->length = 0;
	put_mac(frame, sketch->destination_mac);
	put_mac(frame, sketch->source_mac);
	for (size_t i = 0; i < sketch->tag_count; i++) {
		put16(frame, sketch->tag_types[i]);
		put16(frame, sketch->tags[i]);
	}
	put16(frame, sketch->family ? ethertypes[sketch->family] : sketch->ethertype);
	if (sketch->family == FW_INET)
		put_inet(sketch, random, frame);
	else if (sketch->family == FW_INET6)
		put_inet6(sketch, random, frame);
	else
		put_noise(frame, random, sketch->payload);
	put_noise(frame, random, sketch->padding);
}

static void mutate_once(struct random *random, struct frame *frame)
{
	size_t at = random_below(random, frame->length), count;

	/* Most of what decides stands in the first bytes. */
	if (random_one_in(random, 2) && frame->length > 60)
		at = random_below(random, 60);
	switch (random_below(random, 6)) {
	case 0:
		frame->bytes[at] ^= (uint8_t)(1U << random_below(random, 8));
		break;
	case 1:
		frame->bytes[at] = (uint8_t)random_next(random);
		break;
	case 2:
		frame->bytes[at] = random_one_in(random, 2) ? 0 : 0xff;
		break;
	case 3: /* cut */
		if (at >= FW_ETHERNET_HEADER)
			frame->length = at;
		break;
	case 4: /* take out */
		count = 1 + random_below(random, 8);
		if (at + count >= frame->length || frame->length < FW_ETHERNET_HEADER + count)
			break;
		memmove(frame->bytes + at, frame->bytes + at + count, frame->length - at - count);
		frame->length -= count;
		break;
	default: /* put in */
		count = 1 + random_below(random, 8);
		if (frame->length + count > FRAME_MAX)
			break;
		memmove(frame->bytes + at + count, frame->bytes + at, frame->length - at);
		frame->length += count;
		break;
	}
}

void frame_mutate(struct random *random, struct frame *frame)
{
	uint32_t times = 1 + random_below(random, 4);

	while (times--)
		mutate_once(random, frame);
}
