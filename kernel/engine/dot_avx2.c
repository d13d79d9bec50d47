// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * vpmovsxbw (3 cycles, 1 a cycle from memory) widens 16 codes, vpmaddwd
 * (4-5 cycles, 2 a cycle) multiplies and adds pairs. Widening a row once for
 * four queries leaves the multiplications as the limit.
 */
#include "dot.h"

#ifndef __CHECKER__
#include <immintrin.h>

static s32 sum_lanes(__m256i sums)
{
	__m128i half = _mm_add_epi32(_mm256_castsi256_si128(sums),
				     _mm256_extracti128_si256(sums, 1));

	half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
	half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
	return _mm_cvtsi128_si32(half);
}

static inline __attribute__((always_inline)) void
dot_tile(const s8 *row, const s16 *queries, u32 query_count, u32 bytes,
	 s32 *out, u32 out_stride)
{
	__m256i sums[4];
	u32 q, i;

	for (q = 0; q < query_count; q++)
		sums[q] = _mm256_setzero_si256();
	for (i = 0; i < bytes; i += 16) {
		const __m256i codes = _mm256_cvtepi8_epi16(
			_mm_load_si128((const __m128i *)(row + i)));

		for (q = 0; q < query_count; q++) {
			const __m256i *values =
				(const __m256i *)(queries + (size_t)q * bytes +
						  i);

			sums[q] = _mm256_add_epi32(
				sums[q],
				_mm256_madd_epi16(codes,
						  _mm256_load_si256(values)));
		}
	}
	for (q = 0; q < query_count; q++)
		out[q * out_stride] = sum_lanes(sums[q]);
}

static void vexfs_dot_avx2(const s8 *rows, u32 row_count, const s16 *queries,
			   u32 query_count, u32 bytes, s32 *out)
{
	u32 q = 0, r;

	for (; q + 4 <= query_count; q += 4)
		for (r = 0; r < row_count; r++)
			dot_tile(rows + (size_t)r * bytes,
				 queries + (size_t)q * bytes, 4, bytes,
				 out + q * VEXFS_BLOCK_ROWS + r,
				 VEXFS_BLOCK_ROWS);
	for (; q < query_count; q++)
		for (r = 0; r < row_count; r++)
			dot_tile(rows + (size_t)r * bytes,
				 queries + (size_t)q * bytes, 1, bytes,
				 out + q * VEXFS_BLOCK_ROWS + r,
				 VEXFS_BLOCK_ROWS);
}

VEXFS_RANK_FUNCTIONS(avx2)

const struct vexfs_kernels vexfs_kernels_avx2 = {
	.dot = vexfs_dot_avx2,
	.rank_dot = vexfs_rank_dot_avx2,
	.rank_euclid = vexfs_rank_euclid_avx2,
};
#endif
