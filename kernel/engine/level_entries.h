/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where walks start: the nearest entries that pass, of the groups that are near. */
#ifndef VEXFS_ENGINE_LEVEL_ENTRIES_H
#define VEXFS_ENGINE_LEVEL_ENTRIES_H

#include "blocks.h"
#include "walk.h"

/* Keys of four rows; places past the last repeat it. */
static ALWAYS_INLINE u32 entries4_below(const struct vexfs_graph *graph,
					const struct vexfs_entry_rows *from,
					const struct vexfs_query *query,
					u32 first, u32 count, s32 threshold,
					const u32 blocks, s32 *keys)
{
	const u32 stride =
		graph->config.lines ? graph->line_bytes : graph->row_bytes;
	const struct vexfs_row_scale *scales[4];
	const u8 *rows[4];
	u32 j;

	for (j = 0; j < 4; j++) {
		const u32 index = first + j < count ? first + j : count - 1;

		rows[j] = from->rows + (size_t)index * stride;
		scales[j] = &from->scales[index];
	}
	if (graph->config.lines)
		return lines4_below(query, rows, 0, threshold, stride, keys);
	return codes4_below(query, (const s8 *const *)rows, scales, threshold,
			    blocks, keys);
}

/* Puts the numbers of the nearest centres into a pool. */
static ALWAYS_INLINE void nearest_centres(const struct vexfs_graph *graph,
					  const struct vexfs_query *query,
					  u32 count,
					  const struct vexfs_pool *pool,
					  const u32 blocks)
{
	u32 i, j, set;

	for (i = 0; i < count; i += 4) {
		s32 keys[4];

		set = entries4_below(graph, &graph->entries->centres, query, i,
				     count, pool->keys[pool->ef - 1], blocks,
				     keys);
		for (; set; set &= set - 1) {
			j = (u32)__builtin_ctz(set);
			if (i + j < count && keys[j] < pool->keys[pool->ef - 1])
				pool_put(pool, keys[j], i + j);
		}
	}
}

static ALWAYS_INLINE void nearest_of_group(const struct vexfs_graph *graph,
					   const struct vexfs_entry_rows *group,
					   const struct vexfs_query *query,
					   const u64 *allowed, u32 slot_limit,
					   const struct vexfs_pool *pool,
					   const u32 blocks)
{
	const u32 count = vexfs_load_acquire(&group->count);
	u32 i, j, set;

	for (i = 0; i < count; i += 4) {
		s32 keys[4];

		set = entries4_below(graph, group, query, i, count,
				     pool->keys[pool->ef - 1], blocks, keys);
		for (; set; set &= set - 1) {
			u32 slot;

			j = (u32)__builtin_ctz(set);
			if (i + j >= count ||
			    keys[j] >= pool->keys[pool->ef - 1])
				continue;
			slot = vexfs_load_relaxed(&group->slots[i + j]);
			if (slot < slot_limit && vexfs_passes(allowed, slot))
				pool_put(pool, keys[j], slot);
		}
	}
}

static ALWAYS_INLINE void nearest_blocks(const struct vexfs_graph *graph,
					 const struct vexfs_query *query,
					 const u64 *allowed, u32 slot_limit,
					 const struct vexfs_pool *groups,
					 const struct vexfs_pool *pool,
					 const u32 blocks)
{
	const struct vexfs_entries *entries = graph->entries;
	const u32 count = vexfs_load_acquire(&entries->group_count);
	u32 i;

	if (count > groups->ef)
		nearest_centres(graph, query, count, groups, blocks);
	for (i = 0; i < groups->ef && i < count; i++)
		nearest_of_group(
			graph,
			&entries->groups[count > groups->ef ? groups->slots[i]
							    : i],
			query, allowed, slot_limit, pool, blocks);
}

static void nearest_entries(const struct vexfs_graph *graph,
			    const struct vexfs_query *query, const u64 *allowed,
			    u32 slot_limit, const struct vexfs_pool *groups,
			    const struct vexfs_pool *pool)
{
	WITH_BLOCKS(graph, nearest_blocks(graph, query, allowed, slot_limit,
					  groups, pool, blocks));
}

static ALWAYS_INLINE u32 nearest_group_blocks(const struct vexfs_graph *graph,
					      const struct vexfs_query *query,
					      const u32 blocks)
{
	const u32 count = graph->entries->group_count;
	s32 best = VEXFS_KEY_NONE;
	u32 nearest = 0, i, j, set;

	for (i = 0; i < count; i += 4) {
		s32 keys[4];

		set = entries4_below(graph, &graph->entries->centres, query, i,
				     count, best, blocks, keys);
		for (; set; set &= set - 1) {
			j = (u32)__builtin_ctz(set);
			if (i + j < count && keys[j] < best) {
				best = keys[j];
				nearest = i + j;
			}
		}
	}
	return nearest;
}

static u32 nearest_group(const struct vexfs_graph *graph,
			 const struct vexfs_query *query)
{
	u32 nearest = 0;

	WITH_BLOCKS(graph,
		    nearest = nearest_group_blocks(graph, query, blocks));
	return nearest;
}

#endif
