// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * vpmaddubsw (4-5 cycles, 2 a cycle) multiplies 32 pairs of an unsigned and a
 * signed byte and adds them by twos, vpmaddwd by one adds those by twos: the
 * magnitudes of the query by the row's codes, which vpsignb gives the query's signs.
 * Four rows keep four sums in flight. Bits are counted by vpshufb over nibbles.
 */
#include "blocks.h"
#include "walk.h"

#ifndef __CHECKER__
#include <immintrin.h>

static inline s32 code_sum(const s8 *code, u32 bytes)
{
	(void)code;
	(void)bytes;
	return 0;
}

/* 16 codes as levels of four bits, in words; see the scalar kernel. */
static inline __m256i levels_of_16(const s8 *code)
{
	const __m256i wide = _mm256_add_epi16(
		_mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)code)),
		_mm256_set1_epi16(144));

	return _mm256_sub_epi16(
		_mm256_srli_epi16(
			_mm256_mullo_epi16(wide, _mm256_set1_epi16(241)), 12),
		_mm256_set1_epi16(8));
}

static inline s32 sum_words(__m256i words)
{
	const __m256i pairs = _mm256_madd_epi16(words, _mm256_set1_epi16(1));
	__m128i half = _mm_add_epi32(_mm256_castsi256_si128(pairs),
				     _mm256_extracti128_si256(pairs, 1));

	half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
	half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
	return _mm_cvtsi128_si32(half);
}

static inline s32 planes_of_64(const s8 *code, u64 *planes, u32 stride)
{
	__m256i sum = _mm256_setzero_si256();
	u32 half, p;

	for (half = 0; half < 2; half++) {
		const __m256i low = levels_of_16(code + half * 32);
		const __m256i high = levels_of_16(code + half * 32 + 16);
		/* Packing works by lanes; the permutation undoes that. */
		const __m256i levels = _mm256_permute4x64_epi64(
			_mm256_packs_epi16(low, high), 0xd8);

		sum = _mm256_add_epi16(sum, _mm256_add_epi16(low, high));
		for (p = 0; p < VEXFS_PLANES; p++)
			planes[(size_t)p * stride] |=
				(u64)(u32)_mm256_movemask_epi8(_mm256_sll_epi16(
					levels, _mm_cvtsi32_si128(7 - (s32)p)))
				<< (half * 32);
	}
	return sum_words(sum);
}

static inline __m128i sum_four(const __m256i *sums)
{
	const __m256i low = _mm256_hadd_epi32(sums[0], sums[1]);
	const __m256i high = _mm256_hadd_epi32(sums[2], sums[3]);
	const __m256i all = _mm256_hadd_epi32(low, high);

	return _mm_add_epi32(_mm256_castsi256_si128(all),
			     _mm256_extracti128_si256(all, 1));
}

/* sums += products of 32 codes with as many of a row: pairs stay within an int16,
 * since no code is below -127. */
static inline __m256i add_products(__m256i sums, __m256i magnitudes,
				   __m256i values, const s8 *row)
{
	const __m256i codes = _mm256_sign_epi8(
		_mm256_load_si256((const __m256i *)row), values);

	return _mm256_add_epi32(
		sums, _mm256_madd_epi16(_mm256_maddubs_epi16(magnitudes, codes),
					_mm256_set1_epi16(1)));
}

/* 16 codes in units: vpmulhrsw rounds as vexfs_element_in_units() does. */
static inline __m256i in_units(const s8 *codes, __m256i factor)
{
	const __m256i wide =
		_mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)codes));

	return _mm256_mulhrs_epi16(
		_mm256_slli_epi16(wide, 15 - VEXFS_FACTOR_BITS), factor);
}

static NEVER_INLINE u32
differences4_below(const struct vexfs_query *query, const s8 *const *codes,
		   const struct vexfs_row_scale *const *scales, s32 threshold,
		   u32 blocks, s32 *keys)
{
	const __m256i one = _mm256_set1_epi16(1);
	const __m256i own = _mm256_set1_epi16((short)query->factor);
	__m256i sums[4], factors[4];
	u32 factor[4], below = 0, r, i;

	for (r = 0; r < 4; r++) {
		factor[r] = vexfs_step_in_units(query, scales[r]->step);
		factors[r] = _mm256_set1_epi16((short)factor[r]);
		sums[r] = _mm256_setzero_si256();
	}
	for (i = 0; i < blocks * VEXFS_ROW_ALIGN; i += 16) {
		const __m256i values = in_units(query->code + i, own);

		for (r = 0; r < 4; r++) {
			const __m256i difference = _mm256_abs_epi16(
				_mm256_sub_epi16(values, in_units(codes[r] + i,
								  factors[r])));

			sums[r] = _mm256_add_epi32(
				sums[r], _mm256_madd_epi16(difference, one));
		}
	}
	_mm_storeu_si128((__m128i *)keys, sum_four(sums));
	for (r = 0; r < 4; r++) {
		if (factor[r] > VEXFS_FACTOR_MAX)
			keys[r] = VEXFS_KEY_FAR;
		below |= (u32)(keys[r] < threshold) << r;
	}
	return below;
}

