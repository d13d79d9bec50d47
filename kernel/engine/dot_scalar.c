// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "dot.h"

static void vexfs_dot_scalar(const s8 *rows, u32 row_count, const s16 *queries,
			     u32 query_count, u32 bytes, s32 *out)
{
	u32 q, r, i;

	for (q = 0; q < query_count; q++) {
		for (r = 0; r < row_count; r++) {
			const s8 *row = rows + (size_t)r * bytes;
			const s16 *query = queries + (size_t)q * bytes;
			s32 sum = 0;

			for (i = 0; i < bytes; i++)
				sum += (s32)row[i] * query[i];
			out[q * VEXFS_BLOCK_ROWS + r] = sum;
		}
	}
}

VEXFS_RANK_FUNCTIONS(scalar)

const struct vexfs_kernels vexfs_kernels_scalar = {
	.dot = vexfs_dot_scalar,
	.rank_dot = vexfs_rank_dot_scalar,
	.rank_euclid = vexfs_rank_euclid_scalar,
};
