/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The judges: each says of a frame which rule decides it and what becomes of it.
 *
 *   reference    the plain evaluator on the parsed packet
 *   classifier   the compiled image, searched in user space
 *   kernel       the program through BPF_PROG_TEST_RUN, and its counters
 *   nft          nftables, on a real frame (nft.h)
 */
#ifndef DIFFERENTIAL_JUDGE_H
#define DIFFERENTIAL_JUDGE_H

#include "compiler/compile.h"
#include "dataplane/dataplane.h"
#include "fw/packet.h"
#include "nft.h"
#include "sketch.h"

enum judge {
	JUDGE_REFERENCE,
	JUDGE_CLASSIFIER,
	JUDGE_KERNEL,
	JUDGE_NFT,
	JUDGES,
	JUDGE_NONE = JUDGES,
	JUDGE_LOAD, /* not a judge: the rules were refused by the parser, the compiler or nft */
};

extern const char *const judge_names[JUDGES];

/* No rule in particular: the default, or the reason that the frame is malformed. */
#define OPINION_DEFAULT	  (-1)
#define OPINION_MALFORMED (-2)
#define OPINION_UNKNOWN	  (-3) /* the judge tells only the verdict */

struct opinion {
	const char *silent; /* why the judge was not asked; NULL: it was */
	bool drop;
	int rule;	       /* index in the parsed block, built-in rules first, or OPINION_* */
	uint32_t counted;      /* a bit for each `count` rule of the block that was met, in order */
	enum fw_reason reason; /* FW_REASON_NO_IMAGE: no answer, which agrees with nobody */
};

struct bench {
	struct dataplane *dataplane;
	struct nft *nft;  /* NULL: not asked */
	enum judge wrong; /* this one is made wrong, to see that it is found out */
	bool loaded;
	bool quiet; /* do not show why nft refuses rules */
	/* What is loaded. */
	struct ruleset *ruleset;
	uint8_t *image; /* as large as a power of two */
	uint32_t image_mask;
	const char *names[FW_HOOKS]; /* of the interfaces that frames come by; lo without nft */
	uint32_t interfaces[FW_HOOKS];
	struct statistics *before; /* counters as they were last looked at */
	char *error;		   /* why bench_load() failed */
};

/* With nftables if `with_nft`. Moves the calling thread into a network namespace of its own. */
int bench_open(bool with_nft, struct bench *ret_bench);
void bench_close(struct bench *bench);

/*
 * Loads the rules everywhere. 0, or -errno and the reason in bench->error; -E2BIG if the compiled
 * rules are too large.
 */
int bench_load(struct bench *bench, const struct spec *spec);

/* Why nftables means something else by this frame on purpose (docs/differential.md), or NULL. */
const char *nft_difference(const struct frame *frame);

void judge_reference(struct bench *bench, enum fw_hook hook, const struct frame *frame,
		     struct opinion *ret);
void judge_classifier(struct bench *bench, enum fw_hook hook, const struct frame *frame,
		      struct opinion *ret);
void judge_kernel(struct bench *bench, enum fw_hook hook, const struct frame *frame,
		  struct opinion *ret);

/* The same, and the rule that was counted. Slow. */
void judge_kernel_counted(struct bench *bench, enum fw_hook hook, const struct frame *frame,
			  struct opinion *ret);

/* Asks nft of those frames where opinions[] of the reference let it. 0 or -errno. */
int judge_nft(struct bench *bench, enum fw_hook hook, const struct frame *frames, size_t count,
	      const struct opinion *reference, struct opinion *ret);

/* The default for the block's rules is OPINION_DEFAULT. */
bool opinions_agree(const struct opinion *reference, const struct opinion *other);
void opinion_print(const struct bench *bench, enum fw_hook hook, const struct opinion *opinion,
		   struct buffer *buffer);

/*
 * What the kernel counted since the last call against what the reference (opinions[0]) says of the
 * frames that the kernel (opinions[1]) judged. False if they differ; then what differs is added to
 * `buffer`.
 */
bool counters_agree(struct bench *bench, enum fw_hook hook, const struct frame *frames,
		    const struct opinion *const opinions[2], size_t count, struct buffer *buffer);

/* Forgets what was counted until now. */
void counters_forget(struct bench *bench);

#endif
