// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "walk_space.h"

#define TAIL_BLOCK 64u
/* Of the groups of entries, that a walk looks at; one far off at all of some ten
 * thousand slots, and at VEXFS_GROUPS_NEAR of more. */
#define GROUPS_FEW 16u
/* What is near the query, of the entries. */
#define SEEDS_NEAR 32u
/* Where fewer entries pass, islands of what does may have none. */
#define SEEDS_FEW 8u
/* Then a walk starts from so many slots that pass, from all over. */
#define SAMPLE 1024u

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
			      u32 failing, u32 slot_limit)
{
	return vexfs_round_up(sizeof(struct vexfs_walk_space)) +
	       vexfs_round_up(graph->row_bytes) +
	       vexfs_round_up((size_t)VEXFS_PLANES * graph->line_bytes) +
	       pool_bytes(ef) + pool_bytes(failing) +
	       pool_bytes(VEXFS_SEEDS_MAX) + pool_bytes(VEXFS_GROUPS_NEAR) +
	       vexfs_round_up(seen_bytes(slot_limit));
}

struct vexfs_walk_space *vexfs_take_walk_space(const struct vexfs_graph *graph,
					       u32 ef, u32 failing,
					       u32 slot_limit, u8 **place)
{
	struct vexfs_walk_space *space = vexfs_take(place, sizeof(*space));

	memset(&space->walk, 0, sizeof(space->walk));
	space->code = vexfs_take(place, graph->row_bytes);
	space->planes =
		vexfs_take(place, (size_t)VEXFS_PLANES * graph->line_bytes);
	take_pool(&space->walk.pool, ef, place);
	take_pool(&space->walk.failing, failing, place);
	take_pool(&space->walk.seeds, VEXFS_SEEDS_MAX, place);
	take_pool(&space->walk.groups, VEXFS_GROUPS_NEAR, place);
	space->walk.slot_limit = slot_limit;
	space->walk.seen = vexfs_take(place, seen_bytes(slot_limit));
	return space;
}

static bool has_seen(const struct vexfs_walk *walk, u32 slot)
{
	return walk->seen[slot / 64] >> (slot % 64) & 1;
}

static void mark_seen(struct vexfs_walk *walk, u32 slot)
{
	walk->seen[slot / 64] |= 1ULL << (slot % 64);
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
		    !vexfs_passes(walk->allowed, slot) || has_seen(walk, slot))
			continue;
		mark_seen(walk, slot);
		block[count++] = slot;
		if (count < TAIL_BLOCK)
			continue;
		graph->kernels->offer(graph, &walk->query, block, count,
				      VEXFS_EXPANDED, &walk->pool);
		count = 0;
	}
	if (count)
		graph->kernels->offer(graph, &walk->query, block, count,
				      VEXFS_EXPANDED, &walk->pool);
}

/* Empties the pools, whose sizes are set, and the counts. */
static void reset(struct vexfs_walk *walk)
{
	vexfs_pool_clear(&walk->pool);
	if (walk->regime == VEXFS_REGIME_HOPS)
		vexfs_pool_clear(&walk->failing);
	walk->at = 0;
	walk->seed_next = 0;
	walk->seed_count = 0;
	walk->failing_at = 0;
	walk->behind_count = 0;
	walk->met_count = 0;
	walk->count = 0;
	walk->expanded_count = 0;
	walk->filtered_count = 0;
	walk->scored_count = 0;
	walk->phase = VEXFS_WALK_SCORE;
}

/* The entries that are nearest, of those that pass. */
static void find_seeds(const struct vexfs_graph *graph, struct vexfs_walk *walk,
		       const u64 *allowed, u32 most, u32 groups)
{
	vexfs_pool_size(&walk->seeds, most);
	vexfs_pool_clear(&walk->seeds);
	vexfs_pool_size(&walk->groups, groups);
	vexfs_pool_clear(&walk->groups);
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
	vexfs_set_unit(graph, &walk->query, metric,
		       vexfs_load_relaxed(&graph->square_usual));
	find_seeds(graph, walk, NULL, 1, GROUPS_FEW);
	if (walk->seeds.keys[0] == VEXFS_KEY_NONE)
		return;
	entry = walk->seeds.slots[0];
	/* Nothing that is farther than where it begins matters to the walk. */
	vexfs_set_unit(graph, &walk->query, metric,
		       vexfs_scale_at(graph, entry)->square);
	mark_seen(walk, entry);
	walk->buffer[0] = entry;
	walk->count = 1;
}

