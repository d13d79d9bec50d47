/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The steps of a walk. Each ends where the walk has asked for memory that it
 * needs next.
 */
#ifndef VEXFS_ENGINE_LEVEL_STEPS_H
#define VEXFS_ENGINE_LEVEL_STEPS_H

#include "level_keys.h"

/* What passes and is found behind a place and its row: with less, more rows are
 * read, at most so many a place. */
#define MET_ENOUGH 8u
#define BEHIND_MAX 32u

/* What codes tell apart: this part of the query's square, which at 128 dimensions is
 * eight times the usual error of a distance. */
#define ERRORS_SHIFT 6

/* Keys that are worth a place: below the last one, and within reach. */
static ALWAYS_INLINE s32 threshold_of(const struct vexfs_walk *walk)
{
	const struct vexfs_pool *pool = &walk->pool;
	const s64 errors = walk->query.origin >> ERRORS_SHIFT;
	const s32 last = pool->keys[pool->ef - 1];
	s64 ranked, away, more;

	if (!walk->stop_rank)
		return last;
	ranked = walk->pool.keys[walk->stop_rank - 1];
	if (ranked == VEXFS_KEY_NONE)
		return last;
	away = ranked + walk->query.origin;
	/* So far below zero only where it is a row beyond the usual length, whose
	 * distance is none. */
	if (away < -errors)
		return last;
	more = away > 0 ? away * walk->stop_share >> 16 : 0;
	ranked += (more > errors ? more : errors) + 1;
	return ranked < last ? (s32)ranked : last;
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
		links_where(vexfs_links_at(graph, slot), graph->config.width,
			    walk->slot_limit, walk->seen, false, walk->buffer);

	return vexfs_take_unseen(walk, walk->buffer, count);
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
				       line_bytes_of(blocks));
		walk->phase = VEXFS_WALK_FILTER;
		return;
	}
	for (i = 0; i < walk->count; i++) {
		prefetch_code(graph, walk->buffer[i], blocks);
		__builtin_prefetch(vexfs_scale_at(graph, walk->buffer[i]));
	}
	walk->phase = VEXFS_WALK_SCORE;
}

/* What lies behind neighbours that do not pass: of theirs, those that do. */
static ALWAYS_INLINE void step_hop(const struct vexfs_graph *graph,
				   struct vexfs_walk *walk, const u32 blocks)
{
	u32 count = 0, h;

	for (h = 0; h < walk->hop_count; h++) {
		u32 *found = walk->buffer + count;
		const u32 passing =
			links_where(vexfs_links_at(graph, walk->hops[h]),
				    graph->config.width, walk->slot_limit,
				    walk->allowed, true, found);

		count += vexfs_take_unseen(walk, found, passing);
	}
	walk->count = count;
	ask_for_buffer(graph, walk, blocks);
}

static ALWAYS_INLINE void step_gather(const struct vexfs_graph *graph,
				      struct vexfs_walk *walk, const u32 blocks)
{
	struct vexfs_pool *pool = &walk->pool;
	u32 slot;

	if (walk->seed_next < walk->seed_count) {
		slot = walk->seeds.slots[walk->seed_next++];
	} else {
		slot = pool->slots[walk->at];
		pool->slots[walk->at] = slot | VEXFS_EXPANDED;
	}
	walk->expanded_count++;
	walk->behind_count = 0;
	walk->met_count = 0;
	walk->count = gather_unseen(graph, walk, slot);
	ask_for_buffer(graph, walk, blocks);
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

/*
 * The rows of the nearest that do not pass, a few after each place that is
 * expanded; more where little is found, and where no place is left to expand.
 */
static ALWAYS_INLINE bool ask_for_hops(const struct vexfs_graph *graph,
				       struct vexfs_walk *walk, s32 threshold,
				       bool is_last)
{
	const struct vexfs_pool *failing = &walk->failing;
	u32 count = 0, at;

	if (!is_last && walk->behind_count &&
	    (walk->met_count >= MET_ENOUGH || walk->behind_count >= BEHIND_MAX))
		return false;
	at = next_open(failing, walk->failing_at);
	while (count < VEXFS_HOPS_WAVE && at < failing->ef &&
	       failing->keys[at] < threshold) {
		prefetch_links(graph, failing->slots[at]);
		walk->hops[count++] = failing->slots[at];
		failing->slots[at] |= VEXFS_EXPANDED;
		at = next_open(failing, at);
	}
	walk->failing_at = at;
	walk->hop_count = count;
	walk->behind_count += count;
	walk->phase = VEXFS_WALK_HOP;
	return count;
}

static ALWAYS_INLINE void offer_failing(struct vexfs_walk *walk, s32 key,
					u32 slot)
{
	const struct vexfs_pool *failing = &walk->failing;
	u32 place;

	if (key >= failing->keys[failing->ef - 1])
		return;
	place = pool_put(failing, key, slot);
	if (place < walk->failing_at)
		walk->failing_at = place;
}

/* True where the walk has ended. */
static ALWAYS_INLINE bool step_score(const struct vexfs_graph *graph,
				     struct vexfs_walk *walk, const u32 blocks)
{
	const struct vexfs_pool *pool = &walk->pool;
	const bool is_hops = walk->regime == VEXFS_REGIME_HOPS;
	const u32 count = walk->count;
	u32 *buffer = walk->buffer;
	s32 threshold = threshold_of(walk);
	u32 next = walk->at, i, set;
	bool is_last, has_seed;

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
			const u32 slot = buffer[i + j];
			u32 place;

			if (keys[j] >= threshold)
				continue;
			if (is_hops && !vexfs_passes(walk->allowed, slot)) {
				offer_failing(walk, keys[j], slot);
				continue;
			}
			walk->met_count++;
			place = pool_put(pool, keys[j], slot);
			next = place < next ? place : next;
			threshold = threshold_of(walk);
		}
	}
	next = next_open(pool, next);
	walk->at = next;
	has_seed = walk->seed_next < walk->seed_count;
	is_last =
		!has_seed && (next >= pool->ef || pool->keys[next] > threshold);
	if (is_hops && ask_for_hops(graph, walk, threshold, is_last))
		return false;
	if (is_last)
		return true;
	prefetch_links(graph, has_seed ? walk->seeds.slots[walk->seed_next]
				       : pool->slots[next]);
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
