/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nftables as a judge: rules loaded by nft(8) into the ingress hook of two veth devices, frames
 * sent through them, and what came out read from another pair with the mark that the rules left on
 * it.
 */
#ifndef DIFFERENTIAL_NFT_H
#define DIFFERENTIAL_NFT_H

#include "spec.h"

#define NFT_DEVICE	   "fwdout"	  /* where nft forwards decided frames to */
#define NFT_DEFAULT	   4095U	  /* bits 0-11 of the mark: the block's default decided */
#define NFT_RULE(mark)	   ((mark)&4095U) /* else the rule's index + 1 */
#define NFT_COUNTED(n)	   (1U << (12 + (n)))
#define NFT_LATER_FRAGMENT (1U << 31)

/* Adds the whole of an nft file that replaces what was loaded before. */
void nft_print(const struct spec *spec, struct buffer *buffer);

struct nft_frame {
	const void *data;
	size_t length;
};

/* Devices and sockets. The calling thread lives in a network namespace of its own from then on. */
struct nft;

int nft_open(struct nft **ret_nft);
void nft_close(struct nft **nft);

/* 0, or -errno; then what nft said is shown unless `quiet`. */
int nft_load(const struct spec *spec, bool quiet);

/* The longest batch that nft_judge() takes. */
#define NFT_BATCH 256

/*
 * Sends the frames to the hook's device and gives each one's mark; 0 for those that did not come
 * back. A number is put behind each frame, as padding, to tell them apart. Returns 0 or -errno.
 */
int nft_judge(struct nft *nft, enum fw_hook hook, const struct nft_frame *frames, size_t count,
	      uint32_t *ret_marks);

#endif
