/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where walks start: the nearest of the entries that pass. */
#ifndef VEXFS_ENGINE_LEVEL_ENTRIES_H
#define VEXFS_ENGINE_LEVEL_ENTRIES_H

#include "blocks.h"
#include "walk.h"

static ALWAYS_INLINE bool entry_passes(const struct vexfs_entries *entries,
				       u32 index, const u64 *allowed,
				       u32 slot_limit)
{
	const u32 slot = vexfs_load_relaxed(&entries->slots[index]);

	return slot < slot_limit && vexfs_passes(allowed, slot);
}

/* Keys of four entries; places past the last repeat it. */
static ALWAYS_INLINE u32 entries4_below(const struct vexfs_graph *graph,
					const struct vexfs_entries *entries,
					const struct vexfs_query *query,
					u32 first, u32 count, s32 threshold,
					const u32 blocks, s32 *keys)
{
	const u32 bytes =
		graph->config.lines ? graph->line_bytes : graph->row_bytes;
	const struct vexfs_row_scale *scales[4];
	const u8 *rows[4];
	u32 j;

	for (j = 0; j < 4; j++) {
		const u32 index = first + j < count ? first + j : count - 1;

		rows[j] = entries->lines + (size_t)index * bytes;
		scales[j] = vexfs_scale_at(
			graph, vexfs_load_relaxed(&entries->slots[index]));
	}
	if (graph->config.lines)
		return lines4_below(query, rows, 0, threshold, bytes, keys);
	return codes4_below(query, (const s8 *const *)rows, scales, threshold,
			    blocks, keys);
}

static ALWAYS_INLINE void nearest_blocks(const struct vexfs_graph *graph,
					 const struct vexfs_entries *entries,
					 const struct vexfs_query *query,
					 const u64 *allowed, u32 slot_limit,
					 const struct vexfs_pool *pool,
					 u32 count, const u32 blocks)
{
	u32 i, j, set;

	for (i = 0; i < count; i += 4) {
		s32 keys[4];

		set = entries4_below(graph, entries, query, i, count,
				     pool->keys[pool->ef - 1], blocks, keys);
		for (; set; set &= set - 1) {
			j = (u32)__builtin_ctz(set);
			if (i + j < count &&
			    keys[j] < pool->keys[pool->ef - 1] &&
			    entry_passes(entries, i + j, allowed, slot_limit))
				pool_put(pool, keys[j],
					 vexfs_load_relaxed(
						 &entries->slots[i + j]));
		}
	}
}

/* An entry whose line is being replaced is taken for near or far by chance. */
static VEXFS_READS_RACILY void nearest_entries(const struct vexfs_graph *graph,
					       const struct vexfs_query *query,
					       const u64 *allowed,
					       u32 slot_limit,
					       const struct vexfs_pool *pool)
{
	const struct vexfs_entries *entries =
		vexfs_load_acquire(&graph->entries);
	const u32 count = vexfs_load_acquire(&entries->count);

	WITH_BLOCKS(graph, nearest_blocks(graph, entries, query, allowed,
					  slot_limit, pool, count, blocks));
}

#endif
