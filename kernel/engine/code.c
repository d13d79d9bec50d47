// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "code.h"

/*
 * All elements of a vector are brought to one exponent: the largest element
 * has its highest bit at bit FIXED_BITS - 1 then. Bits that fall off below
 * are less than one unit, which the slack counts in.
 */
#define FIXED_BITS 40

struct fixed_frame {
	u32 largest; /* magnitude bits of the largest element */
	s32 exponent; /* value = fixed * 2^exponent */
	u64 top; /* the largest element, as a fixed number */
};

static u32 highest_bit(u64 value)
{
	return 63u - (u32)__builtin_clzll(value);
}

/* Mantissa and exponent of a finite single: |x| = mantissa * 2^exponent. */
static u32 split_single(u32 magnitude, s32 *exponent)
{
	const u32 field = magnitude >> 23;

	*exponent = (field ? (s32)field : 1) - 150;
	return (magnitude & 0x7fffffu) | (field ? 0x800000u : 0);
}

static u64 to_fixed(u32 magnitude, s32 frame_exponent)
{
	s32 exponent;
	const u64 mantissa = split_single(magnitude, &exponent);
	const s32 shift = exponent - frame_exponent;

	if (shift >= 0)
		return mantissa << shift;
	return shift > -64 ? mantissa >> -shift : 0;
}

/* -EINVAL for NaN and infinity; top = 0 for the zero vector. */
static int find_frame(const u32 *bits, u32 dim, struct fixed_frame *frame)
{
	s32 exponent;
	u32 mantissa;
	u32 i;

	frame->largest = 0;
	for (i = 0; i < dim; i++) {
		const u32 magnitude = bits[i] & 0x7fffffffu;

		if (magnitude > frame->largest)
			frame->largest = magnitude;
	}
	if (frame->largest >= 0x7f800000u)
		return -EINVAL;
	frame->exponent = 0;
	frame->top = 0;
	if (!frame->largest)
		return 0;
	mantissa = split_single(frame->largest, &exponent);
	frame->exponent =
		exponent - (FIXED_BITS - 1 - (s32)highest_bit(mantissa));
	frame->top = to_fixed(frame->largest, frame->exponent);
	return 0;
}

u64 vexfs_root_up(u64 value)
{
	u64 root = 0;
	s32 bit;

	for (bit = 31; bit >= 0; bit--) {
		const u64 tried = root | (1ULL << bit);

		if (tried * tried <= value)
			root = tried;
	}
	return root * root == value ? root : root + 1;
}

/* Rounds fixed / top * limit, for fixed <= top < 2^40 and limit < 2^15. */
static u32 scaled(u64 fixed, u64 reciprocal)
{
	return (u32)((fixed * reciprocal + (1ULL << 46)) >> 47);
}

/* limit * 2^47 / top: no product with a fixed number exceeds 2^62. */
static u64 reciprocal_of(u64 top, u32 limit)
{
	return ((u64)limit << 40) / (top >> 7);
}

int vexfs_code_row(const u32 *bits, u32 dim, s8 *code,
		   struct vexfs_row_constants *row)
{
	struct fixed_frame frame;
	u64 reciprocal, step, errors = 0, codes = 0;
	unsigned __int128 squares = 0;
	u32 i, down, bits_down;
	int status;

	status = find_frame(bits, dim, &frame);
	if (status)
		return status;
	memset(row, 0, sizeof(*row));
	memset(code, 0, vexfs_row_bytes(dim));
	if (!frame.top)
		return 0;

	/* top / 127 lies in [2^32, 2^34): two to three bits go for 31. */
	step = frame.top / 127;
	down = highest_bit(step) - 30;
	row->step = (u32)(step >> down);
	row->exponent = frame.exponent + (s32)down;
	step = (u64)row->step << down;
	reciprocal = reciprocal_of(frame.top, 127);
	for (i = 0; i < dim; i++) {
		const u64 fixed =
			to_fixed(bits[i] & 0x7fffffffu, frame.exponent);
		u32 level = scaled(fixed, reciprocal);
		u64 coded, error, part;

		if (level > 127)
			level = 127;
		code[i] = (s8)(bits[i] >> 31 ? -(s32)level : (s32)level);
		coded = level * step;
		error = (fixed > coded ? fixed - coded : coded - fixed) + 1;
		/* Squares of 22 bits: 2^44 * 65,536 fits. */
		part = (error + 4095) >> 12;
		errors += part * part;
		/* One unit covers what fell off below. */
		squares += (unsigned __int128)(fixed + 1) * (fixed + 1);
		codes += (u64)level * level;
	}
	row->norm = (u32)vexfs_root_up(codes);
	/* || x || in units of 2^17 fixed ones: squares < 2^(80 + 16). */
	row->slack =
		(vexfs_root_up(errors) << 12) +
		((vexfs_root_up((u64)(squares >> 34) + 1) * dim + 63) >> 6);
	row->slack = (row->slack >> down) + 1;
	bits_down = (u64)(squares >> 64)
			    ? 64 + highest_bit((u64)(squares >> 64))
			    : highest_bit((u64)squares);
	bits_down = bits_down > 30 ? bits_down - 30 : 0;
	row->square = (u32)(squares >> bits_down) + 1;
	row->square_exponent = 2 * frame.exponent + (s32)bits_down;
	return 0;
}

int vexfs_code_query(const u32 *bits, u32 dim, s16 *value,
		     struct vexfs_query_constants *query)
{
	const u32 limit = vexfs_query_limit(dim);
	const u32 padded = vexfs_row_bytes(dim);
	struct fixed_frame frame;
	u64 reciprocal, step, errors = 0, lengths = 0, values = 0;
	u64 error_root, length_root;
	u32 i;
	int status;

	status = find_frame(bits, dim, &frame);
	if (status)
		return status;
	memset(query, 0, sizeof(*query));
	memset(value, 0, padded * sizeof(*value));
	if (!frame.top)
		return 0;

	step = frame.top / limit;
	reciprocal = reciprocal_of(frame.top, limit);
	for (i = 0; i < dim; i++) {
		const u64 fixed =
			to_fixed(bits[i] & 0x7fffffffu, frame.exponent);
		u32 level = scaled(fixed, reciprocal);
		u64 coded, error, part;

		if (level > limit)
			level = limit;
		value[i] = (s16)(bits[i] >> 31 ? -(s32)level : (s32)level);
		coded = level * step;
		error = (fixed > coded ? fixed - coded : coded - fixed) + 1;
		part = (error + 4095) >> 12;
		errors += part * part;
		part = fixed >> 17;
		lengths += part * part;
		values += (u64)level * level;
	}
	query->norm = vexfs_root_up(values);
	error_root = vexfs_root_up(errors); /* units of 2^12 */
	length_root = vexfs_root_up(lengths); /* units of 2^17, rounded up */
	/* One unit off the root makes the quotient an upper bound. */
	length_root = length_root > 1 ? length_root - 1 : 1;
	query->error = (u32)(((error_root << 19) / length_root) + 1);
	{
		const u32 high = highest_bit(step);
		const s32 down = (s32)high - 30;

		query->step = (u32)(down >= 0 ? step >> down : step << -down);
		query->exponent = frame.exponent + down;
	}
	return 0;
}
