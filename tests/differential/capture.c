/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that others have captured: kernel and reference agree on each, and whatever cannot be read
 * is dropped and counted under a reason. nft is not asked: it would be about the same headers.
 */
#include "round.h"

#include <ftw.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPTURE_RULES 24

/* What nftw(3) has to be told behind its back. */
static struct {
	struct bench *bench;
	struct spec *spec;
	struct random random;
	struct tally tally;
	uint64_t files;
	uint64_t other_link_types;
	uint64_t too_short;
	uint64_t cut; /* to FRAME_MAX */
	bool disagreed;
} run;

static bool judge_frames(const struct frame *frames, size_t count)
{
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		struct disagreement found = { .judge = JUDGE_NONE };
		struct buffer text = { 0 };

		if (!count ||
		    batch_agrees(run.bench, (enum fw_hook)hook, frames, count, &run.tally, &found))
			continue;
		run.disagreed = true;
		spec_copy(run.spec, &found.spec);
		shrink(run.bench, &found);
		disagreement_print(run.bench, &found, &text);
		fputs(buffer_text(&text), stdout);
		buffer_free(&text);
		disagreement_free(&found);
		return false;
	}
	return true;
}

static bool judge_capture(pcap_t *capture)
{
	static struct frame frames[NFT_BATCH];
	struct pcap_pkthdr *header;
	const u_char *bytes;
	size_t count = 0;

	while (pcap_next_ex(capture, &header, &bytes) == 1) {
		size_t length = header->caplen < FRAME_MAX ? header->caplen : FRAME_MAX;

		if (length < FW_ETHERNET_HEADER) {
			run.too_short++;
			continue;
		}
		run.cut += length < header->caplen;
		memcpy(frames[count].bytes, bytes, length);
		frames[count++].length = length;
		if (count < NFT_BATCH)
			continue;
		if (!judge_frames(frames, count))
			return false;
		count = 0;
	}
	return judge_frames(frames, count);
}

/* Each capture meets rules of its own. */
static bool load_rules(void)
{
	spec_free(run.spec);
	spec_generate(run.spec, &run.random, CAPTURE_RULES);
	run.spec->malformed_pass = false;
	if (!bench_load(run.bench, run.spec))
		return true;
	fprintf(stderr, "%s\n", run.bench->error);
	run.disagreed = true;
	return false;
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *capture;
	bool agreed = true;

	(void)status;
	(void)place;
	if (kind != FTW_F)
		return 0;
	capture = pcap_open_offline(path, error);
	if (!capture)
		return 0;
	if (pcap_datalink(capture) == DLT_EN10MB) {
		run.files++;
		agreed = load_rules() && judge_capture(capture);
		if (!agreed)
			printf("in %s\n", path);
	} else {
		run.other_link_types++;
	}
	pcap_close(capture);
	return agreed ? 0 : 1;
}

int captures_run(struct bench *bench, uint64_t seed, const char *directory)
{
	struct spec spec = { 0 };

	run.bench = bench;
	run.spec = &spec;
	run.random.state = seed;
	nftw(directory, visit, 16, FTW_PHYS);
	spec_free(&spec);
	printf("%s: %llu captures (%llu of other link types left out), %llu frames, %llu malformed, "
	       "%llu under 14 bytes, %llu cut to %d\n",
	       run.disagreed ? "DISAGREED" : "agreed", (unsigned long long)run.files,
	       (unsigned long long)run.other_link_types,
	       (unsigned long long)run.tally.packets / FW_HOOKS,
	       (unsigned long long)run.tally.malformed / FW_HOOKS,
	       (unsigned long long)run.too_short, (unsigned long long)run.cut, FRAME_MAX);
	return run.disagreed || !run.files ? 1 : 0;
}
