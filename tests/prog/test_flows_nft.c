// SPDX-License-Identifier: GPL-2.0-only
/* vm: no, it takes too long where the machine is emulated */
/*
 * The sequence mode of the differential test (docs/differential.md): random talks of a client and a
 * server, packet by packet through our programs and through a router with nftables and conntrack
 * that has the same rules. What nft takes each packet for is told by the mark that its rules leave.
 *
 *	test_flows_nft            FWCTL_TEST_STEPS packets, FWCTL_TEST_SEED decides them all
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conntrack.h"
#include "talk_run.h"

#define PACKETS 12000

static uint64_t random_state;

static uint32_t pick(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % bound;
}

static const char *const conntrack_names[] = { "dropped", "new", "established", "related",
					       "invalid" };
static const char *const our_names[] = { "dropped", "new", "established", "related" };

/* --- Talks -------------------------------------------------------------------------------- */

/* A random talk: what each side has said so far. Index 0 is the client. */
struct play {
	struct talk talk;
	uint32_t start[2];
	uint32_t next[2];
	uint16_t window[2];
	uint8_t scale[2];
	bool syn[2];
	bool acked[2];
	bool fin[2];
	bool last_ack[2]; /* acknowledged the other's FIN, after its own */
	bool reset;
	struct talk_frame last[2]; /* that belonged to the talk */
	bool has_last[2];
};

/* Far out of all windows: above, but for resets; docs/differential.md says why. */
#define FAR 0x20000000U

static void play_begin(struct play *play, struct filter *filter)
{
	static uint16_t port = 1024;
	static const uint8_t scales[] = { TALK_NO_SCALE, 0, 2, 7 };

	memset(play, 0, sizeof(*play));
	if (++port < 1024)
		port = 1024;
	play->talk = (struct talk){ .filter = filter,
				    .client_hook = FW_INGRESS,
				    .inet6 = pick(2),
				    .protocol = IPPROTO_TCP,
				    .port = port };
	switch (pick(8)) {
	case 0:
		play->talk.protocol = IPPROTO_UDP;
		break;
	case 1:
		play->talk.protocol = play->talk.inet6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		break;
	}
	for (int i = 0; i < 2; i++) {
		play->start[i] = play->next[i] = pick(4) ? pick(0x7fffffff) * 2 : 0U - pick(3000);
		play->window[i] = (uint16_t)(20000 + pick(40000));
		play->scale[i] = scales[pick(4)];
	}
}

/* A segment that goes on where its sender is; flags and numbers may be changed afterwards. */
static struct talk_packet segment_of(struct play *play, int who, uint8_t flags)
{
	struct talk_packet packet = talk_packet_of(&play->talk, who);

	packet.flags = flags;
	packet.sequence = play->next[who];
	packet.acknowledgement = flags & TALK_ACK ? play->next[!who] : 0;
	packet.window = play->window[who];
	packet.scale = play->scale[who];
	return packet;
}

struct choice {
	struct talk_packet packet;
	int who;
	bool belongs; /* in the talk's own order: an ICMP error may be about it */
	const char *what;
};

static void choose_handshake(struct play *play, struct choice *choice)
{
	int who = choice->who;

	if (!play->syn[0] || (who == 0 && !play->syn[1])) {
		choice->what = "SYN";
		choice->who = 0;
		choice->packet = segment_of(play, 0, TALK_SYN);
		choice->packet.sequence = play->start[0];
		play->next[0] = play->start[0] + 1;
		play->syn[0] = choice->belongs = true;
	} else if (who == 1 && (!play->acked[0] || !play->acked[1])) {
		choice->packet = segment_of(play, 1, TALK_SYN | TALK_ACK);
		choice->packet.sequence = play->start[1];
		choice->what = "SYN-ACK";
		if (pick(6) == 0 && !play->acked[1]) {
			choice->packet.acknowledgement += FAR;
			choice->what = "SYN-ACK of another SYN";
			return;
		}
		play->next[1] = play->start[1] + 1;
		play->syn[1] = play->acked[1] = choice->belongs = true;
	} else {
		choice->packet = segment_of(play, 0, TALK_ACK);
		choice->what = "ACK";
		if (pick(6) == 0) {
			choice->packet.acknowledgement += FAR;
			choice->what = "ACK of what was not sent";
			return;
		}
		play->acked[0] = choice->belongs = true;
	}
}

static void choose_data(struct play *play, struct choice *choice)
{
	uint16_t length = (uint16_t)pick(1200);

	choice->packet = segment_of(play, choice->who, TALK_ACK | TALK_PSH);
	choice->belongs = true;
	choice->what = "data";
	if (play->fin[choice->who]) {
		choice->what = "ACK";
	} else {
		choice->packet.payload = length;
		play->next[choice->who] += length;
		if (pick(6) == 0) {
			choice->what = "FIN";
			choice->packet.flags |= TALK_FIN;
			play->next[choice->who]++;
			play->fin[choice->who] = true;
		}
	}
	if (play->fin[0] && play->fin[1])
		play->last_ack[choice->who] = true;
}

