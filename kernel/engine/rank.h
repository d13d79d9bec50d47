/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Upper ends of ranks, for the rows of one block and one query: what decides
 * for nearly all rows that they are no candidates. Each object of a SIMD level
 * holds this loop once, compiled for that level; all give the same integers.
 */
#ifndef VEXFS_ENGINE_RANK_H
#define VEXFS_ENGINE_RANK_H

#include "platform.h"

#define VEXFS_BLOCK_ROWS 64u /* walked by all queries at once */

/*
 * The rows of a block as the loops want them. slack is in units of 2^10, so
 * that it fits 32 bits: a row's own is below 2^40, and what coding the queries
 * adds is too (VEXFS_QUERY_ERROR_MAX).
 */
struct vexfs_block {
	u32 slots[VEXFS_BLOCK_ROWS];
	u32 generations[VEXFS_BLOCK_ROWS];
	s32 step[VEXFS_BLOCK_ROWS];
	u32 slack[VEXFS_BLOCK_ROWS];
	u32 square[VEXFS_BLOCK_ROWS];
	s32 square_exponent[VEXFS_BLOCK_ROWS];
	s32 square_exponent_min;
	s32 square_exponent_max;
	u32 count;
};

/* What of a query the loops want. */
struct vexfs_ranking {
	u32 radius;
	u32 inverse; /* Euclid: 2^61 / step, at most 2^31 */
	s32 down; /* Euclid: a row's shift is this minus its square_exponent */
	u32 rounding_shift; /* Euclid: dim / 2^22 as a shift, rounded up */
	u64 fixed; /* Euclid: what does not depend on the row */
};

/*
 * middle[r] and bound[r]: the rank lies in middle -+ bound. Returns how many
 * of the count upper ends reach the threshold.
 */
typedef u32 (*vexfs_rank_fn)(const struct vexfs_block *rows, const s32 *dots,
			     const struct vexfs_ranking *query, s64 threshold,
			     s64 *middle, s64 *bound);

/* Inner product: dot * step -+ slack * radius. */
static inline __attribute__((always_inline)) u32
vexfs_rank_dot(const struct vexfs_block *rows, const s32 *dots,
	       const struct vexfs_ranking *query, s64 threshold, s64 *middle,
	       s64 *bound)
{
	const u32 radius = query->radius;
	s64 reached = 0;
	u32 r;

	for (r = 0; r < VEXFS_BLOCK_ROWS; r++) {
		middle[r] = (s64)dots[r] * rows->step[r];
		bound[r] = (s64)(((u64)rows->slack[r] * radius) << 10);
		reached += middle[r] + bound[r] >= threshold;
	}
	return (u32)reached;
}

/*
 * Euclid, in halves of the rank's unit: (dot * step - || x ||^2 / 2) / 2, with
 * half = || x ||^2 / 2 = square * 2^square_exponent * inverse / 2^62 / ...
 * brought to the unit by a shift. Rows whose shift is out of 0..63 are the
 * caller's.
 */
static inline __attribute__((always_inline)) u32
vexfs_rank_euclid(const struct vexfs_block *rows, const s32 *dots,
		  const struct vexfs_ranking *query, s64 threshold, s64 *middle,
		  s64 *bound)
{
	const u32 radius = query->radius;
	const u32 inverse = query->inverse;
	const u32 rounding_shift = query->rounding_shift;
	const s64 fixed = (s64)query->fixed;
	const s32 down = query->down;
	s64 reached = 0;
	u32 r;

	for (r = 0; r < VEXFS_BLOCK_ROWS; r++) {
		const u64 shift =
			(u64)(u32)(down - rows->square_exponent[r]) & 63;
		const u64 half = ((u64)rows->square[r] * inverse) >> shift;

		middle[r] = (((s64)dots[r] * rows->step[r]) >> 1) -
			    (s64)(half >> 1);
		bound[r] = (s64)(((u64)rows->slack[r] * radius) << 9) +
			   (s64)(half >> 27) + (s64)(half >> rounding_shift) +
			   fixed;
		reached += middle[r] + bound[r] >= threshold;
	}
	return (u32)reached;
}

#define VEXFS_RANK_FUNCTIONS(level)                                            \
	static u32 vexfs_rank_dot_##level(const struct vexfs_block *rows,      \
					  const s32 *dots,                     \
					  const struct vexfs_ranking *query,   \
					  s64 threshold, s64 *middle,          \
					  s64 *bound)                          \
	{                                                                      \
		return vexfs_rank_dot(rows, dots, query, threshold, middle,    \
				      bound);                                  \
	}                                                                      \
	static u32 vexfs_rank_euclid_##level(                                  \
		const struct vexfs_block *rows, const s32 *dots,               \
		const struct vexfs_ranking *query, s64 threshold, s64 *middle, \
		s64 *bound)                                                    \
	{                                                                      \
		return vexfs_rank_euclid(rows, dots, query, threshold, middle, \
					 bound);                               \
	}

#endif
