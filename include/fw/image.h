/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image: one generation of both hooks' rules as a flat block of bytes. It has no pointers:
 * everything is found by byte offsets or by line numbers (64 bytes) from its start, and everyone
 * who reads it masks each offset by the size class, so that even a broken image cannot make a
 * reader leave it. Words are in host order: an image never leaves the machine that built it.
 *
 *	header | bit numbers | 8 instances (hook x family) | options | limits | records | rows |
 *	trees and tables | scratch rows
 *
 * One instance answers for one hook and one family. It has a bit for each term (a rule, or one
 * alternative of a rule whose address list mixes static and live elements), in rule order, and
 * leads every field of a packet to a row: the bits of the terms that accept the field's value. What
 * is left when all rows are ANDed are the terms that match; the first bit wins.
 */
#ifndef FW_IMAGE_H
#define FW_IMAGE_H

#include <linux/types.h>

#include "fw/layout.h"

#define FW_IMAGE_MAGIC	0x31676d49u /* "Img1" */
#define FW_IMAGE_LAYOUT 7	    /* of everything in this file */
#define FW_LINE		64

/* What the packets of a hook need besides the parsed packet (header `features`). */
#define FW_NEEDS_STATE		  (1U << 0) /* packet.state: `state` is matched */
#define FW_NEEDS_SOURCE_SETS	  (1U << 1) /* packet.source_sets: live sets in `from` */
#define FW_NEEDS_DESTINATION_SETS (1U << 2)
#define FW_NEEDS_LIMITS		  (1U << 3) /* some record has FW_RECORD_LIMIT, ... */
#define FW_NEEDS_LOG		  (1U << 4)
#define FW_NEEDS_KEEP_STATE	  (1U << 5)
#define FW_NEEDS_SYNCOOKIE	  (1U << 6)
#define FW_NEEDS_REJECT		  (1U << 7)
#define FW_HAS_COUNT_RULES	  (1U << 8)  /* counted_count can be above 0 */
#define FW_HAS_RULES		  (1U << 9)  /* the file has a block for this hook */
#define FW_MALFORMED_PASS	  (1U << 10) /* option malformed pass */
#define FW_USES_MAC		  (1U << 11) /* smac or dmac is matched */
#define FW_COUNTED_LIMITS	  (1U << 12) /* rules that go on have limits */

struct fw_image_header {
	__u32 magic;
	__u32 layout;
	__u32 generation;
	__u32 size; /* bytes in use */
	__u32 features[FW_HOOKS];
	__u32 record_count;
	__u32 records;		      /* offset of struct fw_record[record_count] */
	__u32 first_record[FW_HOOKS]; /* number of the record of the hook's first rule */
	__u32 default_record[FW_HOOKS];
	__u32 zeros[4]; /* struct fw_view says what for */
	__u32 options;	/* offset of struct fw_state_options */
	__u32 limits;	/* number of the line of limit 1 (struct fw_limit), less 1 */
	/* A row that each CPU writes for the packet it has at hand (struct fw_set_rows): where the
	 * first CPU's is, and how many bytes each has. 0: there is none. */
	__u32 scratch;
	__u32 scratch_size;
	__u32 pad[12];
};

/* How long a kind of flow is kept, in the order of the language's `timeout`. */
enum fw_timeout {
	FW_TIMEOUT_TCP_OPENING,
	FW_TIMEOUT_TCP_ESTABLISHED,
	FW_TIMEOUT_TCP_CLOSING,
	FW_TIMEOUT_TCP_CLOSED,
	FW_TIMEOUT_UDP_UNREPLIED,
	FW_TIMEOUT_UDP_REPLIED,
	FW_TIMEOUT_ICMP_UNREPLIED,
	FW_TIMEOUT_ICMP_REPLIED,
	FW_TIMEOUT_OTHER_UNREPLIED,
	FW_TIMEOUT_OTHER_REPLIED,
	FW_TIMEOUTS,
};

#define FW_OPTION_PICKUP (1U << 0) /* TCP flows are recorded from any segment on */

