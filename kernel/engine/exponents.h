/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * How many live rows have which exponent, so that the largest is known again
 * when the row that had it has gone: the unit of ranks follows from it, and by what
 * rows are linked. One huge row must not cost the others their precision for ever.
 */
#ifndef VEXFS_ENGINE_EXPONENTS_H
#define VEXFS_ENGINE_EXPONENTS_H

#include "platform.h"

#define VEXFS_EXPONENTS 1024u

/* The writer's: readers see what it makes of the highest. */
struct vexfs_exponents {
	u32 counts[VEXFS_EXPONENTS];
	u32 highest; /* that has been counted since it was lowered */
};

/* `index` is the exponent from the least one on. */
static inline void vexfs_count_exponent(struct vexfs_exponents *exponents,
					u32 index)
{
	exponents->counts[index]++;
	if (index > exponents->highest)
		exponents->highest = index;
}

/* True where the highest is another one now; 0 also where none is left. */
static inline bool vexfs_uncount_exponent(struct vexfs_exponents *exponents,
					  u32 index)
{
	const u32 before = exponents->highest;

	exponents->counts[index]--;
	while (exponents->highest && !exponents->counts[exponents->highest])
		exponents->highest--;
	return exponents->highest != before;
}

#endif
