/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this folder share, and nobody else sees. */
#ifndef FWCTL_DATAPLANE_INTERNAL_H
#define FWCTL_DATAPLANE_INTERNAL_H

#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "dataplane/dataplane.h"
#include "dataplane/manifest.h"
#include "fw/sets.h"

struct bpf_object;
struct flow_ledger;
struct renewer;

/* The maps that programs and fwctl share, pinned in the layout's directory. */
struct maps {
	int active;
	int images[FW_IMAGE_CLASSES];
	int counters[FW_COUNTER_CLASSES];
	int reasons;
	int sizes_map;
	int sets[FW_SET_KINDS][FW_SET_FAMILIES]; /* maps of maps, by slot */
	int sets_map;
	int flow_tables;    /* map of maps, by enum fw_flow_table */
	int flow_fragments; /* map of one map */
	int flow_counts;
	int flow_ledger;
	struct flow_ledger *ledger; /* `flow_ledger` as memory */
	int limits;		    /* map of maps, by enum fw_limits_slot */
	int answers;
	int answer_count;
	int own_macs;
	struct fw_sets *live; /* `sets_map` as memory */
	struct fw_sizes sizes;
	uint64_t *word; /* `active` as memory */
};

/* What we load into the kernel: one for each hook, and the one that answers what they reject. */
enum program {
	PROGRAM_INGRESS,
	PROGRAM_EGRESS,
	PROGRAM_ANSWER,
	PROGRAMS,
};

struct dataplane {
	char *pin_dir;	  /* NULL: a private data plane */
	char *layout_dir; /* pin_dir/v1 */
	int lock;
	bool change;
	bool unsettled; /* a packet may still see the image before the running one */
	struct maps maps;
	struct manifest_map manifest; /* of a private data plane's generation */
	/* Our programs, loaded once for all interfaces, and once for links of layer 3. */
	struct bpf_object *loaded[PROGRAMS][2];
	struct renewer *renewer; /* set_renew.c, once it was needed */
	uint64_t flows;		 /* that the rules of the last switch want room for */
	bool no_dispatcher;	 /* libxdp could not use it on this kernel */
	char error[1024];
};

