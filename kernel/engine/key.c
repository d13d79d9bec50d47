// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "key.h"

static s32 highest_bit(u64 value)
{
	return 63 - __builtin_clzll(value);
}

u32 vexfs_pack(u64 mantissa, s32 exponent)
{
	s32 down, field;

	if (!mantissa)
		return 0;
	down = highest_bit(mantissa) - (VEXFS_PACKED_BITS - 1);
	mantissa = down >= 0 ? mantissa >> down : mantissa << -down;
	field = exponent + down + VEXFS_PACKED_BIAS;
	if (field < 0)
		return 0;
	/* Twice the largest exponent of a float is far below this. */
	if (field > 1023)
		field = 1023;
	return (u32)field << VEXFS_PACKED_BITS | (u32)mantissa;
}

u32 vexfs_packed_root(u32 packed)
{
	const s32 exponent = vexfs_packed_exponent(packed);
	const u32 odd = (u32)exponent & 1;

	if (!packed)
		return 0;
	return vexfs_pack(vexfs_root_up((u64)vexfs_packed_mantissa(packed)
					<< (20 + odd)),
			  (exponent - 20 - (s32)odd) / 2);
}

void vexfs_scale_row(const struct vexfs_row_constants *row,
		     struct vexfs_row_scale *scale)
{
	scale->step = vexfs_pack(row->step, row->exponent);
	scale->square = vexfs_pack(row->square, row->square_exponent);
}

static void set_bases(struct vexfs_query *query, s32 unit)
{
	query->by_differences = false;
	query->unit = unit;
	query->dot_base = unit + VEXFS_PACKED_BIAS;
}

static u32 step_inverse(const struct vexfs_query *query)
{
	return (u32)((1ULL << 43) / (u32)vexfs_packed_mantissa(query->step));
}

void vexfs_query_unit_dot(struct vexfs_query *query, u32 square_usual)
{
	const u32 row = vexfs_packed_root(square_usual);
	s32 down;

	/* |dot * step| <= length * || row || < 2^30 units. */
	set_bases(query, highest_bit(query->length | 1) + 1 +
				 vexfs_packed_exponent(row) +
				 VEXFS_PACKED_BITS - 30);
	query->square_base = 2 * VEXFS_PACKED_BIAS;
	query->square_scale = 0;
	query->near_above = 0;
	/* A code that is not zero has a length of 127 or more. */
	down = query->dot_base - vexfs_packed_field(row);
	query->origin = 0;
	if (down >= 0 && down < 64)
		query->origin = (s64)((u64)query->length *
				      (u32)vexfs_packed_mantissa(row)) >>
				down;
}

void vexfs_query_unit_euclid(struct vexfs_query *query, u32 reach)
{
	const u32 square = query->square > reach ? query->square : reach;
	const s32 step_exponent = vexfs_packed_exponent(query->step);
	s32 down;

	/* 4 square / (2 step) < 2^30 units. */
	set_bases(query, vexfs_packed_exponent(square) - step_exponent - 28);
	query->square_scale = (s32)step_inverse(query);
	query->near_above = 0x7fffffff;
	query->square_base =
		query->unit + 44 + step_exponent + VEXFS_PACKED_BIAS;
	down = query->square_base - vexfs_packed_field(query->square);
	down = down < 63 ? down : 63;
	query->origin = (s64)query->square_scale *
				vexfs_packed_mantissa(query->square) >>
			down;
}

void vexfs_query_unit_manhattan(struct vexfs_query *query, u32 reach)
{
	const u32 length = vexfs_packed_root(
		query->square > reach ? query->square : reach);
	const s32 step_exponent = vexfs_packed_exponent(query->step);
	const s32 half = vexfs_packed_mantissa(query->step) >=
			 vexfs_packed_mantissa(length);

	/* They are 2^10 to 2^11 units long: a row that is as near as one of them by
	 * Manhattan's distance may have an element many times as long. */
	set_bases(query,
		  vexfs_packed_exponent(length) - step_exponent - 10 - half);
	query->step_inverse = step_inverse(query);
	query->step_base = query->unit + 43 - VEXFS_FACTOR_BITS +
			   step_exponent + VEXFS_PACKED_BIAS;
	query->factor = vexfs_step_in_units(query, query->step);
	query->by_differences = true;
	query->origin = 0;
}

void vexfs_make_line(const s8 *code, u32 dim, struct vexfs_row_scale scale,
		     u8 *line)
{
	const u32 bytes = vexfs_line_bytes(dim);
	const u64 step = (u64)vexfs_packed_mantissa(scale.step);
	const s32 exponent = vexfs_packed_exponent(scale.step);
	struct vexfs_line_tail tail = { .scale = scale };
	u64 sum = 0, squares = 0, spread;
	u32 i;

	memset(line, 0, bytes);
	for (i = 0; i < dim; i++) {
		if (code[i] >= 0)
			line[i / 8] = (u8)(line[i / 8] | 1u << (i % 8));
		sum += (u64)(code[i] < 0 ? -code[i] : code[i]);
		squares += (u64)(code[i] * code[i]);
	}
	if (sum) {
		/* squares / sum <= 127. */
		tail.flip =
			vexfs_pack((squares << 20) / sum * step, exponent - 20);
		/* Cauchy-Schwarz: squares * dim >= sum^2. */
		spread = (squares * dim - sum * sum) / (dim > 1 ? dim - 1 : 1);
		/* squares < 2^30 and spread <= 2^31; sum >= 127. */
		tail.error = vexfs_pack(
			(vexfs_root_up(squares * spread) << 16) / sum * step,
			exponent - 16);
	}
	memcpy(line + bytes - sizeof(tail), &tail, sizeof(tail));
}
