/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the firewall that lives in the kernel, seen from fwctl: pins, attached programs,
 * generations and counters. This header is all that the commands know of it.
 *
 * Every function returns 0 or -errno. What failed, in the user's terms and in one line, is told by
 * dataplane_error(); nothing is printed here but with -v.
 *
 * To apply a ruleset:
 *   dataplane_open() with `change`, dataplane_plan(), compile() with the plan's counter indexes,
 *   dataplane_switch(), then dataplane_attach() for each interface and hook.
 */
#ifndef FWCTL_DATAPLANE_DATAPLANE_H
#define FWCTL_DATAPLANE_DATAPLANE_H

#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fw/cookie.h"
#include "fw/layout.h"
#include "fw/reason.h"
#include "fw/ticket.h"
#include "language/model.h"

#define DATAPLANE_PIN_DIR "/sys/fs/bpf/fwctl"

struct dataplane;

struct dataplane_options {
	const char *pin_dir;   /* NULL: DATAPLANE_PIN_DIR */
	bool change;	       /* take the lock, make what is missing, clean up after a crash */
	bool running;	       /* there must be rules: -ENOENT, and nothing is made */
	unsigned wait_seconds; /* for the lock */
};

/*
 * Without `change`, which implies `running`: -ENOENT if nothing is there to read (ret_error says so
 * too). With it, the pins are made once dataplane_plan() needs them, and the lock is held until
 * dataplane_close(). On failure *ret_error is the line for the user, owned by the caller.
 */
int dataplane_open(const struct dataplane_options *options, struct dataplane **ret_dataplane,
		   char **ret_error);

/*
 * A data plane of its own that is pinned nowhere, takes no lock and is attached to nothing: for
 * dataplane_test_run(), dataplane_plan(), dataplane_switch() and counters. It goes with
 * dataplane_close(). `largest_image` bounds the images that will be put into it, in bytes.
 */
int dataplane_open_private(size_t largest_image, struct dataplane **ret_dataplane,
			   char **ret_error);

/* NULL is fine; sets the pointer to NULL. */
void dataplane_close(struct dataplane **dataplane);

/* The line that says why the last call failed. Never NULL; valid until the next call. */
const char *dataplane_error(const struct dataplane *dataplane);

/* --- Generations -------------------------------------------------------------------------- */

/* A file whose contents the rules were made from, kept so that `add` and `save` need no original.
 */
struct generation_file {
	const char *path; /* as written in the rules */
	const char *text;
	size_t length;
};

/* Where rules came from. */
struct origin {
	const char *source; /* the rule file's absolute name, or what else the caller said */
	uint64_t digest;    /* of that file's text when last applied or saved; 0: not known */
	uint32_t changes;   /* made since by `add` and `delete` */
};

/* What fwctl keeps of a generation. Owned by the caller; all it points at goes with it. */
struct generation {
	uint32_t number; /* from 1 */
	int64_t applied; /* seconds since 1970 */
	bool fail_drop;
	uint64_t image_size; /* bytes of tables in use */
	struct origin origin;
	const char *text; /* canonical rules; ends with a NUL that does not count */
	size_t length;
	const char *links; /* interfaces that it was compiled for: see wanted_links_print() */
	const struct generation_file *files;
	size_t file_count;
	const void *manifest; /* private */
};

/* The running generation; -ENOENT if there is none. */
int dataplane_read_generation(struct dataplane *dataplane, struct generation **ret_generation);
void generation_free(struct generation **generation);

/*
 * Notes that the running rules stand in the file that they came from, which has this digest now.
 * Wants the lock (`change`).
 */
int dataplane_mark_saved(struct dataplane *dataplane, uint64_t digest);

/*
 * Which counter each rule gets: a rule that runs already, or did a while ago, keeps its own. Valid
 * for the next dataplane_switch() only. `ruleset` need not outlive the call.
 */
struct plan {
	uint32_t *counters[FW_HOOKS]; /* for struct compile_input; [count] is the default's */
	struct fw_limit_place *limits[FW_HOOKS]; /* likewise, of rules with a limit */
	void *registry;				 /* private */
};

int dataplane_plan(struct dataplane *dataplane, const struct ruleset *ruleset,
		   struct plan **ret_plan);
void plan_free(struct plan **plan);

struct switch_input {
	const struct plan *plan;
	const void *image; /* from compile() */
	size_t image_size;
	bool fail_drop; /* options.fail_drop */
	struct origin origin;
	const char *text;
	size_t length;
	const char *links; /* as in struct generation; NULL: not known */
	const struct generation_file *files;
	size_t file_count;
};

/*
 * Makes the image the running one, for all hooks and interfaces at one instant. Returns when no
 * packet is judged by the old one any more. On failure the old one runs on.
 */
int dataplane_switch(struct dataplane *dataplane, const struct switch_input *input,
		     uint32_t *ret_number);

/* --- Interfaces --------------------------------------------------------------------------- */

/* A network interface of the namespace that fwctl runs in. */
struct link_info {
	char name[IF_NAMESIZE];
	uint32_t index;
	uint16_t type; /* ARPHRD_* */
	uint64_t mac;  /* the first byte is the highest of six; 0: none */
	bool up;
	bool is_veth; /* or a part of it is */
	/*
	 * Natively XDP on a bond runs on its parts, and on a network card that the kernel has put
	 * over a faster one on that one.
	 */
	bool spreads;
	bool has_parts; /* it spreads, and has some now */
	uint32_t whole; /* what it is a part of and that spreads, or 0 */
};

/* Sorted by index. *ret_links is owned by the caller (free()). */
int links_read(struct link_info **ret_links, size_t *ret_count);

/* False: its frames are of a kind that our programs do not know. */
bool link_is_supported(const struct link_info *link);

