/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rule file as data: what the parser makes, the printer prints, the reference evaluator judges
 * by and the compiler compiles. Everything a ruleset points at lies in its arena and goes with it.
 *
 * A list of values stands here twice: as it was written (elements, with $defines, @sets and
 * locations, for printing and diagnostics) and as what it means (sorted, disjoint, merged ranges,
 * for everyone who judges packets).
 */
#ifndef FWCTL_LANGUAGE_MODEL_H
#define FWCTL_LANGUAGE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/arena.h"
#include "fw/layout.h"
#include "fw/packet.h"

/* Lines and columns count from 1, columns in bytes; `file` indexes ruleset.files. */
struct location {
	uint32_t line;
	uint32_t column;
	uint32_t length; /* of the token or construct, in bytes, for ^~~~ */
	uint16_t file;
};

/* Families that a rule can match, a bit each: 1 << enum fw_family. */
#define FAMILY_BIT(family) (1U << (family))
#define FAMILY_IP	   (FAMILY_BIT(FW_INET) | FAMILY_BIT(FW_INET6))
#define FAMILY_ANY	   (FAMILY_IP | FAMILY_BIT(FW_OTHER))

/* Inclusive, host order. */
struct range {
	uint64_t low;
	uint64_t high;
};

enum element_kind {
	ELEMENT_ANY,	 /* any */
	ELEMENT_VALUE,	 /* 22, 00:00:5e:00:53:01, S/SA (low = set, high = mask) */
	ELEMENT_RANGE,	 /* 8000-8100 */
	ELEMENT_ADDRESS, /* 192.0.2.1 */
	ELEMENT_PREFIX,	 /* 192.0.2.0/24 */
	ELEMENT_SPAN,	 /* 192.0.2.1-192.0.2.9 */
	ELEMENT_DEFINE,	 /* $web */
	ELEMENT_SET,	 /* @admins */
	ELEMENT_NAME,	 /* eth0, "wan*"; in a define any word */
	ELEMENT_STRING,	 /* in a define: "wan*" */
};

/* One value as written. */
struct element {
	enum element_kind kind;
	struct location at;
	union {
		struct range range; /* VALUE (low = high, but for flags), RANGE */
		struct {
			struct address low;
			struct address high;
			uint8_t prefix_length; /* of ADDRESS and PREFIX */
		} address;		       /* ADDRESS, PREFIX, SPAN */
		const char *name;	       /* DEFINE, SET, NAME */
	};
};

struct element_list {
	const struct element *items;
	size_t count;
	bool braces; /* was written as { ... } */
};

struct token;

/*
 * The words of a define have no meaning until it is used: they are kept as tokens, those of other
 * defines already in place. `order` counts all statements, so that they are printed in that order.
 */
struct define {
	const char *name;
	struct element_list written;
	const struct token *tokens;
	size_t token_count;
	uint32_t order;
	struct location at;
	bool used;
};

enum set_kind {
	SET_INLINE,
	SET_FILE,
	SET_LIVE,
};

/* The addresses of a static set, or the elements that a live set starts with. */
struct set {
	const char *name;
	enum set_kind kind;
	struct location at;
	struct element_list written; /* of braces; empty for a file */
	const char *path;	     /* SET_FILE: relative to the directory of the main file */
	uint16_t file;		     /* SET_FILE: index of its contents in ruleset.files */
	struct address_ranges ranges;
	uint64_t size;	       /* SET_LIVE: most elements; 0 = the default */
	const char *size_text; /* as printed: "1000", "$many"; NULL if not written */
	uint64_t timeout;      /* SET_LIVE: seconds; 0 = none */
	const char *timeout_text;
	bool counters;	     /* SET_LIVE */
	uint32_t index;	     /* among all sets, in order of definition */
	uint32_t live_index; /* SET_LIVE: bit in fw_packet.source_sets */
	uint32_t order;
	bool used;
};

/* What a `from` or `to` means: addresses in any of the ranges or sets; everything if `any`. */
struct address_list {
	bool any;
	struct address_ranges ranges; /* of the literal elements */
	const struct set **sets;
	size_t set_count;
};

enum match_kind {
	MATCH_INTERFACE,
	MATCH_FAMILY, /* inet | inet6: only printed; struct rule `families` is what it means */
	MATCH_PROTOCOL,
	MATCH_SOURCE,
	MATCH_SOURCE_PORT,
	MATCH_DESTINATION,
	MATCH_DESTINATION_PORT,
	MATCH_FLAGS,
	MATCH_ICMP_TYPE,
	MATCH_ICMP_CODE,
	MATCH_STATE,
	MATCH_FRAGMENT,
	MATCH_LENGTH,
	MATCH_TTL,
	MATCH_DSCP,
	MATCH_VLAN,
	MATCH_ETHERTYPE,
	MATCH_SOURCE_MAC,
	MATCH_DESTINATION_MAC,
	MATCH_KINDS, /* at most 32: the parser has a bit for each */
};

_Static_assert(MATCH_KINDS <= 32, "a bit for each");

