/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Sums over the lanes of registers of dwords. */
#ifndef VEXFS_ENGINE_SUMS_AVX512_H
#define VEXFS_ENGINE_SUMS_AVX512_H

#include <immintrin.h>

/* The sum of four registers, as four lanes. */
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

#endif
