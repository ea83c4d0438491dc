/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The constants are what `fwbench steps` prints, and of what lies outside the cache what bench/
 * measured: docs/classifier.md, "The forecast". Packets are taken to come mixed: the larger the
 * image, the fewer of its lines are in the cache when one comes.
 */
#include "compiler/cost.h"

#include "fw/image.h"

#define BASE_NS	     38.0 /* look-ups of the fields, the first word, the rule */
#define WIDE_NS	     40.0 /* trees of 128 bits */
#define GROUPS_NS    24.0 /* before the first candidate */
#define CANDIDATE_NS 15.0
#define WORD_NS	     0.5 /* one after the other */
#define WORD_LED_NS  3.0 /* of more than 15 words, led by a summary */
#define COUNTED_NS   4.4
#define LIMITS_NS    20.0 /* if there is any */
#define LIMIT_NS     30.0
#define SET_NS	     43.0
#define SET_FULL_NS  400.0 /* a million hosts */
#define SETS_ROW_NS  37.0
#define STATE_NS     165.0 /* of a thousand flows */
#define NEW_FLOW_NS  780.0
#define COOKIE_NS    640.0 /* docs/flows.md */

#define LINES		8 /* of 64 bytes that every packet needs, one after the other */
#define CANDIDATE_LINES 2
#define MISS_NS		4.0 /* of a line, for each time that the image is twice as large as */
#define CACHED		(1U << 20)

/* What a line costs on average for not being in the cache. */
static double miss_ns(size_t image_bytes)
{
	double times = (double)image_bytes / CACHED, doublings = 0;

	for (; times > 2; times /= 2)
		doublings++;
	return times > 1 ? MISS_NS * (doublings + times - 1) : 0;
}

static double row_ns(const struct cost *cost, double miss)
{
	if (cost->grouped)
		return GROUPS_NS +
		       (double)cost->candidates * (CANDIDATE_NS + CANDIDATE_LINES * miss);
	return (double)cost->words * (cost->words > FW_EXACT_WORDS ? WORD_LED_NS : WORD_NS);
}

double cost_ns(const struct cost *cost)
{
	double miss = miss_ns(cost->image_bytes);
	double ns = BASE_NS + LINES * miss + row_ns(cost, miss);

	ns += cost->wide ? WIDE_NS : 0;
	ns += (double)cost->counted * COUNTED_NS;
	ns += cost->limits ? LIMITS_NS + (double)cost->limits * LIMIT_NS : 0;
	ns += (double)cost->sets * SET_NS + (double)cost->full_sets * SET_FULL_NS;
	ns += cost->sets_row ? SETS_ROW_NS : 0;
	ns += cost->new_flow ? NEW_FLOW_NS : cost->state ? STATE_NS : 0;
	ns += cost->cookie ? COOKIE_NS : 0;
	return ns;
}