/* Options that the programs ask for. They are part of the image, so they switch with the rules. */
struct fw_state_options {
	__u32 timeouts[FW_TIMEOUTS]; /* seconds */
	__u32 flags;		     /* FW_OPTION_* */
	__u32 reject_rate;	     /* answers a second */
	__u32 flows;		     /* room for so many, if the rules use state */
	__u32 syncookie_after;	     /* SYNs a second that rules with `syncookie` pass */
	__u32 pad[2];
};

/* What the program does with a packet that a rule decides. */
#define FW_RECORD_LIMIT	     (1U << 0)
#define FW_RECORD_LOG	     (1U << 1)
#define FW_RECORD_KEEP_STATE (1U << 2)
#define FW_RECORD_SYNCOOKIE  (1U << 3)
#define FW_RECORD_REJECT     (1U << 4)

struct fw_record {
	__u32 counter; /* index in the counter image */
	__u8 action;   /* enum fw_action */
	__u8 flags;    /* FW_RECORD_*; 0: verdict and counter are all */
	__u16 limit;   /* number of its limit; 0: none */
};

enum fw_limit_unit {
	FW_LIMIT_PACKETS,
	FW_LIMIT_BITS,
};

enum fw_limit_per {
	FW_LIMIT_PER_RULE,
	FW_LIMIT_PER_SOURCE,
	FW_LIMIT_PER_DESTINATION,
};

/* The limit of a rule (fw/limit.h). Ticks are 1/16 ns. */
struct fw_limit {
	__u64 cost;	 /* of a unit, in ticks << shift */
	__u64 tolerance; /* of a burst, in ticks */
	__u64 most;	 /* units that one packet may have: a burst, less where it would overflow */
	__u64 rule;	 /* hash of hook, action and identity: apart from other rules' addresses */
	__u32 counter;	 /* index of what is over the limit */
	__u32 bucket;	 /* line of FW_LIMITS_RULES */
	__u8 shift;
	__u8 unit;	/* enum fw_limit_unit */
	__u8 per;	/* enum fw_limit_per */
	__u8 is_coarse; /* jiffies will do for a clock */
	__u8 pad[20];
};

/*
 * Trees lead a number of 16 to 128 bits, 16 bits (a chunk) at a time, to a value. An entry is a
 * kind in its low 3 bits and above them a value, or the offset of a line.
 */
enum fw_entry_kind {
	FW_ENTRY_VALUE,	 /* the search ends */
	FW_ENTRY_LINE,	 /* struct fw_tree_line */
	FW_ENTRY_INNER2, /* a fw_tree_inner and, after it, up to 25 fw_tree_lines */
	FW_ENTRY_INNER3, /* a fw_tree_inner and, after it, up to 25 blocks of the kind before */
	FW_ENTRY_DIRECT, /* __u32 entries[65536] */
	FW_ENTRY_SKIP,	 /* struct fw_tree_skip */
	FW_ENTRY_BYTES,	 /* __u32 entries[256], by the chunk's high byte */
	FW_ENTRY_BYTE,	 /* only in those: __u32 entries[256], by the low byte */
};

/*
 * Beside the kind, of a node whose runs have two entries in turn, as those of one list: its lines
 * are fw_tree_pairs, and FW_ENTRY_DIRECT is a fw_tree_bits.
 */
#define FW_ENTRY_PAIRS 8U

/*
 * Trees of IPv4 addresses that are not large have tables only: one of 65,536 entries by the upper
 * half of the address, and below it tables of 256. FW_ENTRY_TABLE is in an entry that leads to one;
 * all others are rows, each of which begins with its own entry: a search that looks there once more
 * stays. So it has no branch, and chooses nothing. As the sign, it is a mask by one shift.
 */
#define FW_ENTRY_TABLE (1U << 31 | 1U)

