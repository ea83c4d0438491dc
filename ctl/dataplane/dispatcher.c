// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libxdp's dispatcher leaves behind. libxdp pins the links of a dispatcher's parts below
 * xdp/dispatch-IFINDEX-DISPATCHER in the bpf file system. Where an interface goes away with its
 * dispatcher, those pins stay, and our program lives on, on nothing, until somebody removes them.
 *
 * The kernel does not tell whether a dispatcher is on an interface of some namespace. So the
 * layout's `links` directory notes which of our programs is behind one, and from where:
 *   dispatcher-NAMESPACE-PROGRAM    a directory
 * A dispatcher is gone if no interface of that namespace has it, nor one of a namespace that has a
 * number in this one: an interface that is moved elsewhere gives the other namespace a number here.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "dataplane/internal.h"

#define NOTE	     "dispatcher-"
#define PINS_DEFAULT "/sys/fs/bpf" /* where libxdp pins, unless its LIBXDP_BPFFS says otherwise */

static void note_path(const struct dataplane *dataplane, uint32_t program, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/links/" NOTE "%lu-%u", dataplane->layout_dir,
		 namespace_number(), program);
}

void dispatcher_note(const struct dataplane *dataplane, uint32_t program)
{
	char path[PATH_MAX];

	/* Without the note `fwctl down` takes what is left for a program of another namespace. */
	note_path(dataplane, program, path);
	mkdir(path, 0700);
}

void dispatcher_forget(const struct dataplane *dataplane, uint32_t program)
{
	char path[PATH_MAX];

	note_path(dataplane, program, path);
	rmdir(path);
}

/* Numbers that messages of the kernel tell, with room for as many as they are. */
struct numbers {
	uint32_t *items;
	size_t count;
};

static bool numbers_have(const struct numbers *numbers, uint32_t number)
{
	for (size_t i = 0; i < numbers->count; i++) {
		if (numbers->items[i] == number)
			return true;
	}
	return false;
}

static int numbers_add(struct numbers *numbers, uint32_t number)
{
	uint32_t *items = reallocarray(numbers->items, numbers->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	items[numbers->count++] = number;
	numbers->items = items;
	return 0;
}

static int namespace_heard(struct nl_msg *message, void *data)
{
	struct nlattr *attributes[NETNSA_MAX + 1];

	if (nlmsg_parse(nlmsg_hdr(message), sizeof(struct rtgenmsg), attributes, NETNSA_MAX, NULL))
		return -NLE_PARSE_ERR;
	if (!attributes[NETNSA_NSID])
		return NL_OK;
	return numbers_add(data, nla_get_u32(attributes[NETNSA_NSID])) ? -NLE_NOMEM : NL_OK;
}

static int link_heard(struct nl_msg *message, void *data)
{
	struct nlattr *attributes[IFLA_MAX + 1], *xdp[IFLA_XDP_MAX + 1];

	if (nlmsg_parse(nlmsg_hdr(message), sizeof(struct ifinfomsg), attributes, IFLA_MAX, NULL))
		return -NLE_PARSE_ERR;
	if (!attributes[IFLA_XDP])
		return NL_OK;
	if (nla_parse_nested(xdp, IFLA_XDP_MAX, attributes[IFLA_XDP], NULL))
		return -NLE_PARSE_ERR;
	for (int i = 0; i <= IFLA_XDP_MAX; i++) {
		bool is_id = i == IFLA_XDP_PROG_ID || i == IFLA_XDP_DRV_PROG_ID ||
			     i == IFLA_XDP_SKB_PROG_ID || i == IFLA_XDP_HW_PROG_ID;

		if (is_id && xdp[i] && numbers_add(data, nla_get_u32(xdp[i])))
			return -NLE_NOMEM;
	}
	return NL_OK;
}

/* Sends the message, frees it, and hears all that the kernel answers. */
static int ask(struct nl_sock *socket, struct nl_msg *message, nl_recvmsg_msg_cb_t heard,
	       struct numbers *numbers)
{
	int error;

	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, heard, numbers);
	error = nl_send_auto(socket, message);
	nlmsg_free(message);
	if (error >= 0)
		error = nl_recvmsgs_default(socket);
	return error < 0 ? -EIO : 0;
}

static int ask_namespaces(struct nl_sock *socket, struct numbers *ret_namespaces)
{
	struct rtgenmsg generic = { .rtgen_family = AF_UNSPEC };
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETNSID, NLM_F_REQUEST | NLM_F_DUMP);

	if (!message || nlmsg_append(message, &generic, sizeof(generic), NLMSG_ALIGNTO)) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return ask(socket, message, namespace_heard, ret_namespaces);
}

