/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Under a filter that few slots pass: all of them, without a walk. The rows of
 * a block are asked for while the block before is measured: first their lines,
 * and of those that these leave likely their codes.
 */
#ifndef VEXFS_ENGINE_LEVEL_SCAN_H
#define VEXFS_ENGINE_LEVEL_SCAN_H

#include "level_keys.h"
#include "level_steps.h"

#define SCAN_BLOCK 32u

/* What a scan is of: all that passes, or a slot of each of some words. */
struct allowed_slots {
	const u64 *words;
	u64 word; /* bits of the word at `index` that are left */
	u32 slot_limit;
	u32 base; /* its first slot */
	u32 index; /* of the next word */
	u32 word_count;
	u32 words_left;
	u32 stride;
	u32 most; /* slots that are left to take */
	u32 bits; /* of a word, at most */
	u32 bits_left; /* of this one */
};

static ALWAYS_INLINE bool is_live(const struct vexfs_graph *graph, u32 slot)
{
	switch (vexfs_slot_state_of(graph, slot)) {
	case VEXFS_SLOT_LINKED:
		return true;
	case VEXFS_SLOT_TAIL: /* or on its way there */
		return vexfs_life_at(graph, slot) != 0;
	default:
		return false;
	}
}

static void begin_allowed(const struct vexfs_walk *walk,
			  struct allowed_slots *from)
{
	from->words = walk->allowed;
	from->index = 0;
	from->slot_limit = walk->slot_limit;
	from->word_count = (walk->slot_limit + 63) / 64;
	from->words_left = from->word_count;
	from->word = 0;
	from->base = 0;
	from->stride = 1;
	from->most = ~0u;
	from->bits = 64;
	from->bits_left = 64;
}

static u32 common_factor(u32 a, u32 b)
{
	while (b) {
		const u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The words in an order that is spread over all of them wherever it is cut off:
 * steps of about the golden section. */
static void begin_sample(const struct vexfs_walk *walk, u32 most,
			 struct allowed_slots *from)
{
	begin_allowed(walk, from);
	from->most = most;
	from->bits = 1 + 2 * most / (from->word_count + 1);
	from->stride = (u32)((u64)from->word_count * 633 / 1024) | 1;
	while (common_factor(from->word_count, from->stride) > 1)
		from->stride += 2;
}

/* The next word that has bits; false where there is none left. */
static ALWAYS_INLINE bool next_word(struct allowed_slots *from)
{
	while (!from->word) {
		if (!from->words_left)
			return false;
		from->words_left--;
		from->base = from->index * 64;
		from->word = from->words[from->index];
		from->bits_left = from->bits;
		from->index += from->stride;
		if (from->index >= from->word_count)
			from->index %= from->word_count;
	}
	return true;
}

/* The next live slots, at most a block. */
static u32 take_allowed(const struct vexfs_graph *graph,
			struct allowed_slots *from, u32 *slots)
{
	u32 count = 0;

	while (count < SCAN_BLOCK && from->most && next_word(from)) {
		const u32 slot = from->base + (u32)__builtin_ctzll(from->word);

		from->word &= from->word - 1;
		if (!--from->bits_left)
			from->word = 0;
		if (slot >= from->slot_limit || !is_live(graph, slot))
			continue;
		slots[count++] = slot;
		from->most--;
	}
	return count;
}

/*
 * A row's distance is at most the sum of its length and the query's. So the
 * keys of the nearest `wanted` rows have room where those of any `wanted` rows
 * that pass have: the length that the shorter half of the first ones have at most.
 * Where fewer pass it is the same, so that a few long rows do not take the others'
 * precision.
 */
static u32 scan_reach(const struct vexfs_graph *graph, struct vexfs_walk *walk)
{
	const struct vexfs_pool *pool = &walk->pool;
	struct allowed_slots from;
	u32 *slots = walk->buffer;
	const u32 most = 2 * pool->ef;
	u32 left = most, reach = 0, count, i;

	begin_allowed(walk, &from);
	while (left && (count = take_allowed(graph, &from, slots))) {
		for (i = 0; i < count && left; i++, left--) {
			const u32 square =
				vexfs_scale_at(graph, slots[i])->square;

			/* A packed number's order, in 31 bits. */
			if ((s32)(square >> 1) < pool->keys[pool->ef - 1])
				pool_put(pool, (s32)(square >> 1), slots[i]);
		}
	}
	if (left < most)
		reach = ((u32)pool->keys[(most - left - 1) / 2] << 1) | 1;
	vexfs_pool_clear(pool);
	return reach;
}

static void set_scan_unit(const struct vexfs_graph *graph,
			  struct vexfs_walk *walk)
{
	const enum vexfs_metric metric = graph->file->metric;

	vexfs_set_unit(graph, &walk->query, metric,
		       metric == VEXFS_METRIC_DOT ? 0
						  : scan_reach(graph, walk));
}

static ALWAYS_INLINE void scan_blocks(const struct vexfs_graph *graph,
				      struct vexfs_walk *walk,
				      struct allowed_slots *from,
				      const u32 blocks)
{
	u32 *asked = walk->buffer, *likely = asked + SCAN_BLOCK;
	u32 asked_count = 0, likely_count = 0, i;

	do {
		if (likely_count)
			offer_blocks(graph, &walk->query, likely, likely_count,
				     0, &walk->pool, blocks);
		walk->scored_count += likely_count;
		likely_count = asked_count;
		for (i = 0; i < asked_count; i++)
			likely[i] = asked[i];
		if (graph->config.lines) {
			const s32 threshold =
				walk->pool.keys[walk->pool.ef - 1];

			walk->filtered_count += asked_count;
			if (threshold != VEXFS_KEY_NONE)
				likely_count = keep_likely(graph, walk, likely,
							   likely_count,
							   threshold, blocks);
			for (i = 0; i < likely_count; i++)
				prefetch_code(graph, likely[i], blocks);
		}
		asked_count = take_allowed(graph, from, asked);
		for (i = 0; i < asked_count; i++) {
			if (graph->config.lines) {
				prefetch_bytes(vexfs_line_at(graph, asked[i]),
					       graph->line_bytes);
				continue;
			}
			prefetch_code(graph, asked[i], blocks);
			__builtin_prefetch(vexfs_scale_at(graph, asked[i]));
		}
	} while (asked_count || likely_count);
}

static void scan_allowed(const struct vexfs_graph *graph,
			 struct vexfs_walk *walk)
{
	struct allowed_slots from;

	set_scan_unit(graph, walk);
	begin_allowed(walk, &from);
	WITH_BLOCKS(graph, scan_blocks(graph, walk, &from, blocks));
}

static void scan_sample(const struct vexfs_graph *graph,
			struct vexfs_walk *walk, u32 most)
{
	struct allowed_slots from;

	begin_sample(walk, most, &from);
	WITH_BLOCKS(graph, scan_blocks(graph, walk, &from, blocks));
}

#endif