/* Keeps the line for dataplane_error() and returns `error`. */
int fail(struct dataplane *dataplane, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "the reason, and what to do": of -EPERM and other errors that bpf() gives. */
const char *bpf_reason(int error);

/* Tests kill fwctl at the n-th of these (FWCTL_TEST_STOP_AT=n): each is a state a crash can leave.
 */
void crash_point(void);

/* 0; -ENOMEM where tests want it (FWCTL_TEST_NO_MEMORY_AT=n): before the kernel is asked for much.
 */
int memory_point(void);

/* --- session.c: makes the pinned maps if they are not there. */
int session_need_maps(struct dataplane *dataplane);

/* --- maps.c */
#define MAPS_NONE                                                                                  \
	{                                                                                          \
		.active = -1, .images = { -1, -1, -1, -1 }, .counters = { -1, -1, -1 },            \
		.reasons = -1, .sizes_map = -1, .sets = { { -1, -1 }, { -1, -1 } },                \
		.sets_map = -1, .flow_tables = -1, .flow_fragments = -1, .flow_counts = -1,        \
		.flow_ledger = -1, .limits = -1, .answers = -1, .answer_count = -1, .own_macs = -1 \
	}

/* `largest_image` 0: the real sizes, as far as memory allows. */
int maps_create(struct dataplane *dataplane, size_t largest_image);
int maps_pin(struct dataplane *dataplane, const char *directory);
int maps_open(struct dataplane *dataplane, const char *directory);
void maps_close(struct maps *maps);
uint64_t maps_active(const struct maps *maps);
void maps_set_active(const struct maps *maps, uint64_t word);

/* Bytes that are free; "plenty" if the kernel does not tell. */
uint64_t memory_available(void);
/* An array of one element that can be mapped. *ret_memory may be NULL. */
int array_create(const char *name, size_t size, void **ret_memory);
/* Maps an existing one for reading. */
int array_map(int fd, size_t size, const void **ret_memory);
void array_unmap(const void *memory, size_t size);
int map_id(int fd, uint32_t *ret_id);
/* Empties a slot of a map of maps. Kernel 6.1 waits a grace period even if it is empty: not here.
 */
int slot_delete(int outer, uint32_t slot);

/* --- set_renew.c: NULL is fine; sets the pointer to NULL. */
void renewer_free(struct renewer **renewer);

/* --- counters.c: raw values of counters, summed over classes and CPUs. */
struct counters {
	struct {
		const uint8_t *memory;
		size_t size;
		uint32_t shift;
		unsigned regions; /* one for each number of a CPU */
	} images[FW_COUNTER_CLASSES];
};

int counters_open(struct dataplane *dataplane, struct counters *ret_counters);
void counters_close(struct counters *counters);
struct fw_counter counters_sum(const struct counters *counters, uint32_t index);
/* How many counters a class holds. */
uint32_t counters_capacity(const struct fw_sizes *sizes, unsigned class);
/* Makes the class's counter image if it is not there. */
int counters_make(struct dataplane *dataplane, unsigned class);

/* --- limits.c */
int limits_outer_create(void);
/* Makes what the registry's limits need, with full buckets for those that are new. */
int limits_make(struct dataplane *dataplane, const struct registry *registry);
/* Gives the buckets back if the registry has no limits. */
void limits_remove(struct dataplane *dataplane, const struct registry *registry);

/* --- images.c */
/* The smallest class that holds the image, and a slot of it that does not run. */
int image_place(struct dataplane *dataplane, const struct switch_input *input, unsigned *ret_class,
		unsigned *ret_slot);
/*
 * Writes the image into the slot that `word` names, which no packet looks into: over the image that
 * lies there, or else into a map of its own, *ret_fd, that is yet to be put there.
 */
int image_write(struct dataplane *dataplane, const struct switch_input *input, uint64_t word,
		int *ret_fd);
/* Waits until no packet is under way that read `active` before now. */
int images_wait(struct dataplane *dataplane, uint64_t active);
/* Takes images that do not run out of their slots, but for one that the next switch writes over. */
int images_clean(struct dataplane *dataplane, uint64_t active);

/* --- generation.c */
/* Removes what a crash left: stale images and manifests. Only with the lock. */
int generation_clean(struct dataplane *dataplane);
/* Makes `active` say which hooks have sets to ask, now that a set became empty or is it no more. */
int generation_ask_sets(struct dataplane *dataplane);
/* The running generation's manifest; -ENOENT if there is none. */
int generation_manifest(struct dataplane *dataplane, struct manifest_map *ret_map);

/* --- program.c */
static inline enum program program_of(enum fw_hook hook)
{
	return hook == FW_INGRESS ? PROGRAM_INGRESS : PROGRAM_EGRESS;
}

/* Our object, opened, not loaded: on our maps, for a link with these frames. */
int program_open(struct dataplane *dataplane, enum program program, bool layer3,
		 struct bpf_object **ret_object);
/* The program for such links, loaded once. The fd belongs to the data plane. */
int program_get(struct dataplane *dataplane, enum program program, bool layer3, int *ret_fd);
const char *program_name(enum program program);
/* Is a program of the kernel ours (it uses our `active`), and of this build? */
bool program_is_ours(const struct dataplane *dataplane, uint32_t id, enum program program,
		     bool *ret_current);

/* --- orphan.c: is it a program of fwctl that nobody has the pins of any more? */
bool program_is_orphan(uint32_t id, enum program program);
/* Is it a fwctl's by its name, whatever its pins? And is there any in the kernel? */
bool program_is_a_fwctls(uint32_t id);
bool program_of_a_fwctl_exists(void);

/* --- own_mac.c: tells programs the MAC address of the link, or that they may not answer there. */
int own_macs_create(void);
void own_mac_note(const struct maps *maps, const struct link_info *link, bool may_answer);
/* The same of all that XDP in that mode runs on; `trusted`: the rules say that it can send. */
void own_macs_note(const struct maps *maps, const struct link_info *link, const char *mode,
		   bool trusted);
bool own_macs_are_noted(const struct maps *maps, const struct link_info *link, const char *mode);

/* --- attach.c: empties and removes a directory of pins, with its subdirectories. */
#define PINS_REMOVING "removing"
void pins_remove(int parent, const char *name);

/* --- attach_xdp.c, attach_tc.c: -ENOENT from query if nothing of ours is there. */
int xdp_attach(struct dataplane *dataplane, const struct link_info *link, enum attach_mode mode,
	       struct attachment *ret_attachment);
int xdp_detach(struct dataplane *dataplane, const struct link_info *link);
int xdp_query(struct dataplane *dataplane, const struct link_info *link,
	      struct attachment *ret_attachment);
int tc_attach(struct dataplane *dataplane, const struct link_info *link, enum program program,
	      struct attachment *ret_attachment);
int tc_detach(struct dataplane *dataplane, const struct link_info *link, enum program program);
int tc_query(struct dataplane *dataplane, const struct link_info *link, enum program program,
	     struct attachment *ret_attachment);
/* Takes away pins of links whose interface is gone: they hold our program. */
void tc_pins_clean(const struct dataplane *dataplane);

/* --- link.c: the network namespace that fwctl runs in, by its inode; 0: it cannot be told. */
unsigned long namespace_number(void);

/* --- dispatcher.c: what libxdp's dispatcher keeps of our programs where an interface goes. */
/* Our program is behind a dispatcher in this namespace; it is so no more. */
void dispatcher_note(const struct dataplane *dataplane, uint32_t program);
void dispatcher_forget(const struct dataplane *dataplane, uint32_t program);
/* Removes the pins of dispatchers of noted programs that are on no interface any more. */
void dispatchers_clean(const struct dataplane *dataplane);

/* --- offload.c: may the link's hardware take VLAN tags out of frames that it receives? */
bool link_takes_vlan_tags(const struct link_info *link);

/* Do the link's frames begin with the network header? -EOPNOTSUPP: with one that we do not know. */
int link_layer3(const struct link_info *link, bool *ret_layer3);

/* --- library.c: what libbpf and libxdp say, kept until someone wants it. */
void library_listen(void);
/* Forgets what was said so far. */
void library_forget(void);
/* The kernel's extack text, or the last warning, or "". One line; valid until the next call. */
const char *library_cause(void);

#endif
