// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * vpdpbusd (4-5 cycles, 1 to 2 a cycle) multiplies 64 pairs of an unsigned and a
 * signed byte. Rows are made unsigned by flipping their highest bits, which adds
 * 128 times the sum of the query. vpopcntq counts the bits of the filter lines;
 * vpsravq, vpmuldq and vpmovsqd make four keys at once.
 */
#include "walk.h"

#ifndef __CHECKER__
#include <immintrin.h>

static inline s32 sum_lanes(__m512i sums)
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

static inline __attribute__((always_inline)) s32 code_sum(const s8 *code,
							  u32 bytes)
{
	const __m512i bias = _mm512_set1_epi8((char)0x80);
	__m512i sum = _mm512_setzero_si512();
	u32 i;

	for (i = 0; i < bytes; i += 64)
		sum = _mm512_dpbusd_epi32(sum, bias,
					  _mm512_load_si512(code + i));
	return sum_lanes(sum);
}

/* 32 codes as levels of four bits, in words; see the scalar kernel. */
static inline __m512i levels_of_32(const s8 *code)
{
	const __m512i wide = _mm512_add_epi16(
		_mm512_cvtepi8_epi16(_mm256_load_si256((const __m256i *)code)),
		_mm512_set1_epi16(144));

	return _mm512_sub_epi16(
		_mm512_srli_epi16(
			_mm512_mullo_epi16(wide, _mm512_set1_epi16(241)), 12),
		_mm512_set1_epi16(8));
}

static inline s32 planes_of_64(const s8 *code, u64 *planes, u32 stride)
{
	const __m512i low = levels_of_32(code);
	const __m512i high = levels_of_32(code + 32);
	u32 p;

	for (p = 0; p < VEXFS_PLANES; p++) {
		const __m512i bit = _mm512_set1_epi16((short)(1 << p));

		planes[(size_t)p * stride] =
			(u64)_mm512_test_epi16_mask(low, bit) |
			(u64)_mm512_test_epi16_mask(high, bit) << 32;
	}
	return sum_lanes(_mm512_madd_epi16(_mm512_add_epi16(low, high),
					   _mm512_set1_epi16(1)));
}

/* The sums of four registers of dwords, as four lanes. */
static inline __m128i sum_four(__m512i a, __m512i b, __m512i c, __m512i d)
{
	const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b),
					    _mm512_unpackhi_epi32(a, b));
	const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d),
					    _mm512_unpackhi_epi32(c, d));
	const __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd),
					     _mm512_unpackhi_epi64(ab, cd));
	const __m256i half = _mm256_add_epi32(
		_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));

	return _mm_add_epi32(_mm256_castsi256_si128(half),
			     _mm256_extracti128_si256(half, 1));
}

/* Shifts of four terms: base minus the packed exponents. */
static inline __m128i shifts_of(s32 base, __m128i packed)
{
	return _mm_sub_epi32(_mm_set1_epi32(base),
			     _mm_srli_epi32(packed, VEXFS_PACKED_BITS));
}

/* (factor * mantissa) >> shift, in 64 bits; counts past 63 fill with the sign. */
static inline __m256i term_of(__m128i factor, __m128i packed, __m128i shift)
{
	const __m128i mantissa = _mm_and_si128(
		packed, _mm_set1_epi32((1 << VEXFS_PACKED_BITS) - 1));

	return _mm256_srav_epi64(
		_mm256_mul_epi32(_mm256_cvtepu32_epi64(factor),
				 _mm256_cvtepu32_epi64(mantissa)),
		_mm256_cvtepu32_epi64(shift));
}

static inline __m128i saturated(__m256i keys, __mmask8 far)
{
	const __m128i most = _mm_set1_epi32(VEXFS_KEY_FAR);

	return _mm_mask_mov_epi32(
		_mm_min_epi32(_mm256_cvtsepi64_epi32(keys), most), far, most);
}

static inline u32 store_below(__m128i found, s32 threshold, s32 *keys)
{
	const __mmask8 below =
		_mm_cmplt_epi32_mask(found, _mm_set1_epi32(threshold));

	if (below)
		_mm_storeu_si128((__m128i *)keys, found);
	return below;
}

