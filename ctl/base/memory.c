/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where memory comes from in commands that read and compile many rules. A third of their time went
 * to page faults: the heap takes large pages where the kernel has them, and is never given back.
 */
#include "base/memory.h"

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define HEAP_FIRST (128 << 20) /* address space: what is not used costs nothing */
#define HEAP_NEXT  (4 << 20)
#define PAGE_LARGE ((uintptr_t)2 << 20)

void memory_prepare(void)
{
	struct rlimit limit;
	void *block;

	/* Address space that we are not given to waste. */
	if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur != RLIM_INFINITY)
		return;
	mallopt(M_MMAP_THRESHOLD, 32 << 20); /* larger blocks can not be had from the heap */
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_ARENA_MAX, 1); /* threads take from it, too */
	mallopt(M_TOP_PAD, HEAP_FIRST);
	block = malloc(1 << 20);
	mallopt(M_TOP_PAD, HEAP_NEXT);
	if (block) {
		uintptr_t begin = ((uintptr_t)block + PAGE_LARGE) & ~(PAGE_LARGE - 1);
		uintptr_t end = (uintptr_t)sbrk(0) & ~(PAGE_LARGE - 1);

		/* Where this fails, pages stay small. */
		if (end > begin && end - begin <= HEAP_FIRST)
			madvise((void *)begin, end - begin, MADV_HUGEPAGE);
	}
	free(block);
}
