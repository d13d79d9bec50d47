/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Sums of products of int8 codes and int16 query values: the one kernel whose
 * speed a scan is made of. All implementations give the same integers.
 */
#ifndef VEXFS_ENGINE_DOT_H
#define VEXFS_ENGINE_DOT_H

#include "platform.h"
#include "rank.h"

/*
 * out[q * VEXFS_BLOCK_ROWS + r] = sum over i < bytes of rows[r * bytes + i] *
 * queries[q * bytes + i]. `bytes` is a multiple of 64. Rows and queries are
 * aligned to 64 bytes; row_count is at most VEXFS_BLOCK_ROWS, and up to three sums
 * after it are written too, within those. No partial sum leaves an int32:
 * vexfs_query_limit().
 */
typedef void (*vexfs_dot_fn)(const s8 *rows, u32 row_count, const s16 *queries,
			     u32 query_count, u32 bytes, s32 *out);

/* The kernels of one SIMD level. */
struct vexfs_kernels {
	vexfs_dot_fn dot;
	vexfs_rank_fn rank_dot;
	vexfs_rank_fn rank_euclid;
};

extern const struct vexfs_kernels vexfs_kernels_scalar;
extern const struct vexfs_kernels vexfs_kernels_avx2;
extern const struct vexfs_kernels vexfs_kernels_avx512;

#endif