/* One condition of a rule. At most one of each kind stands in a rule. */
struct match {
	enum match_kind kind;
	bool negated;
	struct location at;
	struct element_list written;
	union {
		struct address_list addresses; /* SOURCE, DESTINATION */
		struct {
			const struct range *items; /* sorted, disjoint, merged */
			size_t count;
		} ranges; /* PROTOCOL, ports, ICMP_*, LENGTH, TTL, DSCP, VLAN, ETHERTYPE, MACs */
		struct {
			const char **patterns; /* glob patterns, fnmatch(3) */
			size_t count;
		} names; /* INTERFACE */
		struct {
			uint8_t set;
			uint8_t mask;
		} flags;	/* FLAGS: (tcp_flags & mask) == set */
		uint8_t states; /* STATE: FW_STATE_* */
		enum fw_family family;
	};
};

enum limit_unit {
	LIMIT_PACKETS,
	LIMIT_BITS,
};

enum limit_per {
	LIMIT_ALL,
	LIMIT_SOURCE,
	LIMIT_DESTINATION,
};

struct limit {
	enum limit_unit unit;
	uint64_t rate;	  /* units per interval */
	uint32_t seconds; /* the interval: 1, 60 or 3600 */
	uint64_t burst;	  /* in units; 0 = not written */
	enum limit_per per;
	const char *rate_text;	/* as printed: "10/s", "5 mbit/s", "$rate" */
	const char *burst_text; /* as printed; NULL if not written */
	struct location at;
};

/* The burst in units, whether it was written or not (docs/limits.md). */
uint64_t limit_burst(const struct limit *limit);

#define LIMIT_BURST_SECONDS (30 * 86400) /* the longest that a burst may take to come back */

struct rule {
	enum fw_action action;
	uint8_t families; /* FAMILY_*: what the rule can match, all of its matches considered */
	bool builtin;
	bool keep_state;
	bool syncookie;
	bool log;
	uint32_t log_sample; /* 1 of so many; 1 = each */
	const struct match *matches;
	size_t match_count;
	const struct limit *limit; /* or NULL */
	const char *label;	   /* or NULL */
	const char *text;	   /* canonical, without indentation */
	struct location at;
};

/* A rule's identity, which its counters follow: the label, else the canonical text. */
static inline const char *rule_identity(const struct rule *rule)
{
	return rule->label ? rule->label : rule->text;
}

struct block {
	bool present; /* a hook without a block passes everything and is not attached */
	enum fw_action default_action;
	struct rule *rules; /* built-in rules first */
	size_t count;
	size_t builtin_count;
	struct location at;
};

enum attach_mode {
	ATTACH_AUTO, /* native, else generic */
	ATTACH_NATIVE,
	ATTACH_GENERIC,
};

struct interface {
	const char *pattern; /* a name, or a glob pattern if written in quotes */
	bool is_pattern;
	enum attach_mode mode;
	const char *define; /* the $name that it came from, or NULL */
	uint32_t order;	    /* the same for all of one statement */
	struct location at;
};

/* `option NAME VALUE` as written, for printing; what it means stands in struct options. */
struct option {
	const char *name;
	const char *value; /* canonical text of all values */
	uint32_t order;
	struct location at;
};

enum timeout_kind {
	TIMEOUT_TCP_OPENING,
	TIMEOUT_TCP_ESTABLISHED,
	TIMEOUT_TCP_CLOSING,
	TIMEOUT_TCP_CLOSED,
	TIMEOUT_UDP_UNREPLIED,
	TIMEOUT_UDP_REPLIED,
	TIMEOUT_ICMP_UNREPLIED,
	TIMEOUT_ICMP_REPLIED,
	TIMEOUT_OTHER_UNREPLIED,
	TIMEOUT_OTHER_REPLIED,
	TIMEOUT_KINDS,
};

struct options {
	bool fail_drop;	     /* fail-policy drop */
	bool essential;	     /* default true */
	bool malformed_pass; /* malformed pass */
	const char *ban_set; /* or NULL */
	bool pickup;
	bool recheck_flows;
	uint64_t flows;			  /* size of the flow table; 0 = the default */
	uint64_t reject_rate;		  /* answers a second; default 100 */
	uint64_t syncookie_after;	  /* SYNs a second; default 1000 */
	uint64_t timeouts[TIMEOUT_KINDS]; /* seconds; 0 = the default */
};

/* The path of rules that were read back from the kernel, as printed: nobody sees their lines. */
#define RUNNING_RULES "running rules"

struct source_file {
	const char *path; /* as shown in diagnostics */
	const char *text;
	size_t length;
};

struct ruleset {
	struct arena *arena;
	struct source_file *files;
	size_t file_count;
	struct interface *interfaces;
	size_t interface_count;
	struct option *option_lines;
	size_t option_count;
	struct options options;
	struct define *defines;
	size_t define_count;
	struct set *sets;
	size_t set_count;
	struct block blocks[FW_HOOKS];
};

/* Frees the ruleset and all it holds, and sets the pointer to NULL. NULL is fine. */
void ruleset_free(struct ruleset **ruleset);

const struct match *rule_find_match(const struct rule *rule, enum match_kind kind);

#endif
