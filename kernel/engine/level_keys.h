/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Keys of rows by their codes, and putting rows into pools. */
#ifndef VEXFS_ENGINE_LEVEL_KEYS_H
#define VEXFS_ENGINE_LEVEL_KEYS_H

#include "blocks.h"
#include "walk.h"

static ALWAYS_INLINE u32 keys4_below(const struct vexfs_graph *graph,
				     const struct vexfs_query *query,
				     const u32 *slots, s32 threshold,
				     const u32 blocks, s32 *keys)
{
	const s8 *const codes[4] = { vexfs_code_at(graph, slots[0]),
				     vexfs_code_at(graph, slots[1]),
				     vexfs_code_at(graph, slots[2]),
				     vexfs_code_at(graph, slots[3]) };
	const struct vexfs_row_scale *const scales[4] = {
		vexfs_scale_at(graph, slots[0]),
		vexfs_scale_at(graph, slots[1]),
		vexfs_scale_at(graph, slots[2]), vexfs_scale_at(graph, slots[3])
	};

	return codes4_below(query, codes, scales, threshold, blocks, keys);
}

/* Moves the slots whose lines leave them likely to the front: how many. There is
 * room for seven more. */
static ALWAYS_INLINE u32 keep_likely(const struct vexfs_graph *graph,
				     const struct vexfs_walk *walk, u32 *slots,
				     u32 count, s32 threshold, const u32 blocks)
{
	u32 kept = 0, i, j;

	for (i = 0; i < 7 && count; i++)
		slots[count + i] = slots[count - 1];
	for (i = 0; i < count; i += 8) {
		const u8 *lines[8];
		s32 keys[8];
		u32 set;

		for (j = 0; j < 8; j++)
			lines[j] = vexfs_line_at(graph, slots[i + j]);
		set = lines8_below(&walk->query, lines, walk->slack, threshold,
				   line_bytes_of(blocks), keys);
		if (count - i < 8)
			set &= (1u << (count - i)) - 1;
		kept += keep_8(slots + kept, slots + i, set);
	}
	return kept;
}

static ALWAYS_INLINE void keys_blocks(const struct vexfs_graph *graph,
				      const struct vexfs_query *query,
				      const u32 *slots, u32 count, s32 *keys,
				      const u32 blocks)
{
	u32 four[4];
	s32 last[4];
	u32 i, j;

	for (i = 0; i + 4 <= count; i += 4)
		keys4_below(graph, query, slots + i, VEXFS_KEY_NONE, blocks,
			    keys + i);
	if (i == count)
		return;
	for (j = 0; j < 4; j++)
		four[j] = slots[i + j < count ? i + j : count - 1];
	keys4_below(graph, query, four, VEXFS_KEY_NONE, blocks, last);
	for (j = 0; i + j < count; j++)
		keys[i + j] = last[j];
}

static void keys_of(const struct vexfs_graph *graph,
		    const struct vexfs_query *query, const u32 *slots,
		    u32 count, s32 *keys)
{
	WITH_BLOCKS(graph,
		    keys_blocks(graph, query, slots, count, keys, blocks));
}

static ALWAYS_INLINE void offer_blocks(const struct vexfs_graph *graph,
				       const struct vexfs_query *query,
				       const u32 *slots, u32 count, u32 mark,
				       const struct vexfs_pool *pool,
				       const u32 blocks)
{
	u32 i, j, set;

	for (i = 0; i < count; i += 4) {
		u32 four[4];
		s32 keys[4];

		for (j = 0; j < 4; j++)
			four[j] = slots[i + j < count ? i + j : count - 1];
		set = keys4_below(graph, query, four, pool->keys[pool->ef - 1],
				  blocks, keys);
		if (count - i < 4)
			set &= (1u << (count - i)) - 1;
		for (; set; set &= set - 1) {
			j = (u32)__builtin_ctz(set);
			if (keys[j] < pool->keys[pool->ef - 1])
				pool_put(pool, keys[j], four[j] | mark);
		}
	}
}

static void offer(const struct vexfs_graph *graph,
		  const struct vexfs_query *query, const u32 *slots, u32 count,
		  u32 mark, const struct vexfs_pool *pool)
{
	WITH_BLOCKS(graph, offer_blocks(graph, query, slots, count, mark, pool,
					blocks));
}

#endif