static inline __attribute__((always_inline)) u32
codes4_below(const struct vexfs_query *query, const s8 *const *codes,
	     const struct vexfs_row_scale *const *scales, s32 threshold,
	     const u32 blocks, s32 *keys)
{
	__m256i sums[4];
	s32 dots[4];
	u32 below = 0, r, i;

	if (__builtin_expect(query->by_differences, 0))
		return differences4_below(query, codes, scales, threshold,
					  blocks, keys);
	for (r = 0; r < 4; r++)
		sums[r] = _mm256_setzero_si256();
	for (i = 0; i < blocks * VEXFS_ROW_ALIGN; i += 32) {
		const __m256i values =
			_mm256_load_si256((const __m256i *)(query->code + i));
		const __m256i magnitudes = _mm256_abs_epi8(values);

		for (r = 0; r < 4; r++)
			sums[r] = add_products(sums[r], magnitudes, values,
					       codes[r] + i);
	}
	_mm_storeu_si128((__m128i *)dots, sum_four(sums));
	for (r = 0; r < 4; r++) {
		keys[r] = vexfs_key_of(query, dots[r], *scales[r]);
		below |= (u32)(keys[r] < threshold) << r;
	}
	return below;
}

/* Set bits of each byte. */
static inline __m256i count_bits(__m256i bytes)
{
	const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2,
					       3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2,
					       2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i nibble = _mm256_set1_epi8(15);

	return _mm256_add_epi8(
		_mm256_shuffle_epi8(table, _mm256_and_si256(bytes, nibble)),
		_mm256_shuffle_epi8(
			table,
			_mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)));
}

static inline s32 flips_of(const u8 *line, const struct vexfs_query *query,
			   u32 bytes)
{
	const u8 *planes = (const u8 *)query->planes;
	__m256i sum = _mm256_setzero_si256();
	__m128i half;
	u32 i;

	for (i = 0; i < bytes; i += 32) {
		const __m256i signs =
			_mm256_load_si256((const __m256i *)(line + i));
		__m256i counts[VEXFS_PLANES];
		u32 p;

		for (p = 0; p < VEXFS_PLANES; p++)
			counts[p] = count_bits(_mm256_and_si256(
				signs,
				_mm256_load_si256((const __m256i *)(planes +
								    p * bytes +
								    i))));
		/* At most 8 + 16 + 32 = 56 a byte, and 64 for the sign. */
		sum = _mm256_add_epi64(
			sum,
			_mm256_sad_epu8(
				_mm256_add_epi8(
					counts[0],
					_mm256_add_epi8(
						_mm256_slli_epi16(counts[1], 1),
						_mm256_slli_epi16(counts[2],
								  2))),
				_mm256_setzero_si256()));
		sum = _mm256_sub_epi64(
			sum, _mm256_sad_epu8(_mm256_slli_epi16(counts[3], 3),
					     _mm256_setzero_si256()));
	}
	half = _mm_add_epi64(_mm256_castsi256_si128(sum),
			     _mm256_extracti128_si256(sum, 1));
	half = _mm_add_epi64(half, _mm_shuffle_epi32(half, 0x4e));
	return 2 * _mm_cvtsi128_si32(half) - query->plane_sum;
}

/* Inlined for each length, its frames would add up. */
static NEVER_INLINE u32 lines8_below(const struct vexfs_query *query,
				     const u8 *const *lines, u32 slack,
				     s32 threshold, u32 bytes, s32 *keys)
{
	u32 below = 0, r;

	for (r = 0; r < 8; r++) {
		const struct vexfs_line_tail *tail =
			(const struct vexfs_line_tail
				 *)(const void *)(lines[r] + bytes -
						  sizeof(*tail));

		keys[r] = vexfs_line_key(
			query, flips_of(lines[r], query, bytes), slack, *tail);
		below |= (u32)(keys[r] < threshold) << r;
	}
	return below;
}

/* Eight lanes one place up, the lowest from the last of the block before. */
static inline __m256i shift_up(const void *at)
{
	return _mm256_loadu_si256((const __m256i *)((const u8 *)at - 4));
}

static inline u32 pool_put(const struct vexfs_pool *pool, s32 key, u32 slot)
{
	const __m256i wanted = _mm256_set1_epi32(key);
	u32 place = 0, block, i;

	for (block = 0; block < pool->padded; block += 8) {
		const u32 after = (u32)_mm256_movemask_epi8(_mm256_cmpgt_epi32(
			_mm256_load_si256((const __m256i *)(pool->keys + block)),
			wanted));

		place = block + (after ? (u32)__builtin_ctz(after) / 4 : 8);
		if (after)
			break;
	}
	for (block = pool->padded - 8; block > place; block -= 8) {
		_mm256_store_si256((__m256i *)(pool->keys + block),
				   shift_up(pool->keys + block));
		_mm256_store_si256((__m256i *)(pool->slots + block),
				   shift_up(pool->slots + block));
	}
	for (i = block + 7; i > place; i--) {
		pool->keys[i] = pool->keys[i - 1];
		pool->slots[i] = pool->slots[i - 1];
	}
	pool->keys[place] = key;
	pool->slots[place] = slot;
	return place;
}

#include "level_plain.h"
#include "level_kernels.h"

VEXFS_GRAPH_KERNELS(avx2);
#endif