static inline __m128i load_scale(const struct vexfs_row_scale *scale)
{
	return _mm_loadl_epi64((const __m128i *)scale);
}

static inline __attribute__((always_inline)) u32
codes4_below(const struct vexfs_query *query, const s8 *const *codes,
	     const struct vexfs_row_scale *const *scales, s32 threshold,
	     const u32 blocks, s32 *keys)
{
	const __m512i flip = _mm512_set1_epi8((char)0x80);
	__m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
	__m128i first, second, steps, squares, shift, square_shift, dots;
	u32 i;

	for (i = 0; i < blocks * VEXFS_ROW_ALIGN; i += 64) {
		const __m512i values = _mm512_load_si512(query->code + i);

		a = _mm512_dpbusd_epi32(
			a,
			_mm512_xor_si512(_mm512_load_si512(codes[0] + i), flip),
			values);
		b = _mm512_dpbusd_epi32(
			b,
			_mm512_xor_si512(_mm512_load_si512(codes[1] + i), flip),
			values);
		c = _mm512_dpbusd_epi32(
			c,
			_mm512_xor_si512(_mm512_load_si512(codes[2] + i), flip),
			values);
		d = _mm512_dpbusd_epi32(
			d,
			_mm512_xor_si512(_mm512_load_si512(codes[3] + i), flip),
			values);
	}
	first = _mm_unpacklo_epi32(load_scale(scales[0]),
				   load_scale(scales[1]));
	second = _mm_unpacklo_epi32(load_scale(scales[2]),
				    load_scale(scales[3]));
	steps = _mm_unpacklo_epi64(first, second);
	squares = _mm_unpackhi_epi64(first, second);
	dots = _mm_sub_epi32(sum_four(a, b, c, d),
			     _mm_set1_epi32(query->code_sum));
	shift = shifts_of(query->dot_base, steps);
	square_shift = shifts_of(query->square_base, squares);
	return store_below(
		saturated(_mm256_sub_epi64(
				  term_of(_mm_set1_epi32(query->square_scale),
					  squares, square_shift),
				  term_of(dots, steps, shift)),
			  _mm_movepi32_mask(_mm_or_si128(shift, square_shift))),
		threshold, keys);
}

/* Per lane of 64 bits: the sum of levels over the set signs. */
static inline __m512i flips_of(const u8 *line, const u8 *planes, u32 bytes)
{
	__m512i sum = _mm512_setzero_si512();
	u32 i;

	for (i = 0; i < bytes; i += 64) {
		const __m512i signs = _mm512_load_si512(line + i);
		__m512i counts[VEXFS_PLANES];
		u32 p;

		for (p = 0; p < VEXFS_PLANES; p++)
			counts[p] = _mm512_popcnt_epi64(_mm512_and_si512(
				signs,
				_mm512_load_si512(planes + p * bytes + i)));
		sum = _mm512_add_epi64(
			sum,
			_mm512_sub_epi64(
				_mm512_add_epi64(
					_mm512_add_epi64(counts[0],
							 _mm512_slli_epi64(
								 counts[1], 1)),
					_mm512_slli_epi64(counts[2], 2)),
				_mm512_slli_epi64(counts[3], 3)));
	}
	return sum;
}

static inline __m128i load_tail(const u8 *line, u32 bytes)
{
	return _mm_load_si128(
		(const __m128i *)(line + bytes -
				  sizeof(struct vexfs_line_tail)));
}

