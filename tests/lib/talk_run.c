// SPDX-License-Identifier: GPL-2.0-only
#include "talk_run.h"

#include <netinet/in.h>

static const char *const labels[] = { "default", "kept", "established", "related" };

bool talk_start(struct talk *talk, struct filter *filter, int round)
{
	static uint16_t port = 1024;

	*talk = (struct talk){
		.filter = filter,
		.client_hook = round & 1 ? FW_EGRESS : FW_INGRESS,
		.inet6 = round & 2,
		.protocol = IPPROTO_TCP,
		.port = port++,
	};
	return true;
}

enum taken_for talk_run(struct filter *filter, enum fw_hook hook, const struct talk_packet *packet)
{
	struct fw_counter before[4];
	struct talk_frame made;
	struct frame frame;

	talk_build(packet, &made);
	frame = (struct frame){ made.bytes, made.length };
	for (int i = 0; i < 4; i++)
		before[i] = filter_rule(filter, hook, labels[i]);
	filter_run(filter, hook, &frame);
	for (int i = 0; i < 4; i++)
		if (filter_rule(filter, hook, labels[i]).packets == before[i].packets + 1)
			return (enum taken_for)i;
	fail_msg("no rule has counted the packet");
	return DROPPED;
}

struct talk_packet talk_packet_of(const struct talk *talk, bool from_server)
{
	struct talk_packet packet = {
		.inet6 = talk->inet6,
		.protocol = talk->protocol,
		.source = TALK_CLIENT,
		.destination = TALK_SERVER,
		.source_port = talk->port,
		.destination_port = 80,
		.scale = TALK_NO_SCALE,
		.window = 1000,
	};

	if (from_server) {
		packet.source = TALK_SERVER;
		packet.destination = TALK_CLIENT;
		packet.source_port = 80;
		packet.destination_port = talk->port;
	}
	return packet;
}

static enum fw_hook hook_of(const struct talk *talk, bool from_server)
{
	return from_server ? (enum fw_hook) !talk->client_hook : talk->client_hook;
}

enum taken_for talk_say(const struct talk *talk, char who, const struct talk_packet *packet)
{
	return talk_run(talk->filter, hook_of(talk, who == 'S'), packet);
}

enum taken_for talk_segment(const struct talk *talk, char who, uint8_t flags,
			    const uint32_t numbers[3])
{
	struct talk_packet packet = talk_packet_of(talk, who == 'S');

	packet.flags = flags;
	packet.sequence = numbers[0];
	packet.acknowledgement = numbers[1];
	packet.payload = (uint16_t)numbers[2];
	return talk_say(talk, who, &packet);
}

void talk_shake_hands(const struct talk *open)
{
	struct talk talk = *open;

	assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
	assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 101), ESTABLISHED);
	assert_int_equal(SEGMENT('C', ACK, 101, 5001), ESTABLISHED);
}

struct flow_totals talk_totals(struct filter *filter)
{
	struct flow_totals totals;

	if (dataplane_flow_totals(filter->dataplane, &totals))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return totals;
}
