/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Codes: a vector of IEEE 754 singles as int8 numbers and one step, made with
 * integer arithmetic only.
 *
 * A row's value is code[i] * step * 2^exponent. `step` has its highest bit at
 * bit 30 (0 for the zero vector), so that rows of any magnitude keep 31 bits.
 * `slack` bounds, in units of 2^exponent,
 *
 *   || x - value || + rounding(dim) * || x ||
 *
 * where the second term covers what float32 arithmetic may round when the
 * exact score is computed: rounding(dim) = dim / 2^23 is twice the classic
 * bound n * u (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
 * `norm` bounds || value || / (step * 2^exponent), the norm of the codes.
 * || x ||^2 is at most square * 2^square_exponent, and at least that times
 * (1 - 2^-28).
 */
#ifndef VEXFS_ENGINE_CODE_H
#define VEXFS_ENGINE_CODE_H

#include "platform.h"

#define VEXFS_DIM_MAX 65536u
#define VEXFS_ROW_ALIGN 64u

struct vexfs_row_constants {
	u32 step;
	s32 exponent;
	u64 slack;
	u32 norm;
	u32 square;
	s32 square_exponent;
};

/* The number of code bytes of a row: dim rounded up to whole cache lines. */
static inline u32 vexfs_row_bytes(u32 dim)
{
	return (dim + VEXFS_ROW_ALIGN - 1) & ~(VEXFS_ROW_ALIGN - 1);
}

/*
 * Codes one vector. -EINVAL where an element is not a finite number; nothing
 * is promised of the output then. The padding of `code` is zeroed.
 */
int vexfs_code_row(const u32 *bits, u32 dim, s8 *code,
		   struct vexfs_row_constants *row);

/*
 * A query is coded finer, to at most `limit` = vexfs_query_limit(dim), so
 * that an int32 holds every sum of products with codes.
 */
static inline u32 vexfs_query_limit(u32 dim)
{
	const u32 room = 0x7fffffffu / (127u * dim);

	return room < 32767u ? room : 32767u;
}

/*
 * value[i] * step * 2^exponent, as for rows. `norm` bounds the norm of the
 * values from above; `error` bounds || q - value || / || q || in units of
 * 2^-24.
 */
struct vexfs_query_constants {
	u32 step;
	s32 exponent;
	u64 norm;
	u32 error;
};

#define VEXFS_QUERY_ERROR_MAX (1u << 17) /* that a scan works with */

int vexfs_code_query(const u32 *bits, u32 dim, s16 *value,
		     struct vexfs_query_constants *query);

/* The least integer whose square is at least `value`. */
u64 vexfs_root_up(u64 value);

#endif