void vexfs_start_beyond(const struct vexfs_graph *graph,
			struct vexfs_walk *walk)
{
	u32 *slots = walk->buffer + walk->count;

	walk->count +=
		vexfs_take_unseen(walk, slots,
				  vexfs_beyond_slots(graph, walk->allowed,
						     walk->slot_limit, slots));
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

void vexfs_find_nearest(const struct vexfs_graph *graph,
			struct vexfs_walk *walk)
{
	vexfs_set_unit(graph, &walk->query, graph->file->metric,
		       vexfs_load_relaxed(&graph->square_usual));
	find_seeds(graph, walk, NULL, SEEDS_NEAR, GROUPS_FEW);
}

static u32 count_seeds(const struct vexfs_walk *walk)
{
	u32 count = 0;

	while (count < walk->seeds.ef &&
	       walk->seeds.keys[count] != VEXFS_KEY_NONE)
		count++;
	return count;
}

/* Parts the seeds: those that do not pass go into the buffer, at most
 * VEXFS_SEEDS_MAX. How many pass. */
static u32 part_seeds(struct vexfs_walk *walk, u32 *failing)
{
	u32 *seeds = walk->seeds.slots;
	u32 passing = 0, i;

	*failing = 0;
	for (i = 0; i < walk->seeds.ef; i++) {
		if (walk->seeds.keys[i] == VEXFS_KEY_NONE)
			break;
		if (vexfs_passes(walk->allowed, seeds[i]))
			seeds[passing++] = seeds[i];
		else
			walk->buffer[(*failing)++] = seeds[i];
	}
	return passing;
}

static void offer_sample(const struct vexfs_graph *graph,
			 struct vexfs_walk *walk)
{
	const struct vexfs_pool *pool = &walk->pool;
	u32 i;

	graph->kernels->scan_sample(graph, walk, SAMPLE);
	for (i = 0; i < pool->ef && pool->keys[i] != VEXFS_KEY_NONE; i++)
		mark_seen(walk, pool->slots[i]);
}

/*
 * Near what passes, a walk starts from the entries around the query: from those
 * that pass, and behind those that do not. Far from it, the nearest are in many
 * places that few links join, and the best of them would crowd out the others
 * from the pool: each seed is expanded, whatever becomes of its place.
 */
void vexfs_start_hops(const struct vexfs_graph *graph, struct vexfs_walk *walk)
{
	u32 *seeds = walk->seeds.slots;
	u32 failing, passing, largest, other;

	memset(walk->seen, 0, seen_bytes(walk->slot_limit));
	reset(walk);
	passing = part_seeds(walk, &failing);
	largest = largest_square(graph, walk->buffer, failing);
	if (walk->is_far) {
		find_seeds(graph, walk, walk->allowed, VEXFS_SEEDS_MAX,
			   VEXFS_GROUPS_NEAR);
		passing = count_seeds(walk);
	}
	other = largest_square(graph, seeds, passing);
	largest = other > largest ? other : largest;
	vexfs_set_unit(graph, &walk->query, graph->file->metric,
		       passing ? largest
			       : vexfs_load_relaxed(&graph->square_usual));
	failing = vexfs_take_unseen(walk, walk->buffer, failing);
	if (failing)
		graph->kernels->offer(graph, &walk->query, walk->buffer,
				      failing, 0, &walk->failing);
	if (walk->is_far && passing < SEEDS_FEW)
		offer_sample(graph, walk);
	passing = vexfs_take_unseen(walk, seeds, passing);
	if (walk->is_far)
		walk->seed_count = passing;
	if (passing)
		graph->kernels->offer(graph, &walk->query, seeds, passing,
				      walk->is_far ? VEXFS_EXPANDED : 0,
				      &walk->pool);
}

void vexfs_start_scan(const struct vexfs_graph *graph, struct vexfs_walk *walk)
{
	reset(walk);
	graph->kernels->scan_allowed(graph, walk);
}
