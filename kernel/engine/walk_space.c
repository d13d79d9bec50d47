// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "walk_space.h"

#define TAIL_BLOCK 64u
/* Of the groups of entries, that a walk without a filter looks at. */
#define GROUPS_FEW 16u

static size_t seen_bytes(u32 slot_limit)
{
	return (size_t)(slot_limit / 64 + 1) * sizeof(u64);
}

static size_t pool_bytes(u32 ef)
{
	return 2 * vexfs_round_up(vexfs_pad_pool(ef) * sizeof(u32));
}

static void take_pool(struct vexfs_pool *pool, u32 ef, u8 **place)
{
	vexfs_pool_size(pool, ef);
	pool->keys = vexfs_take(place, pool->padded * sizeof(s32));
	pool->slots = vexfs_take(place, pool->padded * sizeof(u32));
}

size_t vexfs_walk_space_bytes(const struct vexfs_graph *graph, u32 ef,
			      u32 passing, u32 slot_limit)
{
	return vexfs_round_up(sizeof(struct vexfs_walk_space)) +
	       vexfs_round_up(graph->row_bytes) +
	       vexfs_round_up((size_t)VEXFS_PLANES * graph->line_bytes) +
	       pool_bytes(ef) + pool_bytes(passing) +
	       pool_bytes(VEXFS_SEEDS_MAX) + pool_bytes(VEXFS_GROUPS_NEAR) +
	       vexfs_round_up(seen_bytes(slot_limit));
}

struct vexfs_walk_space *vexfs_take_walk_space(const struct vexfs_graph *graph,
					       u32 ef, u32 passing,
					       u32 slot_limit, u8 **place)
{
	struct vexfs_walk_space *space = vexfs_take(place, sizeof(*space));

	memset(&space->walk, 0, sizeof(space->walk));
	space->code = vexfs_take(place, graph->row_bytes);
	space->planes =
		vexfs_take(place, (size_t)VEXFS_PLANES * graph->line_bytes);
	take_pool(&space->walk.pool, ef, place);
	take_pool(&space->walk.passing, passing, place);
	take_pool(&space->walk.seeds, VEXFS_SEEDS_MAX, place);
	take_pool(&space->walk.groups, VEXFS_GROUPS_NEAR, place);
	space->walk.answers = &space->walk.pool;
	space->walk.slot_limit = slot_limit;
	space->walk.seen = vexfs_take(place, seen_bytes(slot_limit));
	return space;
}

void vexfs_offer_tail(const struct vexfs_graph *graph, struct vexfs_walk *walk)
{
	const u32 mask = graph->config.tail_max - 1;
	const u32 last = vexfs_load_acquire(&graph->tail_last);
	u32 first = walk->tail_first;
	u32 block[TAIL_BLOCK];
	u32 count = 0;

	/* Only while the walk slept could so many have been linked. */
	if (last - first > graph->config.tail_max)
		first = last - graph->config.tail_max;
	for (; first != last; first++) {
		const u32 slot = vexfs_load_relaxed(&graph->tail[first & mask]);

		if (slot >= walk->slot_limit || !vexfs_life_at(graph, slot) ||
		    !vexfs_passes(walk->allowed, slot) ||
		    walk->seen[slot / 64] >> (slot % 64) & 1)
			continue;
		walk->seen[slot / 64] |= 1ULL << (slot % 64);
		block[count++] = slot;
		if (count < TAIL_BLOCK)
			continue;
		graph->kernels->offer(graph, &walk->query, block, count,
				      VEXFS_EXPANDED, walk->answers);
		count = 0;
	}
	if (count)
		graph->kernels->offer(graph, &walk->query, block, count,
				      VEXFS_EXPANDED, walk->answers);
}

/* Empties the pools, whose sizes are set, and the counts. */
static void reset(struct vexfs_walk *walk)
{
	vexfs_pool_clear(&walk->pool);
	if (walk->answers != &walk->pool)
		vexfs_pool_clear(walk->answers);
	walk->at = ~0u; /* before the first place */
	walk->count = 0;
	walk->expanded_count = 0;
	walk->filtered_count = 0;
	walk->scored_count = 0;
	walk->phase = VEXFS_WALK_SCORE;
}

static void set_unit(const struct vexfs_graph *graph, struct vexfs_walk *walk,
		     enum vexfs_metric metric, u32 reach)
{
	if (metric == VEXFS_METRIC_DOT)
		vexfs_query_unit_dot(&walk->query,
				     vexfs_load_relaxed(&graph->square_max));
	else
		vexfs_query_unit_euclid(&walk->query, reach);
}

