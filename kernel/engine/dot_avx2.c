// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * vpmovsxbw (3 cycles, 1 a cycle from memory) widens 16 codes, vpmaddwd
 * (4-5 cycles, 2 a cycle) multiplies and adds pairs. Four rows by two queries
 * widen as fast as they multiply, and need three loads for four multiplications.
 */
#include "dot.h"

#ifndef __CHECKER__
#include <immintrin.h>

/* A register a row. */
struct tile {
	__m256i a, b, c, d;
};

static inline void store_sums(struct tile sums, s32 *out)
{
	const __m256i all =
		_mm256_hadd_epi32(_mm256_hadd_epi32(sums.a, sums.b),
				  _mm256_hadd_epi32(sums.c, sums.d));

	_mm_storeu_si128((__m128i *)out,
			 _mm_add_epi32(_mm256_castsi256_si128(all),
				       _mm256_extracti128_si256(all, 1)));
}

static inline __m256i widen(const s8 *codes)
{
	return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)codes));
}

static inline __attribute__((always_inline)) void
add_products(struct tile *sums, struct tile codes, const s16 *values)
{
	const __m256i words = _mm256_load_si256((const __m256i *)values);

	sums->a = _mm256_add_epi32(sums->a, _mm256_madd_epi16(codes.a, words));
	sums->b = _mm256_add_epi32(sums->b, _mm256_madd_epi16(codes.b, words));
	sums->c = _mm256_add_epi32(sums->c, _mm256_madd_epi16(codes.c, words));
	sums->d = _mm256_add_epi32(sums->d, _mm256_madd_epi16(codes.d, words));
}

static inline __attribute__((always_inline)) void
dot_tile(const s8 *const *rows, const s16 *queries, size_t bytes, s32 *out)
{
	const __m256i zero = _mm256_setzero_si256();
	struct tile first = { zero, zero, zero, zero }, second = first;
	size_t i;

	for (i = 0; i < bytes; i += 16) {
		const struct tile codes = { widen(rows[0] + i),
					    widen(rows[1] + i),
					    widen(rows[2] + i),
					    widen(rows[3] + i) };

		add_products(&first, codes, queries + i);
		add_products(&second, codes, queries + bytes + i);
	}
	store_sums(first, out);
	store_sums(second, out + VEXFS_BLOCK_ROWS);
}

static inline __m256i dot_row(const s8 *row, const s16 *query, size_t bytes)
{
	const __m256i *values = (const __m256i *)query;
	__m256i even = _mm256_setzero_si256(), odd = even;
	size_t i;

	for (i = 0; i < bytes; i += 32, values += 2) {
		even = _mm256_add_epi32(
			even, _mm256_madd_epi16(widen(row + i),
						_mm256_load_si256(values)));
		odd = _mm256_add_epi32(
			odd, _mm256_madd_epi16(widen(row + i + 16),
					       _mm256_load_si256(values + 1)));
	}
	return _mm256_add_epi32(even, odd);
}

#include "level_rows.h"

static void vexfs_dot_avx2(const s8 *rows, u32 row_count, const s16 *queries,
			   u32 query_count, u32 bytes, s32 *out)
{
	const s8 *taken[TILE];
	u32 r;

	for (; query_count > 1; query_count -= 2) {
		for (r = 0; r < row_count; r += TILE) {
			take_tile(taken, rows, r, row_count, bytes);
			dot_tile(taken, queries, bytes, out + r);
		}
		queries += (size_t)2 * bytes;
		out += 2 * VEXFS_BLOCK_ROWS;
	}
	if (query_count)
		dot_one(rows, row_count, queries, bytes, out);
}

VEXFS_RANK_FUNCTIONS(avx2)

const struct vexfs_kernels vexfs_kernels_avx2 = {
	.dot = vexfs_dot_avx2,
	.rank_dot = vexfs_rank_dot_avx2,
	.rank_euclid = vexfs_rank_euclid_avx2,
};
#endif
