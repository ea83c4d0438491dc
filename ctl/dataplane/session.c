// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening and closing a data plane: privileges, the bpf file system, the lock, the layout version.
 * A command that only reads takes no lock; it checks afterwards that no switch came between.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>

#include <bpf/libbpf.h>

#include "base/buffer.h"
#include "base/number.h"
#include "dataplane/flow_internal.h"
#include "dataplane/set_internal.h"

#define BPFFS	   "/sys/fs/bpf"
#define MAKING	   "making"
#define LOCK_RETRY 20 /* milliseconds */

int fail(struct dataplane *dataplane, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(dataplane->error, sizeof(dataplane->error), format, arguments);
	va_end(arguments);
	return error;
}

const char *dataplane_error(const struct dataplane *dataplane)
{
	return dataplane->error;
}

const char *bpf_reason(int error)
{
	if (error == -EACCES)
		return "the kernel's verifier refused the program";
	if (error == -EPERM)
		return "the kernel refused: run as root (CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN), "
		       "outside lockdown";
	if (error == -ENOSYS)
		return "this kernel has no BPF";
	if (error == -ENOMEM)
		return "not enough memory in the kernel, or in the control group of this process: "
		       "free some, then try again";
	return strerror(-error);
}

/* Is this time the one that a test asks for? */
static bool is_time(const char *variable, uint64_t time)
{
	const char *text = getenv(variable);
	uint64_t wanted;

	return text && !number_parse_text(text, 1, 1000, &wanted) && wanted == time;
}

void crash_point(void)
{
	static uint64_t passed;

	if (is_time("FWCTL_TEST_STOP_AT", ++passed))
		kill(getpid(), SIGKILL);
}

int memory_point(void)
{
	static uint64_t passed;

	return is_time("FWCTL_TEST_NO_MEMORY_AT", ++passed) ? -ENOMEM : 0;
}

/* Programs are loaded and interfaces changed only by who may administrate the system. */
static int check_privilege(struct dataplane *dataplane)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	const uint32_t wanted = 1U << CAP_SYS_ADMIN | 1U << CAP_NET_ADMIN;

	if (syscall(SYS_capget, &header, data))
		return fail(dataplane, -errno, "cannot read the capabilities: %s", strerror(errno));
	if ((data[0].effective & wanted) == wanted)
		return 0;
	return fail(dataplane, -EPERM,
		    "not allowed to change or read the packet filter: run as root");
}

static bool is_bpffs(const char *path)
{
	struct statfs info;

	return !statfs(path, &info) && (unsigned long)info.f_type == BPF_FS_MAGIC;
}

/* The deepest directory above `path` that exists. */
static void existing_parent(const char *path, char *ret_parent, size_t size)
{
	struct stat info;

	snprintf(ret_parent, size, "%s", path);
	while (stat(ret_parent, &info)) {
		char *slash = strrchr(ret_parent, '/');

		if (!slash || slash == ret_parent) {
			snprintf(ret_parent, size, "%s", slash ? "/" : ".");
			return;
		}
		*slash = '\0';
	}
}

/* Pins need a bpf file system: that of the system is mounted if nobody has done so yet. */
static int check_bpffs(struct dataplane *dataplane, bool running)
{
	const char *directory = dataplane->pin_dir;
	char parent[4096];

	existing_parent(directory, parent, sizeof(parent));
	if (is_bpffs(parent))
		return 0;
	if (!strncmp(directory, BPFFS "/", strlen(BPFFS "/")) && !is_bpffs(BPFFS)) {
		if (running && program_of_a_fwctl_exists())
			return fail(dataplane, -ENOENT,
				    BPFFS " is not mounted here, but a fwctl filters: `ip netns "
					  "exec` hides its pins, "
					  "`nsenter --net=/run/netns/NAME fwctl` does not");
		if (running)
			return fail(dataplane, -ENOENT,
				    "no rules are loaded: " BPFFS
				    " is not mounted; run fwctl apply");
		if (!mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
			return 0;
		return fail(dataplane, -errno,
			    "cannot mount the bpf file system on " BPFFS ": %s; "
			    "mount it, or name another with --pin-dir",
			    strerror(errno));
	}
	return fail(dataplane, -EINVAL,
		    "%s is not on a bpf file system; mount one there "
		    "(mount -t bpf bpf DIR), or use " DATAPLANE_PIN_DIR,
		    directory);
}

static int make_directories(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, 0700) && errno != EEXIST ? -errno : 0;
}

