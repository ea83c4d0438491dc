// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/* A machine whose CPUs' numbers have gaps: what stands at a CPU's number has a place for each. */
#include <bpf/libbpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cpus.h"
#include "dataplane/internal.h"
#include "prog_run.h"

#define GREATEST 8191 /* rows of 128 bytes for so many and an image pass the smallest class */

#define RULES                                                                       \
	"option essential off\n"                                                    \
	"set a live { 192.0.2.0/24 }\nset b live { 192.0.2.1 }\n"                   \
	"ingress default drop {\n pass from @a to port 53\n drop from @b\n count\n" \
	" pass udp label rest\n}\n"

/* Lays such a list over the kernel's, for this process only; false: that is not to be had. */
static bool pretend_gaps(void)
{
	char path[] = "/tmp/fwctl-cpus-XXXXXX";
	int fd = mkstemp(path);
	bool done;

	libbpf_num_possible_cpus(); /* which keeps what it read, as it counts what the kernel does
				     */
	if (fd < 0)
		return false;
	done = dprintf(fd, "0,%u\n", GREATEST) > 0 && !unshare(CLONE_NEWNS) &&
	       !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount(path, CPUS_POSSIBLE, NULL, MS_BIND, NULL);
	close(fd);
	unlink(path);
	return done;
}

static void each_number_has_counters_of_its_own(void **state)
{
	const struct filter *filter = *state;
	const struct fw_sizes *sizes = &filter->dataplane->maps.sizes;

	for (unsigned class = 0; class < FW_COUNTER_CLASSES; class ++)
		assert_in_range((GREATEST + 1ULL) << sizes->counter_shift[class], 1,
				sizes->counter[class]);
}

static void each_number_has_a_scratch_row(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, RULES);
	assert_in_range(FW_ACTIVE_CLASS(maps_active(&filter->dataplane->maps)), 1,
			FW_IMAGE_CLASSES - 1);
}

static void packets_are_counted(void **state)
{
	const struct frame frame = frame_named("udp");

	filter_apply(*state, RULES);
	filter_run(*state, FW_INGRESS, &frame);
	assert_int_equal(filter_hook(*state, FW_INGRESS).pass.packets, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_has_counters_of_its_own),
		cmocka_unit_test(each_number_has_a_scratch_row),
		cmocka_unit_test(packets_are_counted),
	};
	int skipped = needs_root();

	if (skipped)
		return skipped;
	if (!pretend_gaps()) {
		perror("cannot pretend that CPUs have gaps in their numbers");
		return 1;
	}
	return cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