#define FW_ENTRY_BITS		  3
#define FW_ENTRY_KIND(entry)	  ((entry)&7)
#define FW_ENTRY_VALUE_OF(entry)  ((entry) >> FW_ENTRY_BITS)
#define FW_ENTRY_OF(value)	  ((__u32)(value) << FW_ENTRY_BITS | FW_ENTRY_VALUE)
#define FW_ENTRY_AT(kind, offset) ((__u32)(offset) | (__u32)(kind)) /* of a multiple of 64 */
#define FW_ENTRY_VALUE_MAX	  ((1U << 29) - 1)
#define FW_TREE_LINE_KEYS	  9
#define FW_TREE_INNER_KEYS	  24
#define FW_TREE_INNER2_LINES	  (2 + FW_TREE_INNER_KEYS)

/*
 * Key n stands in word n / 3 at bit 21 * (n % 3). entries[n] is for chunks from key n - 1 on and
 * below key n. A line that is not full is padded with copies of its last key and entry: all ones
 * would be reached by the chunk 0xffff.
 */
struct fw_tree_line {
	__u64 keys[FW_TREE_LINE_KEYS / 3];
	__u32 entries[FW_TREE_LINE_KEYS + 1];
};

#define FW_TREE_PAIRS_KEYS 21

/* entries[0] is for chunks below key 0, entries[1] from there on and below key 1, and so on. */
struct fw_tree_pairs {
	__u64 keys[FW_TREE_PAIRS_KEYS / 3]; /* as above; padded with keys that no chunk reaches */
	__u32 entries[2];
};

/* A bit for each chunk says which entry is its. */
struct fw_tree_bits {
	__u32 entries[2];
	__u32 pad[14];
	__u32 bits[65536 / 32];
};

/* Child n is for chunks from key n - 1 on; padded with keys that no chunk reaches. */
struct fw_tree_inner {
	__u64 keys[FW_TREE_INNER_KEYS / 3];
};

#define FW_TREE_KEY_NONE 0x10000 /* above all chunks */

/* Goes on with `match` behind the next 64 - `shift` bits if they equal those of `key`. */
struct fw_tree_skip {
	__u64 key; /* in the most significant bits; the rest 0 */
	__u32 shift;
	__u32 match; /* entries */
	__u32 miss;
	__u32 pad[11];
};

/*
 * The bits that all intervals of an IPv6 tree have in common, up to 3 chunks. They are compared
 * beside the search, which begins behind them: a skip at the root would be waited for.
 */
struct fw_tree_prefix {
	__u64 key;
	__u64 mask;
	__u32 bits; /* 0: none */
	__u32 miss; /* entry */
};

/*
 * Fields that few rules ask for. Those in use are folded one by one, in this order, into running
 * classes: a chain of folds leads to one row. There are two chains for the fields of the network
 * packet and two for the rest; fields that have many classes each are dealt out to both, as one
 * chain would need their product.
 */
enum fw_small_field {
	FW_SMALL_FRAGMENT,
	FW_SMALL_STATE,
	FW_SMALL_FLAGS,
	FW_SMALL_ICMP_TYPE,
	FW_SMALL_ICMP_CODE,
	FW_SMALL_TTL,
	FW_SMALL_DSCP,	 /* up to here: a table of 16-bit classes */
	FW_SMALL_LENGTH, /* from here: a tree */
	FW_SMALL_VLAN,
	FW_SMALL_ETHERTYPE,
	FW_SMALL_SOURCE_MAC,
	FW_SMALL_DESTINATION_MAC,
	FW_SMALL_INTERFACE, /* a hash of struct fw_interface_line */
	FW_SMALL_FIELDS,
};

#define FW_SMALL_ABSENT 256	     /* the value of FLAGS and ICMP_* if the packet has none */
#define FW_VALUE_ABSENT (1ULL << 48) /* the value of *_MAC likewise */

/*
 * One fold: class = table(value), running = u32 at fold + 4 * (running + class). The running
 * class comes multiplied by the number of classes of the chain's next field; the last one is an
 * entry whose value is a row.
 */
struct fw_step {
	__u32 table; /* offset, tree entry or (interface) line number */
	__u32 fold;  /* offset */
};