/* The process that holds an flock on the file, by /proc/locks; 0 if it cannot be told. */
static pid_t lock_holder(const struct stat *info)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/locks", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		unsigned int major_number, minor_number;
		unsigned long inode;
		int pid;

		if (!strstr(line, " -> ") &&
		    sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major_number,
			   &minor_number, &inode) == 4 &&
		    inode == info->st_ino && major_number == major(info->st_dev) &&
		    minor_number == minor(info->st_dev))
			return pid;
	}
	return 0;
}

static int fail_locked(struct dataplane *dataplane, unsigned waited)
{
	char path[64], command[80] = "?";
	struct stat info;
	pid_t pid = fstat(dataplane->lock, &info) ? 0 : lock_holder(&info);
	_cleanup_fclose_ FILE *file = NULL;
	size_t length;

	if (!pid)
		return fail(dataplane, -EBUSY,
			    "another fwctl is changing the rules; waited %u s, "
			    "try again or wait longer with --wait",
			    waited);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	file = fopen(path, "re");
	length = file ? fread(command, 1, sizeof(command) - 1, file) : 0;
	for (size_t i = 0; i + 1 < length; i++)
		if ((unsigned char)command[i] < ' ' || command[i] == 127)
			command[i] = ' ';
	return fail(dataplane, -EBUSY,
		    "process %d (%s) is changing the rules; waited %u s, try again "
		    "or wait longer with --wait",
		    pid, command, waited);
}

