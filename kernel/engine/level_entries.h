/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where walks start: the nearest entries that pass, of the groups that are near. */
#ifndef VEXFS_ENGINE_LEVEL_ENTRIES_H
#define VEXFS_ENGINE_LEVEL_ENTRIES_H

#include "blocks.h"
#include "walk.h"

/* Where none of so many entries of a group pass, a filter passes it by. */
#define GROUP_TRIES 16u

/* Keys of eight rows, or of eight that are picked, and the set of those below the
 * threshold; places past the last repeat it and are in no set. Not inlined, as the
 * frames of all lengths would add up. */
static NEVER_INLINE u32 entries8_below(const struct vexfs_graph *graph,
				       const struct vexfs_entry_rows *from,
				       const struct vexfs_query *query,
				       const u8 *picks, u32 first, u32 count,
				       s32 threshold, const u32 blocks,
				       s32 *keys)
{
	const struct vexfs_row_scale *scales[8];
	const u8 *rows[8];
	const u32 stride = graph->config.lines ? line_bytes_of(blocks)
					       : blocks * VEXFS_ROW_ALIGN;
	u32 set, j;

	for (j = 0; j < 8; j++) {
		const u32 place = first + j < count ? first + j : count - 1;
		const u32 index = picks ? picks[place] : place;

		rows[j] = from->rows + (size_t)index * stride;
		scales[j] = &from->scales[index];
	}
	if (graph->config.lines)
		set = lines8_below(query, rows, 0, threshold, stride, keys);
	else
		set = codes4_below(query, (const s8 *const *)rows, scales,
				   threshold, blocks, keys) |
		      codes4_below(query, (const s8 *const *)rows + 4,
				   scales + 4, threshold, blocks, keys + 4)
			      << 4;
	return count - first < 8 ? set & ((1u << (count - first)) - 1) : set;
}

/* Whether some of a group pass, by the first of them. */
static ALWAYS_INLINE bool has_passing(const struct vexfs_entry_rows *group,
				      const u64 *allowed, u32 slot_limit)
{
	const u32 count = vexfs_load_acquire(&group->count);
	u32 i;

	if (!allowed)
		return true;
	for (i = 0; i < count && i < GROUP_TRIES; i++) {
		const u32 slot = vexfs_load_relaxed(&group->slots[i]);

		if (slot < slot_limit && vexfs_passes(allowed, slot))
			return true;
	}
	return false;
}

/* The numbers of those that pass: how many. */
static ALWAYS_INLINE u32 pick_passing(const u32 *slots, u32 count,
				      const u64 *allowed, u32 slot_limit,
				      u8 *picks)
{
	u32 kept = 0, i;

	for (i = 0; i < count; i++) {
		const u32 slot = vexfs_load_relaxed(&slots[i]);

		picks[kept] = (u8)i;
		kept += slot < slot_limit && vexfs_passes(allowed, slot);
	}
	return kept;
}

static ALWAYS_INLINE void
offer_entries_blocks(const struct vexfs_graph *graph,
		     const struct vexfs_entry_rows *from, const u32 *slots,
		     u32 count, const struct vexfs_query *query,
		     const u64 *allowed, u32 slot_limit,
		     const struct vexfs_pool *pool, const u32 blocks)
{
	const bool picked = slots && allowed;
	u8 picks[VEXFS_GROUP_ENTRIES];
	u32 i, set;

	if (picked)
		count = pick_passing(slots, count, allowed, slot_limit, picks);
	for (i = 0; i < count; i += 8) {
		s32 keys[8];

		set = entries8_below(graph, from, query, picked ? picks : NULL,
				     i, count, pool->keys[pool->ef - 1], blocks,
				     keys);
		for (; set; set &= set - 1) {
			const u32 j = (u32)__builtin_ctz(set);
			const u32 number = picked ? picks[i + j] : i + j;
			const u32 slot =
				slots ? vexfs_load_relaxed(&slots[number])
				      : number;

			if (keys[j] >= pool->keys[pool->ef - 1])
				continue;
			/* The place may have got another slot since it was
			 * picked. */
			if (slots ? slot < slot_limit &&
					    vexfs_passes(allowed, slot)
				  : has_passing(&graph->entries->groups[number],
						allowed, slot_limit))
				pool_put(pool, keys[j], slot);
		}
	}
}

/* Puts the slots of the nearest rows that pass into a pool, or where no slots are
 * given the numbers of the nearest groups that have some. A function of its own, so
 * that its frame is there once. */
static NEVER_INLINE void offer_entries(const struct vexfs_graph *graph,
				       const struct vexfs_entry_rows *from,
				       const u32 *slots, u32 count,
				       const struct vexfs_query *query,
				       const u64 *allowed, u32 slot_limit,
				       const struct vexfs_pool *pool)
{
	WITH_BLOCKS(graph,
		    offer_entries_blocks(graph, from, slots, count, query,
					 allowed, slot_limit, pool, blocks));
}

static void nearest_entries(const struct vexfs_graph *graph,
			    const struct vexfs_query *query, const u64 *allowed,
			    u32 slot_limit, const struct vexfs_pool *groups,
			    const struct vexfs_pool *pool)
{
	const struct vexfs_entries *entries = graph->entries;
	const u32 count = vexfs_load_acquire(&entries->group_count);
	u32 i;

	if (count > groups->ef)
		offer_entries(graph, &entries->centres, NULL, count, query,
			      allowed, slot_limit, groups);
	for (i = 0; i < groups->ef && i < count; i++) {
		const struct vexfs_entry_rows *group =
			&entries->groups[count > groups->ef ? groups->slots[i]
							    : i];

		if (count > groups->ef && groups->keys[i] == VEXFS_KEY_NONE)
			break;
		offer_entries(graph, group, group->slots,
			      vexfs_load_acquire(&group->count), query, allowed,
			      slot_limit, pool);
	}
}

static ALWAYS_INLINE u32 nearest_group_blocks(const struct vexfs_graph *graph,
					      const struct vexfs_query *query,
					      const u32 blocks)
{
	const u32 count = graph->entries->group_count;
	s32 best = VEXFS_KEY_NONE;
	u32 nearest = 0, i, j, set;

	for (i = 0; i < count; i += 8) {
		s32 keys[8];

		set = entries8_below(graph, &graph->entries->centres, query,
				     NULL, i, count, best, blocks, keys);
		for (; set; set &= set - 1) {
			j = (u32)__builtin_ctz(set);
			if (keys[j] < best) {
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
