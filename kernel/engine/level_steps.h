/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The steps of a walk. Each ends where the walk has asked for memory that it
 * needs next.
 */
#ifndef VEXFS_ENGINE_LEVEL_STEPS_H
#define VEXFS_ENGINE_LEVEL_STEPS_H

#include "level_keys.h"

/* Keys that are worth a place: below the last one, and within reach. */
static ALWAYS_INLINE s32 threshold_of(const struct vexfs_walk *walk)
{
	const struct vexfs_pool *pool = &walk->pool;
	const s32 last = pool->keys[pool->ef - 1];
	s64 ranked, reach;

	if (!walk->stop_rank)
		return last;
	ranked = walk->answers->keys[walk->stop_rank - 1];
	if (ranked == VEXFS_KEY_NONE)
		return last;
	reach = ranked +
		((ranked + walk->query.origin) * walk->stop_share >> 16) + 1;
	return reach < last ? (s32)reach : last;
}

static ALWAYS_INLINE void prefetch_links(const struct vexfs_graph *graph,
					 u32 slot)
{
	prefetch_bytes(vexfs_links_at(graph, slot),
		       graph->config.width * sizeof(u32));
}

static ALWAYS_INLINE void prefetch_code(const struct vexfs_graph *graph,
					u32 slot, const u32 blocks)
{
	prefetch_bytes(vexfs_code_at(graph, slot), blocks * VEXFS_ROW_ALIGN);
}

/* The neighbours of a row that the walk has not seen, which it has then. A row that
 * is being changed may have one twice. */
static ALWAYS_INLINE u32 gather_unseen(const struct vexfs_graph *graph,
				       struct vexfs_walk *walk, u32 slot)
{
	const u32 count =
		unseen_links(vexfs_links_at(graph, slot), graph->config.width,
			     walk->slot_limit, walk->seen, walk->buffer);
	u32 kept = 0, i;

	for (i = 0; i < count; i++) {
		const u32 found = walk->buffer[i];
		u64 *word = &walk->seen[found / 64];
		const u64 bit = 1ULL << (found % 64);

		walk->buffer[kept] = found;
		kept += !(*word & bit);
		*word |= bit;
	}
	return kept;
}

/* What is needed next of the slots in the buffer. */
static ALWAYS_INLINE void ask_for_buffer(const struct vexfs_graph *graph,
					 struct vexfs_walk *walk,
					 const u32 blocks)
{
	u32 i;

	if (graph->config.lines) {
		for (i = 0; i < walk->count; i++)
			prefetch_bytes(vexfs_line_at(graph, walk->buffer[i]),
				       graph->line_bytes);
		walk->phase = VEXFS_WALK_FILTER;
		return;
	}
	for (i = 0; i < walk->count; i++) {
		prefetch_code(graph, walk->buffer[i], blocks);
		__builtin_prefetch(vexfs_scale_at(graph, walk->buffer[i]));
	}
	walk->phase = VEXFS_WALK_SCORE;
}

/* Adds the unseen neighbours of a row that pass, and where wanted those that do
 * not to the hops. */
static ALWAYS_INLINE void gather_passing(const struct vexfs_graph *graph,
					 struct vexfs_walk *walk, u32 slot,
					 bool wants_hops)
{
	const u32 *row = vexfs_links_at(graph, slot);
	u32 i;

	for (i = 0; i < graph->config.width; i++) {
		const u32 link = vexfs_load_relaxed(&row[i]);
		const u32 found = link - 1;
		u64 *word;
		u64 bit;

		if (!link)
			break;
		if (found >= walk->slot_limit)
			continue;
		word = &walk->seen[found / 64];
		bit = 1ULL << (found % 64);
		if (vexfs_passes(walk->allowed, found)) {
			walk->buffer[walk->count] = found;
			walk->count += !(*word & bit);
			walk->met_count++;
			*word |= bit;
		} else if (wants_hops && !(*word & bit)) {
			walk->hops[walk->hop_count++] = found;
		}
	}
}

/* The next rows to look behind, or what has been found. */
static ALWAYS_INLINE void ask_for_hops(const struct vexfs_graph *graph,
				       struct vexfs_walk *walk,
				       const u32 blocks)
{
	const u32 left = walk->hop_count - walk->hop_next;
	u32 wave, i;

	if (walk->met_count >= VEXFS_PASSING_FEW || !left) {
		ask_for_buffer(graph, walk, blocks);
		return;
	}
	/* As many as it takes if the others yield what the rows so far did. */
	wave = (VEXFS_PASSING_FEW - walk->met_count) * (walk->hop_next + 1) /
		       (walk->met_count + 1) +
	       1;
	wave = wave < VEXFS_HOPS_WAVE ? wave : VEXFS_HOPS_WAVE;
	walk->hop_wave = wave < left ? wave : left;
	for (i = 0; i < walk->hop_wave; i++)
		prefetch_links(graph, walk->hops[walk->hop_next + i]);
	walk->phase = VEXFS_WALK_HOP;
}

/* Who has been looked behind counts as seen. */
static ALWAYS_INLINE void step_hop(const struct vexfs_graph *graph,
				   struct vexfs_walk *walk, const u32 blocks)
{
	const u32 last = walk->hop_next + walk->hop_wave;

