// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much the verifier has to walk, at the real sizes: a budget per program, so that a change
 * that makes it explode is seen here and not on an older kernel, which walks more.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/internal.h"
#include "prog_run.h"

#define BUDGET "tests/prog/verifier.budget"

static unsigned budget_of(const char *program)
{
	FILE *file = fopen(BUDGET, "re");
	char line[256], name[64];
	unsigned budget = 0, value;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %u", name, &value) == 2 && !strcmp(name, program))
			budget = value;
	fclose(file);
	if (!budget)
		fail_msg("%s has no budget in " BUDGET, program);
	return budget;
}

static void assert_within_budget(struct dataplane *dataplane, enum program program, bool layer3)
{
	const char *name = program_name(program);
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);
	int fd;

	if (program_get(dataplane, program, layer3, &fd))
		fail_msg("%s", dataplane_error(dataplane));
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	print_message("%s%s: %u instructions verified, %u in the program, %u bytes jited\n", name,
		      layer3 ? " (layer 3)" : "", info.verified_insns, info.xlated_prog_len / 8,
		      info.jited_prog_len);
	assert_in_range(info.verified_insns, 1, budget_of(name));
	/* bpftool and stack traces show 15 characters. */
	assert_true(strlen(name) < BPF_OBJ_NAME_LEN);
}

static void programs_stay_within_their_budget(void **state)
{
	struct dataplane *dataplane = NULL;
	char *error = NULL;

	(void)state;
	if (dataplane_open_private(FW_IMAGE_SIZE_3, &dataplane, &error))
		fail_msg("%s", error);
	for (enum program program = 0; program < PROGRAMS; program++)
		for (int layer3 = 0; layer3 < 2; layer3++)
			assert_within_budget(dataplane, program, layer3);
	dataplane_close(&dataplane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_stay_within_their_budget),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, NULL, NULL);
}
