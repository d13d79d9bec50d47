// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "walk_space.h"

#define TAIL_BLOCK 64u
#define SEEDS_MAX 8u
#define SEED_STRIDE \
	1000003u /* a prime: visits all words but where it divides */

static size_t seen_bytes(u32 slot_limit)
{
	return (size_t)(slot_limit / 64 + 1) * sizeof(u64);
}

size_t vexfs_walk_space_bytes(const struct vexfs_graph *graph, u32 ef,
			      u32 slot_limit)
{
	return vexfs_round_up(sizeof(struct vexfs_walk_space)) +
	       vexfs_round_up(graph->row_bytes) +
	       vexfs_round_up((size_t)VEXFS_PLANES * graph->line_bytes) +
	       2 * vexfs_round_up(vexfs_pad_pool(ef) * sizeof(u32)) +
	       vexfs_round_up(seen_bytes(slot_limit));
}

struct vexfs_walk_space *vexfs_take_walk_space(const struct vexfs_graph *graph,
					       u32 ef, u32 slot_limit,
					       u8 **place)
{
	struct vexfs_walk_space *space = vexfs_take(place, sizeof(*space));
	const u32 padded = vexfs_pad_pool(ef);

	memset(&space->walk, 0, sizeof(space->walk));
	space->code = vexfs_take(place, graph->row_bytes);
	space->planes =
		vexfs_take(place, (size_t)VEXFS_PLANES * graph->line_bytes);
	space->walk.pool.keys = vexfs_take(place, padded * sizeof(s32));
	space->walk.pool.slots = vexfs_take(place, padded * sizeof(u32));
	space->walk.pool.ef = ef;
	space->walk.pool.padded = padded;
	space->walk.slot_limit = slot_limit;
	space->walk.seen = vexfs_take(place, seen_bytes(slot_limit));
	return space;
}

void vexfs_offer_tail(const struct vexfs_graph *graph, struct vexfs_walk *walk)
{
	const u32 mask = graph->config.tail_max - 1;
	u32 first = vexfs_load_acquire(&graph->tail_first);
	const u32 last = vexfs_load_acquire(&graph->tail_last);
	u32 block[TAIL_BLOCK];
	u32 count = 0;

	for (; first != last; first++) {
		const u32 slot = vexfs_load_relaxed(&graph->tail[first & mask]);

		/* A place is overwritten when its slot is linked: the walk finds
		 * that one, and may meet here what came instead. */
		if (slot >= walk->slot_limit || !vexfs_life_at(graph, slot) ||
		    !vexfs_passes(walk->allowed, slot) ||
		    walk->seen[slot / 64] >> (slot % 64) & 1)
			continue;
		walk->seen[slot / 64] |= 1ULL << (slot % 64);
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

static bool is_seed(const struct vexfs_graph *graph,
		    const struct vexfs_walk *walk, u32 slot)
{
	const u8 state = vexfs_load_acquire(vexfs_state_at(graph, slot));

	return (state == VEXFS_SLOT_LINKED || state == VEXFS_SLOT_DEAD) &&
	       !(walk->seen[slot / 64] >> (slot % 64) & 1);
}

static u32 take_seed(struct vexfs_walk *walk, u32 *seeds, u32 count, u32 slot)
{
	walk->seen[slot / 64] |= 1ULL << (slot % 64);
	seeds[count] = slot;
	return count + 1;
}

void vexfs_seed_filtered(const struct vexfs_graph *graph,
			 struct vexfs_walk *walk)
{
	const u32 entry = graph->kernels->nearest_entry(
		graph, &walk->query, walk->allowed, walk->slot_limit);
	const u32 words = walk->slot_limit / 64;
	u32 seeds[SEEDS_MAX];
	u32 count = 0, i;

	/* The nearest entry of all is a seed like others, if it passes. */
	if (walk->count)
		walk->seen[walk->buffer[0] / 64] &=
			~(1ULL << (walk->buffer[0] % 64));
	walk->count = 0;
	if (entry != VEXFS_NO_SLOT && is_seed(graph, walk, entry))
		count = take_seed(walk, seeds, count, entry);
	/* A narrow filter may leave no entry, or a far one: some from all over. */
	for (i = 0; i < words && count < SEEDS_MAX; i++) {
		const u32 word = (u32)((u64)i * SEED_STRIDE % words);
		u32 slot;

		if (!walk->allowed[word])
			continue;
		slot = word * 64 + (u32)__builtin_ctzll(walk->allowed[word]);
		if (is_seed(graph, walk, slot))
			count = take_seed(walk, seeds, count, slot);
	}
	if (count)
		graph->kernels->offer(graph, &walk->query, seeds, count, 0,
				      &walk->pool);
}

/* An entry whose slot has been given to another vector meanwhile has that one's
 * length: the unit of the keys is a worse one. */
VEXFS_READS_RACILY
void vexfs_start_walk(const struct vexfs_graph *graph, struct vexfs_walk *walk,
		      enum vexfs_metric metric)
{
	const u32 square_max = vexfs_load_relaxed(&graph->square_max);
	u32 entry;

	memset(walk->seen, 0, seen_bytes(walk->slot_limit));
	vexfs_pool_clear(&walk->pool);
	walk->at = ~0u; /* before the first place */
	walk->count = 0;
	walk->expanded_count = 0;
	walk->filtered_count = 0;
	walk->scored_count = 0;
	walk->phase = VEXFS_WALK_SCORE;
	if (metric == VEXFS_METRIC_DOT)
		vexfs_query_unit_dot(&walk->query, square_max);
	else
		vexfs_query_unit_euclid(&walk->query, square_max);
	entry = graph->kernels->nearest_entry(graph, &walk->query, NULL,
					      walk->slot_limit);
	if (entry == VEXFS_NO_SLOT)
		return;
	/* Nothing that is farther than where it begins matters to the walk. */
	if (metric == VEXFS_METRIC_EUCLID)
		vexfs_query_unit_euclid(&walk->query,
					vexfs_scale_at(graph, entry)->square);
	walk->seen[entry / 64] |= 1ULL << (entry % 64);
	walk->buffer[0] = entry;
	walk->count = 1;
}