/* False if the directory was removed while we waited for its lock. */
static bool lock_is_current(const struct dataplane *dataplane)
{
	struct stat held, named;

	return !fstat(dataplane->lock, &held) && !stat(dataplane->pin_dir, &named) &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static int take_lock(struct dataplane *dataplane, unsigned wait_seconds)
{
	const struct timespec pause = { .tv_nsec = LOCK_RETRY * 1000000L };
	uint64_t tries = (uint64_t)wait_seconds * 1000 / LOCK_RETRY;
	int error;

	for (uint64_t i = 0;; i++) {
		if (dataplane->lock < 0) {
			error = make_directories(dataplane->pin_dir);
			if (error)
				return fail(dataplane, error, "cannot make %s: %s",
					    dataplane->pin_dir, strerror(-error));
			dataplane->lock =
				open(dataplane->pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (dataplane->lock < 0)
				return fail(dataplane, -errno, "cannot open %s: %s",
					    dataplane->pin_dir, strerror(errno));
		}
		if (!flock(dataplane->lock, LOCK_EX | LOCK_NB)) {
			if (lock_is_current(dataplane))
				return 0;
			close(take_fd(&dataplane->lock));
			continue;
		}
		if (i >= tries)
			return fail_locked(dataplane, wait_seconds);
		nanosleep(&pause, NULL);
	}
}

/* Pins of another layout are another fwctl's: they are not touched. */
static int check_layout(struct dataplane *dataplane)
{
	DIR *directory = opendir(dataplane->pin_dir);
	struct dirent *entry;
	int error = 0;

	if (!directory)
		return 0;
	while ((entry = readdir(directory))) {
		uint64_t version;

		if (entry->d_name[0] != 'v' ||
		    number_parse_text(entry->d_name + 1, 0, 1000000, &version) ||
		    version == FW_LAYOUT_VERSION)
			continue;
		error = fail(dataplane, -EUCLEAN,
			     "%s holds pins of layout %s, this fwctl knows v%d%s; use the fwctl "
			     "that made them (fwctl down), then apply again",
			     dataplane->pin_dir, entry->d_name, FW_LAYOUT_VERSION,
			     dataplane->change ? ": nothing was changed" : "");
	}
	closedir(directory);
	return error;
}

/* All pins of a layout appear at once, by a rename. */
static int make_layout(struct dataplane *dataplane)
{
	_cleanup_free_ char *making = NULL;
	int error;

	if (asprintf(&making, "%s/" MAKING, dataplane->pin_dir) < 0)
		return fail(dataplane, -ENOMEM, "not enough memory");
	if (mkdir(making, 0700))
		return fail(dataplane, -errno, "cannot make %s: %s", making, strerror(errno));
	crash_point();
	error = maps_create(dataplane, 0);
	if (!error)
		error = maps_pin(dataplane, making);
	crash_point();
	if (!error && rename(making, dataplane->layout_dir))
		error = fail(dataplane, -errno, "cannot rename %s to %s: %s", making,
			     dataplane->layout_dir, strerror(errno));
	if (error)
		pins_remove(AT_FDCWD, making);
	crash_point();
	return error;
}

static int make_links_directory(struct dataplane *dataplane)
{
	_cleanup_free_ char *links = NULL;

	if (asprintf(&links, "%s/links", dataplane->layout_dir) < 0)
		return fail(dataplane, -ENOMEM, "not enough memory");
	if (mkdir(links, 0700) && errno != EEXIST)
		return fail(dataplane, -errno, "cannot make %s: %s", links, strerror(errno));
	return 0;
}

/* Pins that were being made or removed when somebody died. */
static void remove_half_done(const struct dataplane *dataplane)
{
	pins_remove(dataplane->lock, MAKING);
	pins_remove(dataplane->lock, PINS_REMOVING);
}

/* Maps are made when the first rules are to be put into them. */
int session_need_maps(struct dataplane *dataplane)
{
	int error;

	if (dataplane->maps.word)
		return 0;
	error = make_layout(dataplane);
	return error ? error : make_links_directory(dataplane);
}

/* Is there a layout of ours? If there must be and is not, the line says what to do. */
static int find_layout(struct dataplane *dataplane, bool running, bool *ret_found)
{
	struct stat info;
	int error;

	*ret_found = !stat(dataplane->layout_dir, &info);
	if (*ret_found || !running)
		return 0;
	error = check_layout(dataplane);
	return error ? error
		     : fail(dataplane, -ENOENT,
			    "no rules are loaded (nothing is pinned in %s); run fwctl apply",
			    dataplane->pin_dir);
}

static int open_pinned(struct dataplane *dataplane, const struct dataplane_options *options)
{
	bool running = options->running || !options->change, found = false;
	int error = check_privilege(dataplane);

	if (!error)
		error = check_bpffs(dataplane, running);
	/* Before the lock, which would make the directory that is missing. */
	if (!error && options->change)
		error = find_layout(dataplane, running, &found);
	if (!error && options->change)
		error = take_lock(dataplane, options->wait_seconds);
	if (!error)
		error = check_layout(dataplane);
	if (error)
		return error;
	if (options->change)
		remove_half_done(dataplane);
	error = find_layout(dataplane, running, &found);
	if (error || !found)
		return error;
	error = maps_open(dataplane, dataplane->layout_dir);
	if (error || !options->change)
		return error;
	error = make_links_directory(dataplane);
	if (!error)
		error = generation_clean(dataplane);
	if (!error)
		error = flows_clean(dataplane);
	if (!error)
		error = replacement_finish(dataplane);
	return error ? error : sets_clean(dataplane);
}

static struct dataplane *dataplane_new(void)
{
	const struct dataplane empty = {
		.lock = -1,
		.maps = MAPS_NONE,
		.manifest = MANIFEST_NONE,
	};
	struct dataplane *dataplane = malloc(sizeof(*dataplane));

	library_listen();
	library_forget();
	if (dataplane)
		*dataplane = empty;
	return dataplane;
}

/* Hands over what was opened, or the line that says why it was not. */
static int opened(struct dataplane *dataplane, int error, struct dataplane **ret_dataplane,
		  char **ret_error)
{
	if (!error) {
		*ret_dataplane = dataplane;
		return 0;
	}
	*ret_error = strdup(dataplane->error);
	dataplane_close(&dataplane);
	return error;
}

int dataplane_open(const struct dataplane_options *options, struct dataplane **ret_dataplane,
		   char **ret_error)
{
	const char *directory = options->pin_dir ? options->pin_dir : DATAPLANE_PIN_DIR;
	struct dataplane *dataplane = dataplane_new();
	int error = -ENOMEM;

	if (!dataplane)
		return -ENOMEM;
	dataplane->change = options->change;
	dataplane->pin_dir = strdup(directory);
	if (!dataplane->pin_dir ||
	    asprintf(&dataplane->layout_dir, "%s/v%d", directory, FW_LAYOUT_VERSION) < 0)
		fail(dataplane, -ENOMEM, "not enough memory");
	else
		error = open_pinned(dataplane, options);
	return opened(dataplane, error, ret_dataplane, ret_error);
}

int dataplane_open_private(size_t largest_image, struct dataplane **ret_dataplane, char **ret_error)
{
	struct dataplane *dataplane = dataplane_new();
	int error;

	if (!dataplane)
		return -ENOMEM;
	dataplane->change = true;
	error = check_privilege(dataplane);
	if (!error)
		error = maps_create(dataplane, largest_image);
	return opened(dataplane, error, ret_dataplane, ret_error);
}

void dataplane_close(struct dataplane **dataplane)
{
	struct dataplane *closing = *dataplane;

	if (!closing)
		return;
	for (size_t i = 0; i < PROGRAMS * 2; i++)
		bpf_object__close(closing->loaded[i / 2][i % 2]);
	renewer_free(&closing->renewer);
	manifest_unmap(&closing->manifest);
	maps_close(&closing->maps);
	cleanup_close(&closing->lock);
	free(closing->pin_dir);
	free(closing->layout_dir);
	free(closing);
	*dataplane = NULL;
}
