/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Queries as the walk's kernels want them, from IEEE 754 bits or from a row.
 *
 * The largest element is brought to 20 bits, the others with it, and a factor
 * of 12 bits takes them to int8. The factor is exact in the step, so nothing
 * but the rounding of the elements is lost.
 */
#ifndef VEXFS_ENGINE_LEVEL_QUERY_H
#define VEXFS_ENGINE_LEVEL_QUERY_H

#include "blocks.h"
#include "walk.h"

static ALWAYS_INLINE u32 largest_magnitude(const u32 *bits, u32 dim)
{
	u32 largest = 0, i;

	for (i = 0; i < dim; i++) {
		const u32 magnitude = bits[i] & 0x7fffffffu;

		largest = magnitude > largest ? magnitude : largest;
	}
	return largest;
}

static ALWAYS_INLINE int code_elements(const u32 *bits, u32 dim, s8 *code,
				       struct vexfs_query *query)
{
	const u32 largest = largest_magnitude(bits, dim);
	const u32 top_field = largest >> 23 ? largest >> 23 : 1;
	u32 mantissa, lift, factor, i;
	s32 squares = 0;

	if (largest >= 0x7f800000u)
		return -EINVAL;
	if (!largest) {
		/* Of any step: the codes are zero. */
		query->step = vexfs_pack(1, 0);
		query->square = 0;
		query->length = 0;
		return 0;
	}
	mantissa = (largest & 0x7fffffu) | (largest >> 23 ? 0x800000u : 0);
	lift = (u32)__builtin_clz(mantissa) - 8;
	factor = (127u << 24) / ((mantissa << lift) >> 4);
	for (i = 0; i < dim; i++) {
		const u32 magnitude = bits[i] & 0x7fffffffu;
		const u32 field = magnitude >> 23;
		const u32 whole =
			((magnitude & 0x7fffffu) | (field ? 0x800000u : 0))
			<< lift;
		const u32 down = top_field - (field ? field : 1) + 4;
		const u32 fixed = whole >> (down < 31 ? down : 31);
		const s32 level = (s32)((fixed * factor + (1u << 23)) >> 24);
		const s32 sign = (s32)bits[i] >> 31;

		code[i] = (s8)((level ^ sign) - sign);
		squares += level * level;
	}
	/* An element is fixed * 2^(top_field - 146 - lift), a level 2^24 / factor
	 * of that. */
	query->step = vexfs_pack((1ULL << 44) / factor,
				 (s32)top_field - 146 - (s32)lift - 20);
	query->length = (u32)vexfs_root_up((u32)squares);
	{
		const u64 step = (u64)vexfs_packed_mantissa(query->step);

		/* 22 + 22 + 30 bits are too many: the square loses 12. */
		query->square =
			vexfs_pack(((step * step) >> 12) * (u32)squares,
				   2 * vexfs_packed_exponent(query->step) + 12);
	}
	return 0;
}

/* The bit planes of a code in steps of VEXFS_PLANE_STEP, and their sum. */
static ALWAYS_INLINE void set_planes(const struct vexfs_graph *graph,
				     u64 *planes, struct vexfs_query *query)
{
	const u32 words = graph->line_bytes / sizeof(u64);
	u32 block;

	memset(planes, 0, (size_t)VEXFS_PLANES * graph->line_bytes);
	query->plane_sum = 0;
	for (block = 0; block < row_blocks(graph); block++)
		query->plane_sum +=
			planes_of_64(query->code + block * VEXFS_ROW_ALIGN,
				     planes + block, words);
	query->planes = planes;
}

static int code_query(const struct vexfs_graph *graph, const u32 *bits,
		      s8 *code, u64 *planes, struct vexfs_query *query)
{
	const u32 dim = graph->file->dim;
	int status;

	memset(query, 0, sizeof(*query));
	memset(code, 0, graph->row_bytes);
	status = code_elements(bits, dim, code, query);
	if (status)
		return status;
	query->code = code;
	query->code_sum = code_sum(code, graph->row_bytes);
	if (graph->config.lines)
		set_planes(graph, planes, query);
	return 0;
}

static ALWAYS_INLINE void set_row_query(const struct vexfs_graph *graph,
					u32 slot, struct vexfs_query *query)
{
	const struct vexfs_row_scale *scale = vexfs_scale_at(graph, slot);

	memset(query, 0, sizeof(*query));
	query->code = vexfs_code_at(graph, slot);
	query->code_sum = code_sum(query->code, graph->row_bytes);
	query->step = scale->step ? scale->step : vexfs_pack(1, 0);
	query->square = scale->square;
	query->length = graph->length_max;
}

static void row_query(const struct vexfs_graph *graph, u32 slot, u64 *planes,
		      struct vexfs_query *query)
{
	set_row_query(graph, slot, query);
	if (graph->config.lines)
		set_planes(graph, planes, query);
}

#endif
