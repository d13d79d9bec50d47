/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Keys: approximate distances as integers, of one query to many rows. A smaller
 * key is nearer. Graph walks, linking and the tail compare keys; the exact scan
 * has bounds of its own (scan.h).
 *
 * Query and rows are int8 codes with a step each. In units of the query's step
 * times 2^unit a key is
 *
 *   inner product   - dot * step(row)
 *   Euclid          || row ||^2 / (2 step(query)) - dot * step(row)
 *   Manhattan       sum | query - row |, each element rounded to the unit
 *
 * brought to int32 with saturation, so keys of rows of any magnitude compare.
 * VEXFS_KEY_FAR is the largest a row can have; a place of a pool that holds no
 * row has VEXFS_KEY_NONE.
 */
#ifndef VEXFS_ENGINE_KEY_H
#define VEXFS_ENGINE_KEY_H

#include "code.h"
#include "platform.h"

#define VEXFS_KEY_NONE 0x7fffffff
#define VEXFS_KEY_FAR 0x7ffffffe
#define VEXFS_KEY_NEAR (-0x7fffffff - 1)

/*
 * Positive numbers in 32 bits that compare as the numbers do: ten bits of
 * exponent above 22 of mantissa, whose highest bit is set. 0 is zero.
 */
#define VEXFS_PACKED_BITS 22
#define VEXFS_PACKED_BIAS 512

static inline s32 vexfs_packed_mantissa(u32 packed)
{
	return (s32)(packed & ((1u << VEXFS_PACKED_BITS) - 1));
}

static inline s32 vexfs_packed_field(u32 packed)
{
	return (s32)(packed >> VEXFS_PACKED_BITS);
}

static inline s32 vexfs_packed_exponent(u32 packed)
{
	return vexfs_packed_field(packed) - VEXFS_PACKED_BIAS;
}

/* mantissa * 2^exponent; what falls off the mantissa is dropped. */
u32 vexfs_pack(u64 mantissa, s32 exponent);
u32 vexfs_packed_root(u32 packed);

/* What the keys of a row need beside its code. */
struct vexfs_row_scale {
	u32 step; /* packed */
	u32 square; /* packed || row ||^2 */
};

void vexfs_scale_row(const struct vexfs_row_constants *row,
		     struct vexfs_row_scale *scale);

struct vexfs_query {
	const s8 *code;
	s32 code_sum; /* 128 times the sum of the code */
	u32 step; /* packed */
	u32 square; /* packed || query ||^2 */
	u32 length; /* the norm of the code, rounded up */
	s32 unit;
	s32 dot_base; /* a row's shift is this minus the field of its step */
	s32 square_base; /* and this minus the field of its square */
	s32 square_scale; /* 1 / (2 step) as a mantissa; 0 for inner products */
	s32 near_above; /* dots that make rows beyond the unit near */
	bool by_differences; /* Manhattan's keys, which alone need these: */
	u32 factor; /* vexfs_step_in_units() of the query's own step */
	s32 step_base; /* a row's shift is this minus the field of its step */
	u32 step_inverse; /* 1 / step as a mantissa */
	s32 plane_sum;
	s64 origin; /* key + origin is a distance that starts at zero */
	const u64 *planes; /* the code in four bits, a bit plane each, or NULL */
};

/*
 * Chooses the unit: for inner products so that rows of at most the usual length
 * have keys of their own, for Euclid those up to four times as far as the query or
 * a row of square `reach` is from zero.
 */
void vexfs_query_unit_dot(struct vexfs_query *query, u32 square_usual);
void vexfs_query_unit_euclid(struct vexfs_query *query, u32 reach);
/* For Manhattan: so that rows have keys whose elements are up to seven times as
 * long as either of them. */
void vexfs_query_unit_manhattan(struct vexfs_query *query, u32 reach);

static inline s32 vexfs_clamp_key(s64 key)
{
	if (key > VEXFS_KEY_FAR)
		return VEXFS_KEY_FAR;
	return key < VEXFS_KEY_NEAR ? VEXFS_KEY_NEAR : (s32)key;
}

/* One key: what every kernel computes, and the oracle. */
static inline s32 vexfs_key_of(const struct vexfs_query *query, s32 dot,
			       struct vexfs_row_scale row)
{
	s32 down = query->dot_base - vexfs_packed_field(row.step);
	s32 square_down = query->square_base - vexfs_packed_field(row.square);
	s64 key;

