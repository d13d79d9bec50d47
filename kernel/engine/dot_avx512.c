// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * vpdpwssd (4-5 cycles, 1 to 2 a cycle) multiplies 32 pairs of int16 and adds
 * them to 16 sums; vpmovsxbw widens 32 codes. Two rows by four queries keep
 * eight sums in flight, which covers the latency.
 */
#include "dot.h"

#ifndef __CHECKER__
#include <immintrin.h>

static s32 sum_lanes(__m512i sums)
{
	const __m256i half =
		_mm256_add_epi32(_mm512_castsi512_si256(sums),
				 _mm512_extracti64x4_epi64(sums, 1));
	__m128i quarter = _mm_add_epi32(_mm256_castsi256_si128(half),
					_mm256_extracti128_si256(half, 1));

	quarter = _mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0x4e));
	quarter = _mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0xb1));
	return _mm_cvtsi128_si32(quarter);
}

static inline __attribute__((always_inline)) void
dot_tile(const s8 *rows, u32 row_count, const s16 *queries, u32 query_count,
	 u32 bytes, s32 *out, u32 out_stride)
{
	__m512i sums[2][4];
	u32 q, r, i;

	for (r = 0; r < row_count; r++)
		for (q = 0; q < query_count; q++)
			sums[r][q] = _mm512_setzero_si512();
	for (i = 0; i < bytes; i += 32) {
		__m512i codes[2];

		for (r = 0; r < row_count; r++)
			codes[r] = _mm512_cvtepi8_epi16(_mm256_load_si256(
				(const __m256i *)(rows + (size_t)r * bytes +
						  i)));
		for (q = 0; q < query_count; q++) {
			const __m512i values = _mm512_load_si512(
				queries + (size_t)q * bytes + i);

			for (r = 0; r < row_count; r++)
				sums[r][q] = _mm512_dpwssd_epi32(
					sums[r][q], codes[r], values);
		}
	}
	for (r = 0; r < row_count; r++)
		for (q = 0; q < query_count; q++)
			out[q * out_stride + r] = sum_lanes(sums[r][q]);
}

static void vexfs_dot_avx512(const s8 *rows, u32 row_count, const s16 *queries,
			     u32 query_count, u32 bytes, s32 *out)
{
	u32 q = 0, r;

	for (; q + 4 <= query_count; q += 4) {
		const s16 *first = queries + (size_t)q * bytes;

		for (r = 0; r + 2 <= row_count; r += 2)
			dot_tile(rows + (size_t)r * bytes, 2, first, 4, bytes,
				 out + q * VEXFS_BLOCK_ROWS + r,
				 VEXFS_BLOCK_ROWS);
		for (; r < row_count; r++)
			dot_tile(rows + (size_t)r * bytes, 1, first, 4, bytes,
				 out + q * VEXFS_BLOCK_ROWS + r,
				 VEXFS_BLOCK_ROWS);
	}
	for (; q < query_count; q++) {
		const s16 *one = queries + (size_t)q * bytes;

		for (r = 0; r + 2 <= row_count; r += 2)
			dot_tile(rows + (size_t)r * bytes, 2, one, 1, bytes,
				 out + q * VEXFS_BLOCK_ROWS + r,
				 VEXFS_BLOCK_ROWS);
		for (; r < row_count; r++)
			dot_tile(rows + (size_t)r * bytes, 1, one, 1, bytes,
				 out + q * VEXFS_BLOCK_ROWS + r,
				 VEXFS_BLOCK_ROWS);
	}
}

VEXFS_RANK_FUNCTIONS(avx512)

const struct vexfs_kernels vexfs_kernels_avx512 = {
	.dot = vexfs_dot_avx512,
	.rank_dot = vexfs_rank_dot_avx512,
	.rank_euclid = vexfs_rank_euclid_avx512,
};
#endif
