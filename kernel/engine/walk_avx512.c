// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * vpdpbusd (4-5 cycles, 1 to 2 a cycle) multiplies 64 pairs of an unsigned and a
 * signed byte. Rows are made unsigned by flipping their highest bits, which adds
 * 128 times the sum of the query. vpopcntb counts the bits of the filter lines;
 * vpsravq, vpmuldq and vpmovsqd make four or eight keys at once.
 */
#include "blocks.h"
#include "walk.h"

#ifndef __CHECKER__
#include "sums_avx512.h"

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

static inline __m128i saturated(__m256i keys)
{
	return _mm_min_epi32(_mm256_cvtsepi64_epi32(keys),
			     _mm_set1_epi32(VEXFS_KEY_FAR));
}

/* The keys of those that are beyond what the unit can express. */
static inline __m128i ends_of(const struct vexfs_query *query, __m128i dots)
{
	return _mm_mask_mov_epi32(
		_mm_set1_epi32(VEXFS_KEY_FAR),
		_mm_cmpgt_epi32_mask(dots, _mm_set1_epi32(query->near_above)),
		_mm_set1_epi32(VEXFS_KEY_NEAR));
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

/* 32 codes in units: vpmulhrsw rounds as vexfs_element_in_units() does. */
static inline __m512i in_units(const s8 *codes, __m512i factor)
{
	const __m512i wide =
		_mm512_cvtepi8_epi16(_mm256_load_si256((const __m256i *)codes));

	return _mm512_mulhrs_epi16(
		_mm512_slli_epi16(wide, 15 - VEXFS_FACTOR_BITS), factor);
}

static NEVER_INLINE u32
differences4_below(const struct vexfs_query *query, const s8 *const *codes,
		   const struct vexfs_row_scale *const *scales, s32 threshold,
		   u32 blocks, s32 *keys)
{
	const __m512i one = _mm512_set1_epi16(1);
	const __m512i own = _mm512_set1_epi16((short)query->factor);
	__m512i sums[4], factors[4];
	u32 factor[4], r, i;
	__mmask8 beyond = 0;

	for (r = 0; r < 4; r++) {
		factor[r] = vexfs_step_in_units(query, scales[r]->step);
		beyond |= (__mmask8)((factor[r] > VEXFS_FACTOR_MAX) << r);
		factors[r] = _mm512_set1_epi16((short)factor[r]);
		sums[r] = _mm512_setzero_si512();
	}
	for (i = 0; i < blocks * VEXFS_ROW_ALIGN; i += 32) {
		const __m512i values = in_units(query->code + i, own);

		for (r = 0; r < 4; r++)
			sums[r] = _mm512_dpwssd_epi32(
				sums[r],
				_mm512_abs_epi16(_mm512_sub_epi16(
					values,
					in_units(codes[r] + i, factors[r]))),
				one);
	}
	return store_below(
		_mm_mask_mov_epi32(sum_four(sums[0], sums[1], sums[2], sums[3]),
				   beyond, _mm_set1_epi32(VEXFS_KEY_FAR)),
		threshold, keys);
}

static inline __attribute__((always_inline)) u32
codes4_below(const struct vexfs_query *query, const s8 *const *codes,
	     const struct vexfs_row_scale *const *scales, s32 threshold,
	     const u32 blocks, s32 *keys)
{
	const __m512i flip = _mm512_set1_epi8((char)0x80);
	__m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
	__m128i first, second, steps, squares, shift, square_shift, dots;
	__m128i found;
	__mmask8 beyond;
	u32 i;

	if (__builtin_expect(query->by_differences, 0))
		return differences4_below(query, codes, scales, threshold,
					  blocks, keys);
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
	found = saturated(
		_mm256_sub_epi64(term_of(_mm_set1_epi32(query->square_scale),
					 squares, square_shift),
				 term_of(dots, steps, shift)));
	beyond = _mm_movepi32_mask(_mm_or_si128(shift, square_shift));
	if (__builtin_expect(beyond, 0))
		found = _mm_mask_mov_epi32(found, beyond, ends_of(query, dots));
	return store_below(found, threshold, keys);
}

/*
 * The sums of levels over the set signs, as eight lanes: bits are counted a byte,
 * and vpdpbusd adds four counts to each of 16 sums with the plane's weight.
 */
static inline __attribute__((always_inline)) __m256i
flips_of_8(const u8 *const *lines, const u8 *planes, const u32 bytes)
{
	static const s8 weights[VEXFS_PLANES] = { 1, 2, 4, -8 };
	__m512i sums[8];
	u32 r, p, i;

	for (r = 0; r < 8; r++)
		sums[r] = _mm512_setzero_si512();
	for (i = 0; i < bytes; i += 64)
		for (p = 0; p < VEXFS_PLANES; p++) {
			const __m512i plane =
				_mm512_load_si512(planes + p * bytes + i);
			const __m512i weight = _mm512_set1_epi8(weights[p]);

			for (r = 0; r < 8; r++)
				sums[r] = _mm512_dpbusd_epi32(
					sums[r],
					_mm512_popcnt_epi8(_mm512_and_si512(
						_mm512_load_si512(lines[r] + i),
						plane)),
					weight);
		}
	return _mm256_set_m128i(sum_four(sums[4], sums[5], sums[6], sums[7]),
				sum_four(sums[0], sums[1], sums[2], sums[3]));
}

/* The tails of four lines, by member. */
struct four_tails {
	__m128i flips;
	__m128i errors;
	__m128i squares;
};

static inline __m128i load_tail(const u8 *line, u32 bytes)
{
	return _mm_load_si128(
		(const __m128i *)(line + bytes -
				  sizeof(struct vexfs_line_tail)));
}

static inline struct four_tails load_tails(const u8 *const *lines, u32 bytes)
{
	const __m128i a = load_tail(lines[0], bytes);
	const __m128i b = load_tail(lines[1], bytes);
	const __m128i c = load_tail(lines[2], bytes);
	const __m128i d = load_tail(lines[3], bytes);
	const __m128i ab = _mm_unpacklo_epi32(a, b);
	const __m128i cd = _mm_unpacklo_epi32(c, d);
	/* A tail ends with step and square. */
	const struct four_tails tails = {
		_mm_unpacklo_epi64(ab, cd),
		_mm_unpackhi_epi64(ab, cd),
		_mm_unpackhi_epi64(_mm_unpackhi_epi32(a, b),
				   _mm_unpackhi_epi32(c, d)),
	};

	return tails;
}

static inline __m256i join(__m128i low, __m128i high)
{
	return _mm256_set_m128i(high, low);
}

/* As the functions on four lanes above. */
static inline __m256i shifts_of_8(s32 base, __m256i packed)
{
	return _mm256_sub_epi32(_mm256_set1_epi32(base),
				_mm256_srli_epi32(packed, VEXFS_PACKED_BITS));
}

static inline __m512i term_of_8(__m256i factor, __m256i packed, __m256i shift)
{
	const __m256i mantissa = _mm256_and_si256(
		packed, _mm256_set1_epi32((1 << VEXFS_PACKED_BITS) - 1));

	return _mm512_srav_epi64(
		_mm512_mul_epi32(_mm512_cvtepu32_epi64(factor),
				 _mm512_cvtepu32_epi64(mantissa)),
		_mm512_cvtepu32_epi64(shift));
}

static inline __attribute__((always_inline)) u32
lines8_below(const struct vexfs_query *query, const u8 *const *lines, u32 slack,
	     s32 threshold, const u32 bytes, s32 *keys)
{
	const __m256i levels = _mm256_sub_epi32(
		_mm256_slli_epi32(
			flips_of_8(lines, (const u8 *)query->planes, bytes), 1),
		_mm256_set1_epi32(query->plane_sum));
	const __m256i flips =
		_mm256_add_epi32(_mm256_slli_epi32(levels, 4), levels);
	const struct four_tails low = load_tails(lines, bytes);
	const struct four_tails high = load_tails(lines + 4, bytes);
	const __m256i flip = join(low.flips, high.flips);
	const __m256i error = join(low.errors, high.errors);
	const __m256i square = join(low.squares, high.squares);
	const __m256i shift = shifts_of_8(query->dot_base, flip);
	const __m256i error_shift = shifts_of_8(query->dot_base, error);
	const __m256i square_shift = shifts_of_8(query->square_base, square);
	const __m256i reach =
		_mm256_set1_epi32((s32)((u64)query->length * slack >> 4));
	const __m256i most = _mm256_set1_epi32(VEXFS_KEY_FAR);
	const __mmask8 far = _mm256_movepi32_mask(square_shift);
	const __mmask8 unknown =
		_mm256_movepi32_mask(_mm256_or_si256(shift, error_shift));
	const __m512i wide = _mm512_mask_mov_epi64(
		_mm512_sub_epi64(
			_mm512_sub_epi64(term_of_8(_mm256_set1_epi32(
							   query->square_scale),
						   square, square_shift),
					 term_of_8(flips, flip, shift)),
			term_of_8(reach, error, error_shift)),
		unknown, _mm512_set1_epi64(VEXFS_KEY_NEAR));
	const __m256i found = _mm256_mask_mov_epi32(
		_mm256_min_epi32(_mm512_cvtsepi64_epi32(wide), most), far,
		most);

	_mm256_storeu_si256((__m256i *)keys, found);
	return _mm256_cmplt_epi32_mask(found, _mm256_set1_epi32(threshold));
}

static inline u32 keep_8(u32 *to, const u32 *from, u32 set)
{
	const __m256i eight = _mm256_loadu_si256((const __m256i *)from);

	_mm256_storeu_si256((__m256i *)to,
			    _mm256_maskz_compress_epi32((__mmask8)set, eight));
	return (u32)__builtin_popcount(set);
}

static inline u32 links_where(const u32 *row, u32 width, u32 slot_limit,
			      const u64 *bits, const bool is_set, u32 *slots)
{
	const __m512i one = _mm512_set1_epi32(1);
	const __m512i limit = _mm512_set1_epi32((s32)slot_limit);
	u32 count = 0, i;

	for (i = 0; i < width; i += 16) {
		/* No link becomes the highest number there is. */
		const __m512i found =
			_mm512_sub_epi32(_mm512_load_si512(row + i), one);
		const __mmask16 known = _mm512_cmplt_epu32_mask(found, limit);
		const __m512i words = _mm512_mask_i32gather_epi32(
			found, known, _mm512_srli_epi32(found, 5), bits, 4);
		const __m512i bit = _mm512_sllv_epi32(
			one, _mm512_and_si512(found, _mm512_set1_epi32(31)));
		const __mmask16 kept =
			is_set ? _mm512_mask_test_epi32_mask(known, words, bit)
			       : _mm512_mask_testn_epi32_mask(known, words,
							      bit);

		_mm512_storeu_si512(slots + count,
				    _mm512_maskz_compress_epi32(kept, found));
		count += (u32)__builtin_popcount(kept);
	}
	return count;
}

/* From lane `place` on one place up, and `value` there. */
static inline void put_lane(void *at, __m512i old, __mmask16 from, u32 value)
{
	const __mmask16 lane = (__mmask16)(from & (~(u32)from + 1));
	const __m512i up = _mm512_mask_alignr_epi32(old, from, old, old, 15);

	_mm512_store_si512(at, _mm512_mask_set1_epi32(up, lane, (s32)value));
}

static inline u32 pool_put(const struct vexfs_pool *pool, s32 key, u32 slot)
{
	const __m512i wanted = _mm512_set1_epi32(key);
	__m512i keys, slots;
	u32 first = 0, block;
	__mmask16 after;
	s32 pushed;

	for (;;) {
		keys = _mm512_load_si512(pool->keys + first);
		after = _mm512_cmpgt_epi32_mask(keys, wanted);
		if (after)
			break;
		first += 16;
	}
	slots = _mm512_load_si512(pool->slots + first);
	pushed = pool->keys[first + 15];
	put_lane(pool->keys + first, keys, after, (u32)key);
	put_lane(pool->slots + first, slots, after, slot);
	/* What a block pushes out is the next one's first, up to the last used. */
	for (block = first + 16;
	     block < pool->padded && pushed != VEXFS_KEY_NONE; block += 16) {
		const __m512i next_keys = _mm512_load_si512(pool->keys + block);
		const __m512i next_slots =
			_mm512_load_si512(pool->slots + block);

		pushed = pool->keys[block + 15];
		_mm512_store_si512(pool->keys + block,
				   _mm512_alignr_epi32(next_keys, keys, 15));
		_mm512_store_si512(pool->slots + block,
				   _mm512_alignr_epi32(next_slots, slots, 15));
		keys = next_keys;
		slots = next_slots;
	}
	return first + (u32)__builtin_ctz(after);
}

static inline u32 next_open(const struct vexfs_pool *pool, u32 from)
{
	u32 block = from & ~15u;
	u32 open = ~0u << (from & 15);

	for (; block < pool->padded; block += 16, open = ~0u) {
		open &= (u16)~_mm512_movepi32_mask(
			_mm512_load_si512(pool->slots + block));
		if (open)
			return block + (u32)__builtin_ctz(open);
	}
	return pool->ef;
}

#include "level_kernels.h"

VEXFS_GRAPH_KERNELS(avx512);
#endif