struct fw_interface_line {
	__u32 interface[8];
	__u32 class[8];
};

/*
 * Live sets have a row of their own, instead of the first of the two that other fields than those
 * of the network packet lead to. A packet in one set has a row ready; one in several has it made in
 * the scratch row of its CPU: of each side (source, destination) the bits that any of its sets
 * turns are turned, and both sides are ANDed. For a packet in none, what that leaves has been ANDed
 * into the rows of service, so that sets that are empty cost nothing; behind those (by
 * service_plain) stand the rows as they are, for all others.
 */
struct fw_set_rows {
	__u32 only[2][FW_MAX_LIVE_SETS];   /* by side and set: the row, XORed with the full row */
	__u32 turned[2][FW_MAX_LIVE_SETS]; /* the bits that the set turns on its side: a row */
	__u32 none[2];			   /* of a side: the row of a packet in no set */
	__u32 pad[14];
};

/*
 * Rows are named by their offset, and begin with it: struct fw_row_head. Where bits are terms and
 * a row has up to FW_EXACT_WORDS words, behind it are [words][counted words], and it begins at a
 * multiple of FW_EXACT_SIZE, so that the words are looked at one by one. Else there are
 * [summary][words][counted words]: summary bit n is set if word n is not 0. Such rows begin there
 * too, as the first FW_GROUP_WORDS are looked at side by side.
 */
struct fw_row_head {
	__u32 entry; /* the row's own */
	__u32 pad;
};

#define FW_USES_SERVICE	 (1U << 31) /* protocol or ports are matched */
#define FW_USES_PORT_ROW (1U << 30) /* source ports lead to the first network row, not to cells */
#define FW_USES_NETWORK	 ((1U << FW_SMALL_VLAN) - 1) /* small fields of the network packet */
#define FW_USES_SMALL	 ((1U << FW_SMALL_FIELDS) - 1)
#define FW_USES_SETS	 (1U << FW_SMALL_FIELDS)	    /* live sets */
#define FW_USES_LINK	 (FW_USES_SMALL & ~FW_USES_NETWORK) /* the other small fields */
#define FW_USES_MORE	 (FW_USES_SMALL | FW_USES_SETS | FW_USES_PORT_ROW) /* 4 rows more */

#define FW_MAX_WORDS	     64 /* of a row: one summary word covers them */
#define FW_MAX_COUNTED_WORDS 4
#define FW_EXACT_WORDS	     15
#define FW_GROUP_WORDS	     14 /* as many, with a summary before them */
#define FW_EXACT_SIZE	     (sizeof(struct fw_row_head) + 8 * FW_EXACT_WORDS)

#define FW_TABLES_SOURCE      (1U << 0)
#define FW_TABLES_DESTINATION (1U << 1)

struct fw_instance {
	__u32 features; /* 1 << enum fw_small_field, FW_USES_* */
	__u32 words;
	__u32 counted_words;
	__u32 terms;	     /* offset of __u32[words * 64]: records, by fw_bit_place() */
	__u32 counted_terms; /* likewise */
	__u32 default_record;
	/* The line of the first fw_group, less 64, as words are numbered from 1; by fw_bit_place().
	 * 0: bits are terms. */
	__u32 groups;
	__u32 wide; /* 0 for inet; 1: addresses have 128 bits, of which groups compare 32 folded */
	__u32 source; /* tree entries; values are rows */
	__u32 destination;
	__u32 source_port; /* tree entries; values are summands of a cell's number (or rows) */
	__u32 destination_port;
	__u32 protocols;     /* offset of __u32[256]: likewise summands */
	__u32 service;	     /* offset of __u32 cells: entries whose values are rows */
	__u32 summary;	     /* words in front of a row's words: 0 or 1 */
	__u32 portless_row;  /* FW_USES_PORT_ROW: an entry, the row of a packet without ports */
	__u32 full_row;	     /* an entry: all bits there are */
	__u32 service_row;   /* an entry: the row of service if it is not used */
	__u32 service_plain; /* FW_USES_SETS */
	__u32 set_rows;	     /* offset of struct fw_set_rows; FW_USES_SETS */
	__u32 tables;	     /* FW_TABLES_*: trees of tables only */
	__u32 is_empty;	     /* no rule can match: the default decides */
	__u64 sets[2];	     /* live sets that rules name, in `from` and in `to` */
	/* What the two chains start with, the first in the low half: 0, or the full row's entry
	 * if it is not used. */
	__u64 network_rows;
	__u64 link_rows;
	__u8 chains[16]; /* by enum fw_small_field: where in the word its chain is, 0 or 32 */
	struct fw_step steps[FW_SMALL_FIELDS];
	struct fw_tree_prefix prefixes[2]; /* of source and destination */
};

