/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The rows of a block by fours, compiled into each object that multiplies so, which
 * defines before it includes this:
 *
 *   struct tile                 a register each of four rows: a, b, c, d
 *   store_sums(sums, out)       the sum of each, side by side
 *   dot_row(row, query, bytes)  the products of a row, in the lanes of a register
 */
#ifndef VEXFS_ENGINE_LEVEL_ROWS_H
#define VEXFS_ENGINE_LEVEL_ROWS_H

#include "dot.h"

#define TILE 4u

/* The last row of a block stands for those that a tile lacks. */
static inline __attribute__((always_inline)) void
take_tile(const s8 **taken, const s8 *rows, u32 first, u32 row_count, u32 bytes)
{
	u32 i;

	for (i = 0; i < TILE; i++) {
		const u32 row =
			first + i < row_count ? first + i : row_count - 1;

		taken[i] = rows + (size_t)row * bytes;
	}
}

/* Rows that are read once come from far away: one after the other. */
static inline __attribute__((always_inline)) void
dot_one(const s8 *rows, u32 row_count, const s16 *query, u32 bytes, s32 *out)
{
	const s8 *taken[TILE];
	u32 r;

	for (r = 0; r < row_count; r += TILE) {
		take_tile(taken, rows, r, row_count, bytes);
		store_sums((struct tile){ dot_row(taken[0], query, bytes),
					  dot_row(taken[1], query, bytes),
					  dot_row(taken[2], query, bytes),
					  dot_row(taken[3], query, bytes) },
			   out + r);
	}
}

#endif