/*
 * Hears of interfaces that come, go or change. `signals` is the mask while link_watch_wait()
 * waits, so that a signal that is blocked otherwise ends the wait.
 */
struct link_watch;

int link_watch_open(const sigset_t *signals, struct link_watch **ret_watch);
void link_watch_close(struct link_watch **watch);

/* 0: something changed, and has settled; -ETIMEDOUT; -EINTR. Below 0 milliseconds: for ever. */
int link_watch_wait(struct link_watch *watch, int milliseconds);

/* A program of ours on an interface. */
struct attachment {
	struct link_info link;
	enum fw_hook hook;
	const char *mode;    /* "native" | "generic" | "offload" | "tcx" | "clsact" */
	bool alone;	     /* XDP without libxdp's dispatcher: no other XDP program fits beside */
	bool current;	     /* this fwctl's program, not an older or newer one's */
	bool answers_syns;   /* XDP: `syncookie` works there, as far as is known */
	bool no_vlan_tags;   /* XDP: hardware may take VLAN tags out, which it then cannot see */
	uint32_t program_id; /* as bpftool shows it */
	char note[256];	     /* why the mode is not the best one; of dataplane_attach() only */
};

/*
 * Puts our program on the interface. Keeps one that is there if it is the same (then
 * ret_attachment tells of it), and replaces another build's so that no packet slips by.
 */
int dataplane_attach(struct dataplane *dataplane, const struct link_info *link, enum fw_hook hook,
		     enum attach_mode mode, struct attachment *ret_attachment);

/* May XDP answer SYNs on the interface, as dataplane_attach() has found out (answers_syns)? */
void dataplane_answer_syns(struct dataplane *dataplane, const struct link_info *link,
			   bool may_answer);

/* Takes our program off again. 0 also if none is there. */
int dataplane_detach(struct dataplane *dataplane, const struct link_info *link, enum fw_hook hook);

/* What of ours is attached in this namespace, by interface and hook. free() the array. */
int dataplane_attachments(struct dataplane *dataplane, struct attachment **ret_attachments,
			  size_t *ret_count);

/*
 * Takes away what interfaces that are gone have left of ours: pins of TCX links and of libxdp's
 * dispatcher, which keep our programs in memory. Where that cannot be told, they stay.
 */
void dataplane_clean_gone(struct dataplane *dataplane);

/*
 * The program that answers what rules reject, at TC ingress of the interface, whichever hook
 * rejects: as dataplane_attach(), dataplane_detach() and dataplane_attachments().
 */
int dataplane_attach_answers(struct dataplane *dataplane, const struct link_info *link,
			     struct attachment *ret_attachment);
int dataplane_detach_answers(struct dataplane *dataplane, const struct link_info *link);
int dataplane_answers(struct dataplane *dataplane, struct attachment **ret_attachments,
		      size_t *ret_count);

/*
 * `fwctl down`: detaches everything of ours in this namespace and removes all pins. -EBUSY, and the
 * pins stay, while something of theirs is attached in another namespace.
 */
int dataplane_remove(struct dataplane *dataplane);

/* Removes the pins only, where a first apply failed and has detached what it attached. */
int dataplane_discard(struct dataplane *dataplane);

/* Does the kernel make SYN cookies for programs? Some are built without. */
bool kernel_has_syncookies(void);

/* --- Counters ----------------------------------------------------------------------------- */

/* One rule of the past or present, by identity. The default's identity is "default". */
struct rule_total {
	enum fw_hook hook;
	const char *identity;
	bool live;		 /* of the running generation */
	enum fw_action action;	 /* its last one */
	struct fw_counter total; /* under all actions that it ever had */
	struct fw_counter by_action[FW_ACTIONS];
	struct fw_counter limited; /* over its limit; not in the total */
};

struct hook_total {
	struct fw_counter pass;
	struct fw_counter drop; /* also what was rejected, or over a limit */
};

struct statistics {
	uint32_t generation;
	struct rule_total *rules; /* sorted by hook and identity */
	size_t rule_count;
	/* Of rules that are gone for so long that their names are too, by their last action. */
	struct fw_counter forgotten[FW_HOOKS][FW_ACTIONS];
	struct fw_counter reasons[FW_HOOKS][FW_REASONS];
	struct hook_total hooks[FW_HOOKS]; /* everything that came in, whoever decided it */
	/* What became of what was rejected; of answers that were sent their own bytes. */
	struct fw_counter answers[FW_HOOKS][FW_ANSWER_OUTCOMES];
	struct fw_counter cookies[FW_COOKIE_OUTCOMES]; /* packets of rules with `syncookie` */
	void *memory;				       /* private */
};

int dataplane_read_statistics(struct dataplane *dataplane, struct statistics **ret_statistics);
void statistics_free(struct statistics **statistics);

/* The rule's total; NULL if no rule of that identity was ever counted. */
const struct rule_total *statistics_find(const struct statistics *statistics, enum fw_hook hook,
					 const char *identity);

/* --- Single packets ----------------------------------------------------------------------- */

struct test_packet {
	const void *frame; /* with its link-layer header; the kernel wants 14 bytes at least */
	size_t length;
	uint32_t interface; /* ifindex, of this namespace; 0: the loopback */
	uint32_t repeat;    /* 0: once; more to measure */
};

struct test_verdict {
	enum fw_verdict verdict;
	bool answered;	      /* it was dropped, and is to be answered */
	uint32_t raw;	      /* XDP_* or TC_ACT_* */
	uint32_t nanoseconds; /* on average */
};

/* Runs the hook's program on one frame, on the rules and counters of a private data plane. */
int dataplane_test_run(struct dataplane *dataplane, enum fw_hook hook,
		       const struct test_packet *packet, struct test_verdict *ret_verdict);

#endif