/* NULL: those of this namespace. */
static int ask_links(struct nl_sock *socket, const uint32_t *namespace, struct numbers *programs)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP);

	if (!message || nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO) ||
	    (namespace && nla_put_u32(message, IFLA_TARGET_NETNSID, *namespace))) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return ask(socket, message, link_heard, programs);
}

/* The XDP programs on interfaces of this namespace, and of all that have a number in it. */
static int attached_read(struct numbers *ret_programs)
{
	struct nl_sock *socket = nl_socket_alloc();
	struct numbers namespaces = { 0 };
	int error = socket ? 0 : -ENOMEM;

	if (!error && nl_connect(socket, NETLINK_ROUTE))
		error = -EIO;
	if (!error)
		error = ask_namespaces(socket, &namespaces);
	if (!error)
		error = ask_links(socket, NULL, ret_programs);
	for (size_t i = 0; i < namespaces.count && !error; i++)
		error = ask_links(socket, &namespaces.items[i], ret_programs);
	free(namespaces.items);
	nl_socket_free(socket);
	return error;
}

static bool pin_is_program(int directory, const char *name, uint32_t program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t length = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	/* bpf_obj_get() of this libbpf knows no directories. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory, name);
	fd = bpf_obj_get(path);
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) && info.id == program;
}

/* Is the program pinned in this directory of a dispatcher? */
static bool pins_hold(int parent, const char *name, uint32_t program)
{
	int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *pins = directory < 0 ? NULL : fdopendir(directory);
	struct dirent *entry;
	bool found = false;

	while (pins && !found && (entry = readdir(pins))) {
		unsigned part;
		char what[8];

		found = sscanf(entry->d_name, "prog%u-%7s", &part, what) == 2 &&
			!strcmp(what, "prog") && pin_is_program(directory, entry->d_name, program);
	}
	if (pins)
		closedir(pins);
	return found;
}

/* libxdp's directory, locked as libxdp locks it: no dispatcher is half made while we look. */
static DIR *dispatchers_open(void)
{
	const char *mount = getenv("LIBXDP_BPFFS");
	_cleanup_free_ char *path = NULL;
	DIR *dispatchers;

	if (asprintf(&path, "%s/xdp", mount ? mount : PINS_DEFAULT) < 0)
		return NULL;
	dispatchers = opendir(path);
	if (dispatchers && flock(dirfd(dispatchers), LOCK_EX)) {
		closedir(dispatchers);
		return NULL;
	}
	return dispatchers;
}

/* Removes the pins of the dispatcher that the program is behind, if it is on nothing any more. */
static void pins_clean(DIR *dispatchers, uint32_t program, const struct numbers *attached)
{
	struct dirent *entry;

	rewinddir(dispatchers);
	while ((entry = readdir(dispatchers))) {
		uint32_t interface, dispatcher;

		if (sscanf(entry->d_name, "dispatch-%u-%u", &interface, &dispatcher) != 2 ||
		    numbers_have(attached, dispatcher) ||
		    !pins_hold(dirfd(dispatchers), entry->d_name, program))
			continue;
		pins_remove(dirfd(dispatchers), entry->d_name);
		return;
	}
}

static void notes_follow(const struct dataplane *dataplane, DIR *notes, DIR *dispatchers)
{
	struct numbers attached = { 0 };
	unsigned long here = namespace_number(), namespace;
	struct dirent *entry;
	uint32_t program;
	bool current;

	if (!here || attached_read(&attached))
		goto out;
	while ((entry = readdir(notes))) {
		if (sscanf(entry->d_name, NOTE "%lu-%u", &namespace, &program) != 2 ||
		    namespace != here)
			continue;
		if (program_is_ours(dataplane, program, PROGRAM_INGRESS, &current))
			pins_clean(dispatchers, program, &attached);
		else
			dispatcher_forget(dataplane, program);
	}
out:
	free(attached.items);
}

static bool any_note(DIR *notes)
{
	struct dirent *entry;

	while ((entry = readdir(notes))) {
		if (!strncmp(entry->d_name, NOTE, strlen(NOTE))) {
			rewinddir(notes);
			return true;
		}
	}
	return false;
}

void dispatchers_clean(const struct dataplane *dataplane)
{
	_cleanup_free_ char *directory = NULL;
	DIR *notes = NULL, *dispatchers = NULL;

	if (asprintf(&directory, "%s/links", dataplane->layout_dir) > 0)
		notes = opendir(directory);
	if (notes && any_note(notes))
		dispatchers = dispatchers_open();
	if (dispatchers) {
		notes_follow(dataplane, notes, dispatchers);
		closedir(dispatchers);
	}
	if (notes)
		closedir(notes);
}