	if (down < 0 || square_down < 0)
		/* beyond what the unit can express */
		return dot > query->near_above ? VEXFS_KEY_NEAR : VEXFS_KEY_FAR;
	down = down < 63 ? down : 63;
	square_down = square_down < 63 ? square_down : 63;
	key = ((s64)query->square_scale * vexfs_packed_mantissa(row.square) >>
	       square_down) -
	      ((s64)dot * vexfs_packed_mantissa(row.step) >> down);
	return vexfs_clamp_key(key);
}

/*
 * A step in units of a query's Manhattan keys, in 2^-8; above
 * VEXFS_FACTOR_MAX where it is beyond them.
 */
#define VEXFS_FACTOR_BITS 8
#define VEXFS_FACTOR_MAX 32767u

static inline u32 vexfs_step_in_units(const struct vexfs_query *query, u32 step)
{
	const s32 down = query->step_base - vexfs_packed_field(step);
	/* 22 + 22 bits. */
	const u64 product =
		(u64)vexfs_packed_mantissa(step) * query->step_inverse;

	/* With less, no mantissa but zero is within them. */
	if (down < 44 - 31)
		return product ? VEXFS_FACTOR_MAX + 1 : 0;
	return down < 64 ? (u32)((product + (1ULL << (down - 1))) >> down) : 0;
}

/* An element in units, rounded; both operands of a difference fit an int16. */
static inline s32 vexfs_element_in_units(s32 code, u32 factor)
{
	return (code * (s32)factor + (1 << (VEXFS_FACTOR_BITS - 1))) >>
	       VEXFS_FACTOR_BITS;
}

/*
 * The filter line: the signs of a code and what they tell of the distance. For
 * a row x with signs s, || x ||^2 / sum |x_i| * <s, q> estimates <x, q>, and
 * `error` * || q || is one standard deviation of what it is off.
 */
struct vexfs_line_tail {
	u32 flip; /* packed || x ||^2 / sum |x_i| */
	u32 error; /* packed */
	struct vexfs_row_scale scale;
};

/* The signs, then the tail at the end of whole cache lines. */
static inline u32 vexfs_line_bytes(u32 dim)
{
	return ((dim + 7) / 8 + (u32)sizeof(struct vexfs_line_tail) +
		VEXFS_ROW_ALIGN - 1) &
	       ~(VEXFS_ROW_ALIGN - 1);
}

void vexfs_make_line(const s8 *code, u32 dim, struct vexfs_row_scale scale,
		     u8 *line);

/* A step of the four-bit code in steps of the eight-bit one. */
#define VEXFS_PLANE_STEP 17
#define VEXFS_PLANES 4

/*
 * The least key that the signs leave likely: `flips` is the sum over the signs
 * of the four-bit code, that is 2 * (sum over set bits) - plane_sum. `slack`
 * counts standard deviations in sixteenths.
 */
static inline s32 vexfs_line_key(const struct vexfs_query *query, s32 flips,
				 u32 slack, struct vexfs_line_tail tail)
{
	s32 down = query->dot_base - vexfs_packed_field(tail.flip);
	s32 error_down = query->dot_base - vexfs_packed_field(tail.error);
	s32 square_down =
		query->square_base - vexfs_packed_field(tail.scale.square);
	const s64 reach = (s64)((u64)query->length * slack >> 4);
	s64 key;

	if (square_down < 0)
		return VEXFS_KEY_FAR;
	if (down < 0 || error_down < 0)
		return VEXFS_KEY_NEAR; /* no estimate: let the code decide */
	down = down < 63 ? down : 63;
	error_down = error_down < 63 ? error_down : 63;
	square_down = square_down < 63 ? square_down : 63;
	key = ((s64)query->square_scale *
		       vexfs_packed_mantissa(tail.scale.square) >>
	       square_down) -
	      ((s64)flips * VEXFS_PLANE_STEP *
		       vexfs_packed_mantissa(tail.flip) >>
	       down) -
	      (reach * vexfs_packed_mantissa(tail.error) >> error_down);
	return vexfs_clamp_key(key);
}

#endif