	while (walk->hop_next < last) {
		const u32 slot = walk->hops[walk->hop_next++];

		if (walk->count + graph->config.width > VEXFS_BUFFER_MAX)
			break;
		walk->seen[slot / 64] |= 1ULL << (slot % 64);
		gather_passing(graph, walk, slot, false);
	}
	ask_for_hops(graph, walk, blocks);
}

static ALWAYS_INLINE void step_gather(const struct vexfs_graph *graph,
				      struct vexfs_walk *walk, const u32 blocks)
{
	struct vexfs_pool *pool = &walk->pool;
	const u32 slot = pool->slots[walk->at];

	pool->slots[walk->at] = slot | VEXFS_EXPANDED;
	walk->expanded_count++;
	if (walk->regime != VEXFS_REGIME_HOPS) {
		walk->count = gather_unseen(graph, walk, slot);
		ask_for_buffer(graph, walk, blocks);
		return;
	}
	walk->count = 0;
	walk->hop_count = 0;
	walk->hop_next = 0;
	walk->met_count = 0;
	gather_passing(graph, walk, slot, true);
	ask_for_hops(graph, walk, blocks);
}

/* Slots are taken by fours: the places after the last repeat it. */
static ALWAYS_INLINE void pad_buffer(struct vexfs_walk *walk)
{
	u32 i;

	for (i = 0; i < 3 && walk->count; i++)
		walk->buffer[walk->count + i] = walk->buffer[walk->count - 1];
}

static ALWAYS_INLINE void step_filter(const struct vexfs_graph *graph,
				      struct vexfs_walk *walk, const u32 blocks)
{
	const s32 threshold = threshold_of(walk);
	u32 i;

	walk->filtered_count += walk->count;
	if (threshold != VEXFS_KEY_NONE)
		walk->count = keep_likely(graph, walk, walk->buffer,
					  walk->count, threshold, blocks);
	for (i = 0; i < walk->count; i++)
		prefetch_code(graph, walk->buffer[i], blocks);
	walk->phase = VEXFS_WALK_SCORE;
}

/* Of a walk through what does not pass. */
static ALWAYS_INLINE void offer_passing(struct vexfs_walk *walk, s32 key,
					u32 slot)
{
	const struct vexfs_pool *passing = &walk->passing;

	if (!vexfs_passes(walk->allowed, slot))
		return;
	if (key < passing->keys[passing->ef - 1])
		pool_put(passing, key, slot);
}

/* True where the walk has ended. */
static ALWAYS_INLINE bool step_score(const struct vexfs_graph *graph,
				     struct vexfs_walk *walk, const u32 blocks)
{
	const struct vexfs_pool *pool = &walk->pool;
	const bool is_through = walk->regime == VEXFS_REGIME_THROUGH;
	const u32 count = walk->count;
	u32 *buffer = walk->buffer;
	s32 threshold = threshold_of(walk);
	u32 next = walk->at + 1, i, set;

	walk->scored_count += count;
	pad_buffer(walk);
	for (i = 0; i < count; i += 4) {
		s32 keys[4];

		set = keys4_below(graph, &walk->query, buffer + i, threshold,
				  blocks, keys);
		if (count - i < 4)
			set &= (1u << (count - i)) - 1;
		for (; set; set &= set - 1) {
			const u32 j = (u32)__builtin_ctz(set);
			u32 place;

			if (keys[j] >= threshold)
				continue;
			place = pool_put(pool, keys[j], buffer[i + j]);
			next = place < next ? place : next;
			if (is_through)
				offer_passing(walk, keys[j], buffer[i + j]);
			threshold = threshold_of(walk);
		}
	}
	next = next_open(pool, next);
	walk->at = next;
	if (next >= pool->ef || pool->keys[next] > threshold)
		return true;
	if (is_through && next >= VEXFS_LOST_AT && vexfs_is_lost(walk))
		return true;
	prefetch_links(graph, pool->slots[next]);
	walk->phase = VEXFS_WALK_GATHER;
	return false;
}

static ALWAYS_INLINE u32 advance_blocks(const struct vexfs_graph *graph,
					struct vexfs_walk *const *walks,
					u32 count, const u32 blocks)
{
	u32 i;

	for (;;) {
		for (i = 0; i < count; i++) {
			struct vexfs_walk *walk = walks[i];

			switch (walk->phase) {
			case VEXFS_WALK_GATHER:
				step_gather(graph, walk, blocks);
				break;
			case VEXFS_WALK_HOP:
				step_hop(graph, walk, blocks);
				break;
			case VEXFS_WALK_FILTER:
				step_filter(graph, walk, blocks);
				break;
			case VEXFS_WALK_SCORE:
				if (step_score(graph, walk, blocks))
					return i;
				break;
			}
		}
	}
}

static u32 advance(const struct vexfs_graph *graph,
		   struct vexfs_walk *const *walks, u32 count)
{
	u32 ended = 0;

	WITH_BLOCKS(graph, ended = advance_blocks(graph, walks, count, blocks));
	return ended;
}

#endif