/* What does not belong there. */
static void choose_strange(struct play *play, struct choice *choice)
{
	static const uint8_t insane[] = { 0, TALK_FIN, TALK_SYN | TALK_FIN, TALK_SYN | TALK_RST,
					  TALK_FIN | TALK_RST };

	choice->packet = segment_of(play, choice->who, TALK_ACK);
	/* Behind a FIN conntrack no longer asks for the number of a reset. */
	switch (pick(play->fin[0] || play->fin[1] ? 3 : 4)) {
	case 0:
		choice->what = "data beyond the window";
		choice->packet.sequence += FAR;
		choice->packet.payload = 10;
		break;
	case 1:
		choice->what = "ACK of what was not sent";
		choice->packet.acknowledgement += FAR;
		break;
	case 2:
		choice->what = "flags that do not belong together";
		choice->packet.flags = insane[pick(sizeof(insane))];
		break;
	default:
		choice->what = "reset before the window";
		choice->packet.flags = TALK_RST;
		choice->packet.sequence -= FAR;
		choice->packet.acknowledgement = 0;
	}
}

/* Instead of a SYN-ACK: the server refuses, or is still in an older connection. */
static void choose_refusal(struct play *play, struct choice *choice)
{
	choice->who = 1;
	choice->packet = segment_of(play, 1, TALK_RST | TALK_ACK);
	choice->packet.sequence = 0;
	choice->what = "refusal";
	switch (pick(3)) {
	case 0:
		choice->belongs = play->reset = true;
		break;
	case 1:
		/* conntrack drops it, but takes its numbers for the server's: no talk goes on. */
		play->reset = true;
		choice->what = "refusal of another SYN";
		choice->packet.acknowledgement += FAR;
		break;
	default:
		choice->what = "ACK of an older connection";
		choice->packet.flags = TALK_ACK;
		choice->packet.sequence = play->start[1] + FAR;
		choice->packet.acknowledgement = play->start[0] - 5000;
	}
}

/* The talk is over on both sides: again, with the same ports. */
static void choose_again(struct play *play, struct choice *choice)
{
	for (int i = 0; i < 2; i++) {
		play->start[i] = play->next[i] + 100000;
		play->next[i] = play->start[i];
		play->syn[i] = play->acked[i] = play->fin[i] = play->last_ack[i] = false;
		play->has_last[i] = false;
	}
	choice->who = 0;
	choose_handshake(play, choice);
	choice->what = "SYN of a new connection";
}

static void choose_segment(struct play *play, struct choice *choice)
{
	bool open = play->acked[0] && play->acked[1];
	bool over = play->fin[0] && play->fin[1];

	if (play->last_ack[0] && play->last_ack[1] && pick(3) == 0) {
		choose_again(play, choice);
	} else if (play->syn[0] && !play->syn[1] && pick(8) == 0) {
		choose_refusal(play, choice);
	} else if (!play->syn[0] && pick(5) == 0) {
		choice->packet = segment_of(play, choice->who, TALK_ACK);
		choice->what = "ACK without a connection";
	} else if (!open) {
		choose_handshake(play, choice);
	} else if (pick(6) == 0) {
		choose_strange(play, choice);
	} else if (!over && pick(25) == 0) {
		choice->packet = segment_of(play, choice->who, TALK_RST | TALK_ACK);
		choice->what = "reset";
		choice->belongs = play->reset = true;
	} else {
		choose_data(play, choice);
	}
}

static void choose_plain(struct play *play, struct choice *choice)
{
	choice->packet = talk_packet_of(&play->talk, choice->who);
	choice->packet.payload = (uint16_t)pick(500);
	choice->belongs = true;
	choice->what = "datagram";
	if (play->talk.protocol == IPPROTO_UDP)
		return;
	choice->what = choice->who ? "echo reply" : "echo request";
	choice->packet.id = play->talk.port;
	if (play->talk.inet6)
		choice->packet.type = choice->who ? 129 : 128;
	else
		choice->packet.type = choice->who ? 0 : 8;
	if (pick(8) == 0) {
		choice->belongs = false;
		choice->packet.id++;
		choice->what = "echo of another one";
	}
}

