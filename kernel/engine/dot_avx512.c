// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * vpdpwssd (4-5 cycles, 2 a cycle) multiplies 32 pairs of int16 and adds them to 16
 * sums; vpmovsxbw widens 32 codes, and takes half a multiplication's time. Four rows
 * by four queries are sixteen sums in flight, and a row is widened for four of them.
 */
#include "dot.h"

#ifndef __CHECKER__
#include "sums_avx512.h"

/* A register a row. */
struct tile {
	__m512i a, b, c, d;
};

static inline __attribute__((always_inline)) struct tile zero_tile(void)
{
	const __m512i zero = _mm512_setzero_si512();
	const struct tile zeros = { zero, zero, zero, zero };

	return zeros;
}

static inline void store_sums(struct tile sums, s32 *out)
{
	_mm_storeu_si128((__m128i *)out,
			 sum_four(sums.a, sums.b, sums.c, sums.d));
}

static inline __m512i widen(const s8 *codes)
{
	return _mm512_cvtepi8_epi16(_mm256_load_si256((const __m256i *)codes));
}

/* Pairs of words, multiplied and added by twos. Assembly, since for the intrinsic
 * GCC 12 copies each sum from register to register in every round of a loop. */
static inline void add_words(__m512i *sums, __m512i a, __m512i b)
{
	__asm__("vpdpwssd %2, %1, %0" : "+v"(*sums) : "v"(a), "v"(b));
}

static inline __attribute__((always_inline)) void
add_products(struct tile *sums, struct tile codes, const s16 *values)
{
	const __m512i words = _mm512_load_si512(values);

	add_words(&sums->a, codes.a, words);
	add_words(&sums->b, codes.b, words);
	add_words(&sums->c, codes.c, words);
	add_words(&sums->d, codes.d, words);
}

static inline __attribute__((always_inline)) void
dot_tile(const s8 *const *rows, const s16 *queries, const u32 query_count,
	 size_t bytes, s32 *out)
{
	const s8 *const a = rows[0], *const b = rows[1];
	const s8 *const c = rows[2], *const d = rows[3];
	struct tile first = zero_tile(), second = first, third = first,
		    fourth = first;
	size_t i = 0;

	do {
		const struct tile codes = { widen(a + i), widen(b + i),
					    widen(c + i), widen(d + i) };

		add_products(&first, codes, queries + i);
		add_products(&second, codes, queries + bytes + i);
		if (query_count > 2)
			add_products(&third, codes, queries + 2 * bytes + i);
		if (query_count > 3)
			add_products(&fourth, codes, queries + 3 * bytes + i);
		i += 32;
	} while (i < bytes);
	store_sums(first, out);
	store_sums(second, out + VEXFS_BLOCK_ROWS);
	if (query_count > 2)
		store_sums(third, out + 2 * VEXFS_BLOCK_ROWS);
	if (query_count > 3)
		store_sums(fourth, out + 3 * VEXFS_BLOCK_ROWS);
}

static inline __m512i dot_row(const s8 *row, const s16 *query, size_t bytes)
{
	__m512i even = _mm512_setzero_si512(), odd = even;
	size_t i = 0;

	do {
		add_words(&even, widen(row + i), _mm512_load_si512(query + i));
		add_words(&odd, widen(row + i + 32),
			  _mm512_load_si512(query + i + 32));
		i += 64;
	} while (i < bytes);
	return _mm512_add_epi32(even, odd);
}

#include "level_rows.h"

static inline __attribute__((always_inline)) void
dot_several(const s8 *rows, u32 row_count, const s16 *queries,
	    const u32 query_count, u32 bytes, s32 *out)
{
	const s8 *taken[TILE];
	u32 r;

	for (r = 0; r < row_count; r += TILE) {
		take_tile(taken, rows, r, row_count, bytes);
		dot_tile(taken, queries, query_count, bytes, out + r);
	}
}

static void vexfs_dot_avx512(const s8 *rows, u32 row_count, const s16 *queries,
			     u32 query_count, u32 bytes, s32 *out)
{
	for (; query_count >= 4; query_count -= 4) {
		dot_several(rows, row_count, queries, 4, bytes, out);
		queries += (size_t)4 * bytes;
		out += 4 * VEXFS_BLOCK_ROWS;
	}
	switch (query_count) {
	case 3:
		dot_several(rows, row_count, queries, 3, bytes, out);
		break;
	case 2:
		dot_several(rows, row_count, queries, 2, bytes, out);
		break;
	case 1:
		dot_one(rows, row_count, queries, bytes, out);
	}
}

VEXFS_RANK_FUNCTIONS(avx512)

const struct vexfs_kernels vexfs_kernels_avx512 = {
	.dot = vexfs_dot_avx512,
	.rank_dot = vexfs_rank_dot_avx512,
	.rank_euclid = vexfs_rank_euclid_avx512,
};
#endif
