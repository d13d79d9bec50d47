// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The oracle of the walk's kernels, and what runs where there is nothing else. */
#include "walk.h"

static inline s32 code_sum(const s8 *code, u32 bytes)
{
	(void)code;
	(void)bytes;
	return 0;
}

static inline s32 planes_of_64(const s8 *code, u64 *planes, u32 stride)
{
	s32 sum = 0;
	u32 i, p;

	for (i = 0; i < 64; i++) {
		/* code / 17, rounded: shifted above zero, 241 / 4096 is 1 / 17. */
		const s32 level = ((code[i] + 144) * 241 >> 12) - 8;

		sum += level;
		for (p = 0; p < VEXFS_PLANES; p++)
			planes[(size_t)p * stride] |= (u64)((u32)level >> p & 1)
						      << i;
	}
	return sum;
}

static s32 key_by_differences(const struct vexfs_query *query, const s8 *code,
			      u32 step, u32 bytes)
{
	const u32 factor = vexfs_step_in_units(query, step);
	s32 sum = 0;
	u32 i;

	if (factor > VEXFS_FACTOR_MAX)
		return VEXFS_KEY_FAR;
	for (i = 0; i < bytes; i++) {
		const s32 difference =
			vexfs_element_in_units(query->code[i], query->factor) -
			vexfs_element_in_units(code[i], factor);

		sum += difference < 0 ? -difference : difference;
	}
	return sum;
}

static inline u32 codes4_below(const struct vexfs_query *query,
			       const s8 *const *codes,
			       const struct vexfs_row_scale *const *scales,
			       s32 threshold, u32 blocks, s32 *keys)
{
	u32 below = 0, r, i;

	for (r = 0; r < 4; r++) {
		s32 dot = 0;

		for (i = 0; i < blocks * VEXFS_ROW_ALIGN; i++)
			dot += codes[r][i] * query->code[i];
		keys[r] = query->by_differences
				  ? key_by_differences(query, codes[r],
						       scales[r]->step,
						       blocks * VEXFS_ROW_ALIGN)
				  : vexfs_key_of(query, dot, *scales[r]);
		below |= (u32)(keys[r] < threshold) << r;
	}
	return below;
}

static inline u32 set_bits(u64 word)
{
	word -= word >> 1 & 0x5555555555555555ULL;
	word = (word & 0x3333333333333333ULL) +
	       (word >> 2 & 0x3333333333333333ULL);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (u32)(word * 0x0101010101010101ULL >> 56);
}

static inline u32 lines8_below(const struct vexfs_query *query,
			       const u8 *const *lines, u32 slack, s32 threshold,
			       u32 bytes, s32 *keys)
{
	const u32 words = bytes / sizeof(u64);
	u32 below = 0, r, i, p;

	for (r = 0; r < 8; r++) {
		const u64 *line = (const u64 *)(const void *)lines[r];
		const struct vexfs_line_tail *tail =
			(const struct vexfs_line_tail
				 *)(const void *)(lines[r] + bytes -
						  sizeof(*tail));
		s32 sum = 0;

		for (i = 0; i < words; i++)
			for (p = 0; p < VEXFS_PLANES; p++) {
				const s32 bits = (s32)set_bits(
					line[i] & query->planes[p * words + i]);

				sum += p == VEXFS_PLANES - 1 ? -(bits * 8)
							     : bits << p;
			}
		keys[r] = vexfs_line_key(query, 2 * sum - query->plane_sum,
					 slack, *tail);
		below |= (u32)(keys[r] < threshold) << r;
	}
	return below;
}

static inline u32 pool_put(const struct vexfs_pool *pool, s32 key, u32 slot)
{
	u32 place = pool->padded, i;

	/* Behind its equals: the first to come stays first. */
	while (place && pool->keys[place - 1] > key)
		place--;
	for (i = pool->padded - 1; i > place; i--) {
		pool->keys[i] = pool->keys[i - 1];
		pool->slots[i] = pool->slots[i - 1];
	}
	pool->keys[place] = key;
	pool->slots[place] = slot;
	return place;
}

#include "level_plain.h"
#include "level_kernels.h"

VEXFS_GRAPH_KERNELS(scalar);