/* An ICMP error about the last packet of the other side, or about one that never was. */
static void choose_error(struct play *play, struct choice *choice, struct talk_frame *inner)
{
	struct talk_packet packet = talk_packet_of(&play->talk, choice->who);

	*inner = play->last[!choice->who];
	choice->what = "error about the last packet";
	if (pick(4) == 0) {
		struct talk_packet other = talk_packet_of(&play->talk, !choice->who);

		other.source_port ^= 0x4000;
		other.destination_port ^= 0x4000;
		other.protocol = IPPROTO_UDP;
		talk_build(&other, inner);
		choice->what = "error about something else";
	}
	packet.protocol = play->talk.inet6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	packet.type = play->talk.inet6 ? 1 : 3;
	packet.code = play->talk.inet6 ? 4 : 3;
	packet.inner = inner;
	choice->packet = packet;
	choice->belongs = false;
}

static void choose(struct play *play, struct choice *choice, struct talk_frame *inner)
{
	memset(choice, 0, sizeof(*choice));
	choice->who = (int)pick(2);
	if (play->has_last[!choice->who] && pick(10) == 0)
		choose_error(play, choice, inner);
	else if (play->talk.protocol == IPPROTO_TCP)
		choose_segment(play, choice);
	else
		choose_plain(play, choice);
}

/* --- Judging ------------------------------------------------------------------------------ */

/*
 * The client's packets all pass, so that what it sends is compared by what it is taken for. Until
 * the server answers, conntrack calls the client's packets new, however often they are sent; to us
 * those after the first belong to a recorded flow.
 */
static bool agree(enum taken_for ours, enum conntrack_state theirs, bool from_server)
{
	switch (theirs) {
	case CONNTRACK_DROPPED:
		return ours == DROPPED;
	case CONNTRACK_NEW:
		return !from_server && (ours == KEPT || ours == ESTABLISHED);
	case CONNTRACK_INVALID:
		return !from_server && ours == KEPT;
	case CONNTRACK_ESTABLISHED:
		return ours == ESTABLISHED;
	case CONNTRACK_RELATED:
		return ours == RELATED;
	}
	return false;
}

struct tally {
	uint32_t packets;
	uint32_t talks;
	uint32_t theirs[5];
};

static char story[8192]; /* of the talk */

static void step(struct play *play, struct tally *tally)
{
	struct talk_frame inner, frame;
	struct choice choice;
	enum taken_for ours;
	enum conntrack_state theirs;
	size_t told = strlen(story);

	choose(play, &choice, &inner);
	talk_build(&choice.packet, &frame);
	theirs = conntrack_judge(&frame, choice.who);
	ours = talk_say(&play->talk, choice.who ? 'S' : 'C', &choice.packet);
	snprintf(story + told, sizeof(story) - told,
		 "%s: %s, flags %#x seq %u ack %u payload %u: ours %s, nft %s\n",
		 choice.who ? "server" : "client", choice.what, choice.packet.flags,
		 choice.packet.sequence - play->start[choice.who],
		 choice.packet.acknowledgement - play->start[!choice.who], choice.packet.payload,
		 our_names[ours], conntrack_names[theirs]);
	if (!agree(ours, theirs, choice.who)) {
		fputs(story, stdout);
		fail_msg("they disagree on the last packet (IPv%d, protocol %u)",
			 play->talk.inet6 ? 6 : 4, play->talk.protocol);
	}
	if (choice.belongs && ours != DROPPED) {
		play->last[choice.who] = frame;
		play->has_last[choice.who] = true;
	}
	tally->packets++;
	tally->theirs[theirs]++;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void talks_are_taken_for_the_same_by_nft(void **state)
{
	uint64_t seed =
		number_of("FWCTL_TEST_SEED", (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid());
	uint64_t wanted = number_of("FWCTL_TEST_STEPS", PACKETS);
	struct tally tally = { 0 };

	print_message("seed %llu\n", (unsigned long long)seed);
	random_state = seed * 2 + 1;
	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	while (tally.packets < wanted) {
		uint32_t steps = 4 + pick(30);
		struct play play;

		story[0] = '\0';
		play_begin(&play, *state);
		for (uint32_t i = 0; i < steps && !play.reset; i++)
			step(&play, &tally);
		tally.talks++;
	}
	print_message("agreed: seed %llu, %u talks, %u packets:", (unsigned long long)seed,
		      tally.talks, tally.packets);
	for (int i = 0; i < 5; i++) {
		print_message(" %u %s", tally.theirs[i], conntrack_names[i]);
		assert_true(tally.theirs[i] > wanted / 200);
	}
	print_message("\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talks_are_taken_for_the_same_by_nft),
	};
	int skipped = needs_root();

	if (skipped)
		return skipped;
	if (system("nft --version >/dev/null 2>&1")) {
		puts("needs nft");
		return 77;
	}
	if (conntrack_start()) {
		puts("cannot set up a router with nftables and conntrack");
		return 1;
	}
	return cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