/* The entries that are nearest, of those that pass. */
static void find_seeds(const struct vexfs_graph *graph, struct vexfs_walk *walk,
		       enum vexfs_metric metric, const u64 *allowed, u32 most,
		       u32 groups)
{
	vexfs_pool_size(&walk->seeds, most);
	vexfs_pool_clear(&walk->seeds);
	vexfs_pool_size(&walk->groups, groups);
	vexfs_pool_clear(&walk->groups);
	set_unit(graph, walk, metric, vexfs_load_relaxed(&graph->square_max));
	graph->kernels->nearest_entries(graph, &walk->query, allowed,
					walk->slot_limit, &walk->groups,
					&walk->seeds);
}

/* An entry whose slot has been given to another vector meanwhile has that one's
 * length: the unit of the keys is a worse one. */
VEXFS_READS_RACILY
void vexfs_start_walk(const struct vexfs_graph *graph, struct vexfs_walk *walk,
		      enum vexfs_metric metric)
{
	u32 entry;

	memset(walk->seen, 0, seen_bytes(walk->slot_limit));
	reset(walk);
	find_seeds(graph, walk, metric, NULL, 1, GROUPS_FEW);
	if (walk->seeds.keys[0] == VEXFS_KEY_NONE)
		return;
	entry = walk->seeds.slots[0];
	/* Nothing that is farther than where it begins matters to the walk. */
	set_unit(graph, walk, metric, vexfs_scale_at(graph, entry)->square);
	walk->seen[entry / 64] |= 1ULL << (entry % 64);
	walk->buffer[0] = entry;
	walk->count = 1;
}

static bool has_seen(const struct vexfs_walk *walk, u32 slot)
{
	return walk->seen[slot / 64] >> (slot % 64) & 1;
}

static void mark_seen(struct vexfs_walk *walk, u32 slot)
{
	walk->seen[slot / 64] |= 1ULL << (slot % 64);
}

/* Racy as vexfs_start_walk(). */
static VEXFS_READS_RACILY u32 largest_square(const struct vexfs_graph *graph,
					     const u32 *slots, u32 count)
{
	u32 largest = 0, i;

	for (i = 0; i < count; i++) {
		const u32 square = vexfs_scale_at(graph, slots[i])->square;

		largest = square > largest ? square : largest;
	}
	return largest;
}

/*
 * What passes may lie in islands that few links join, and may have no entry: so
 * the seeds are the entries that pass, those that a walk through all has found,
 * and a sample from all over.
 */
void vexfs_start_hops(const struct vexfs_graph *graph, struct vexfs_walk *walk,
		      u32 sample)
{
	const struct vexfs_pool *pool = &walk->pool;
	const struct vexfs_pool *found = &walk->passing;
	u32 *seeds = walk->hops; /* none yet */
	u32 count = 0, kept = 0, i;

	find_seeds(graph, walk, graph->file->metric, walk->allowed,
		   VEXFS_SEEDS_MAX, VEXFS_GROUPS_NEAR);
	for (i = 0; i < VEXFS_SEEDS_MAX; i++)
		if (walk->seeds.keys[i] != VEXFS_KEY_NONE)
			seeds[count++] = walk->seeds.slots[i];
	for (i = 0; i < found->ef && count < VEXFS_WIDTH_MAX; i++)
		if (found->keys[i] != VEXFS_KEY_NONE &&
		    !(found->slots[i] & VEXFS_EXPANDED))
			seeds[count++] = found->slots[i];
	set_unit(graph, walk, graph->file->metric,
		 count ? largest_square(graph, seeds, count)
		       : vexfs_load_relaxed(&graph->square_max));
	memset(walk->seen, 0, seen_bytes(walk->slot_limit));
	reset(walk);
	graph->kernels->scan_sample(graph, walk, sample);
	for (i = 0; i < pool->ef && pool->keys[i] != VEXFS_KEY_NONE; i++)
		mark_seen(walk, pool->slots[i]);
	for (i = 0; i < count; i++) {
		if (has_seen(walk, seeds[i]))
			continue;
		mark_seen(walk, seeds[i]);
		seeds[kept++] = seeds[i];
	}
	if (kept)
		graph->kernels->offer(graph, &walk->query, seeds, kept, 0,
				      &walk->pool);
}

void vexfs_start_scan(const struct vexfs_graph *graph, struct vexfs_walk *walk)
{
	reset(walk);
	graph->kernels->scan_allowed(graph, walk);
}