static inline __attribute__((always_inline)) u32
lines4_below(const struct vexfs_query *query, const u8 *const *lines, u32 slack,
	     s32 threshold, u32 bytes, s32 *keys)
{
	const u8 *planes = (const u8 *)query->planes;
	const __m512i a = flips_of(lines[0], planes, bytes);
	const __m512i b = flips_of(lines[1], planes, bytes);
	const __m512i c = flips_of(lines[2], planes, bytes);
	const __m512i d = flips_of(lines[3], planes, bytes);
	const __m128i ta = load_tail(lines[0], bytes);
	const __m128i tb = load_tail(lines[1], bytes);
	const __m128i tc = load_tail(lines[2], bytes);
	const __m128i td = load_tail(lines[3], bytes);
	/* Low dwords hold each lane's sum: it fits. */
	const __m512i ab =
		_mm512_mask_mov_epi32(a, 0xaaaa, _mm512_slli_epi64(b, 32));
	const __m512i cd =
		_mm512_mask_mov_epi32(c, 0xaaaa, _mm512_slli_epi64(d, 32));
	const __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd),
					     _mm512_unpackhi_epi64(ab, cd));
	const __m256i half = _mm256_add_epi32(
		_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
	const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(half),
					   _mm256_extracti128_si256(half, 1));
	const __m128i levels = _mm_sub_epi32(_mm_add_epi32(sums, sums),
					     _mm_set1_epi32(query->plane_sum));
	const __m128i flips = _mm_add_epi32(_mm_slli_epi32(levels, 4), levels);
	/* Tails by member: flip and error, then step and square. */
	const __m128i ab_low = _mm_unpacklo_epi32(ta, tb);
	const __m128i cd_low = _mm_unpacklo_epi32(tc, td);
	const __m128i ab_high = _mm_unpackhi_epi32(ta, tb);
	const __m128i cd_high = _mm_unpackhi_epi32(tc, td);
	const __m128i flip = _mm_unpacklo_epi64(ab_low, cd_low);
	const __m128i error = _mm_unpackhi_epi64(ab_low, cd_low);
	const __m128i square = _mm_unpackhi_epi64(ab_high, cd_high);
	const __m128i shift = shifts_of(query->dot_base, flip);
	const __m128i error_shift = shifts_of(query->dot_base, error);
	const __m128i square_shift = shifts_of(query->square_base, square);
	const __m128i reach =
		_mm_set1_epi32((s32)((u64)query->length * slack >> 4));
	const __mmask8 far = _mm_movepi32_mask(square_shift);
	const __mmask8 unknown =
		_mm_movepi32_mask(_mm_or_si128(shift, error_shift));
	const __m256i key = _mm256_sub_epi64(
		_mm256_sub_epi64(term_of(_mm_set1_epi32(query->square_scale),
					 square, square_shift),
				 term_of(flips, flip, shift)),
		term_of(reach, error, error_shift));

	return store_below(
		saturated(_mm256_mask_mov_epi64(
				  key, unknown,
				  _mm256_set1_epi64x(VEXFS_KEY_NEAR)),
			  far),
		threshold, keys);
}

/* Sixteen lanes one place up, the lowest from the last of the block before. */
static inline __m512i shift_up(const void *at)
{
	return _mm512_alignr_epi32(_mm512_load_si512(at),
				   _mm512_load_si512((const u8 *)at - 64), 15);
}

/* From lane `place` on one place up, and `value` there. */
static inline void put_lane(void *at, __mmask16 from, u32 value)
{
	const __m512i old = _mm512_load_si512(at);
	const __mmask16 lane = (__mmask16)(from & (~(u32)from + 1));
	const __m512i up = _mm512_mask_alignr_epi32(old, from, old, old, 15);

	_mm512_store_si512(at, _mm512_mask_set1_epi32(up, lane, (s32)value));
}

static inline u32 pool_put(const struct vexfs_pool *pool, s32 key, u32 slot)
{
	const __m512i wanted = _mm512_set1_epi32(key);
	u32 first = 0, block;
	__mmask16 after;

	for (;;) {
		after = _mm512_cmpgt_epi32_mask(
			_mm512_load_si512(pool->keys + first), wanted);
		if (after)
			break;
		first += 16;
	}
	for (block = pool->padded - 16; block > first; block -= 16) {
		_mm512_store_si512(pool->keys + block,
				   shift_up(pool->keys + block));
		_mm512_store_si512(pool->slots + block,
				   shift_up(pool->slots + block));
	}
	put_lane(pool->keys + first, after, (u32)key);
	put_lane(pool->slots + first, after, slot);
	return first + (u32)__builtin_ctz(after);
}

#include "level_kernels.h"

VEXFS_GRAPH_KERNELS(avx512);
#endif