/*
 * With many rules, bits are groups: rules with the same prefix lengths, the same kind of condition
 * on protocol and ports, and the same conditions on everything else. What a group's rules share is
 * in the rows; the rest is a record in the group's hash table, which a candidate probes once.
 * Groups are in the order of their best record, so that the search stops when none can be better.
 */
struct fw_group {
	__u64 masks[4];	    /* inet: source and destination; inet6: high, low of both */
	__u64 service_mask; /* of what is exact in struct fw_probe `service` */
	__u64 seed;
	__u32 best;  /* lowest record number */
	__u32 line;  /* number of the hash table's first line */
	__u32 shift; /* 63 less log2 of the buckets */
	__u32 pad;
};

/* Rounds that a search may take: one for each word of a row and each candidate that is left. The
 * compiler refuses rules that could need more. */
#define FW_SEARCH_ROUNDS 40

#define FW_RECORD_BITS 24
#define FW_RECORD_NONE ((1U << FW_RECORD_BITS) - 1)

/* Records as columns. ports: lowest and highest source port, lowest and highest destination port,
 * 16 bits each.
 * meta: record number, above it the protocol if it is exact. Free: FW_RECORD_NONE. */
struct fw_bucket {
	__u64 addresses[3]; /* source << 32 | destination: masked, of IPv6 folded */
	__u64 ports[3];
	__u32 meta[3];
	__u32 pad;
};

#define FW_BUCKET_RECORDS 3

#define FW_INSTANCE_SIZE 512
#define FW_BIT_NUMBERS	 128 /* offset of __u8[64]: by fw_bit_place() */
#define FW_DE_BRUIJN	 0x03f79d71b4cb0a89ULL
#define FW_INSTANCES	 512 /* offset of instance hook * 4 + family */
#define FW_IMAGE_FIXED	 (FW_INSTANCES + 8 * FW_INSTANCE_SIZE)

_Static_assert(sizeof(struct fw_image_header) == FW_BIT_NUMBERS, "bit numbers follow the header");
_Static_assert(sizeof(struct fw_state_options) == FW_LINE, "one line");
_Static_assert(sizeof(struct fw_limit) == FW_LINE, "one line");
_Static_assert(sizeof(struct fw_record) == 8, "records are read as one word");
_Static_assert(FW_EXACT_SIZE == 2 * FW_LINE, "whole lines, and a power of two");
_Static_assert(sizeof(struct fw_tree_line) == FW_LINE, "one line");
_Static_assert(sizeof(struct fw_tree_pairs) == FW_LINE, "one line");
_Static_assert(sizeof(struct fw_tree_skip) == FW_LINE, "one line");
_Static_assert(sizeof(struct fw_interface_line) == FW_LINE, "one line");
_Static_assert(sizeof(struct fw_group) == FW_LINE, "one line");
_Static_assert(sizeof(struct fw_bucket) == FW_LINE, "one line");
_Static_assert(FW_SMALL_FIELDS <= 16, "each field has a chain");
_Static_assert(sizeof(struct fw_set_rows) % FW_LINE == 0, "whole lines");
_Static_assert(sizeof(struct fw_instance) <= FW_INSTANCE_SIZE, "instances have fixed places");

#endif
