/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Relaxed diversity: which candidates a row keeps as its links. */
#ifndef VEXFS_ENGINE_LEVEL_PRUNE_H
#define VEXFS_ENGINE_LEVEL_PRUNE_H

#include "level_query.h"
#include "level_keys.h"

/* A key of the query in units of the candidate, but for a factor of 2^down. */
static ALWAYS_INLINE u64 unit_ratio(const struct vexfs_query *query,
				    const struct vexfs_query *candidate,
				    s32 *down)
{
	*down = VEXFS_PACKED_BITS + candidate->unit - query->unit +
		vexfs_packed_field(candidate->step) -
		vexfs_packed_field(query->step);
	return ((u64)vexfs_packed_mantissa(query->step) << VEXFS_PACKED_BITS) /
	       (u32)vexfs_packed_mantissa(candidate->step);
}

/* 2^16 / alpha: alpha is 1.2 for squares of distances, its root for distances. */
#define INVERSE_ALPHA_SQUARES 54613u
#define INVERSE_ALPHA 59827u

/*
 * The distance of a candidate from the query, divided by alpha, as a key of the
 * candidate's own unit: a kept slot with a smaller key hides it.
 */
static ALWAYS_INLINE s32 hiding_threshold(const struct vexfs_query *query,
					  const struct vexfs_query *candidate,
					  s32 key)
{
	const u64 inverse_alpha =
		query->by_differences ? INVERSE_ALPHA : INVERSE_ALPHA_SQUARES;
	s64 away = (s64)key + query->origin;
	s32 down;
	u64 ratio, scaled;

	/* Below zero by rounding only. */
	if (away < 0)
		away = 0;
	ratio = unit_ratio(query, candidate, &down);
	/* 33 + 23 bits, and 38 + 16. */
	scaled = (u64)away * ratio;
	if (down < 0)
		return VEXFS_KEY_FAR;
	scaled = (down < 63 ? scaled >> down : 0);
	if (scaled > 1ULL << 40)
		return VEXFS_KEY_FAR;
	away = (s64)(scaled * inverse_alpha >> 16) - candidate->origin;
	return vexfs_clamp_key(away);
}

/* The same for inner products, which no alpha divides: they may be negative. */
static ALWAYS_INLINE s32 hiding_product(const struct vexfs_query *query,
					const struct vexfs_query *candidate,
					s32 key)
{
	s32 down;
	const s64 product = key * (s64)unit_ratio(query, candidate, &down);

	if (down < 0)
		return key < 0 ? VEXFS_KEY_NEAR : VEXFS_KEY_FAR;
	return vexfs_clamp_key(product >> (down < 63 ? down : 63));
}

/* A candidate as a query, and the key below which a kept slot hides it. Not inlined,
 * as the frames of all lengths would add up. */
static NEVER_INLINE s32 make_candidate(const struct vexfs_graph *graph,
				       const struct vexfs_prune *prune,
				       u32 slot, s32 key,
				       struct vexfs_query *candidate)
{
	set_row_query(graph, slot, candidate);
	vexfs_set_unit(graph, candidate, prune->metric, prune->query->square);
	return prune->metric == VEXFS_METRIC_DOT
		       ? hiding_product(prune->query, candidate, key)
		       : hiding_threshold(prune->query, candidate, key);
}

/* Whether one of what is kept from `first` on hides a candidate. */
static ALWAYS_INLINE bool is_hidden(const struct vexfs_graph *graph,
				    const struct vexfs_prune *prune, u32 slot,
				    s32 key, u32 first, u32 kept,
				    const u32 blocks)
{
	struct vexfs_query candidate;
	const s32 threshold =
		make_candidate(graph, prune, slot, key, &candidate);
	s32 keys[4];
	u32 i;

	for (i = first; i < kept; i += 4)
		if (keys4_below(graph, &candidate, prune->kept + i, threshold,
				blocks, keys))
			return true;
	return false;
}

static ALWAYS_INLINE void swap_slots(u32 *one, u32 *other)
{
	const u32 slot = *one;

	*one = *other;
	*other = slot;
}

/*
 * A row beyond the usual length would hide nearly everything. So those come first
 * in `kept` and hide only each other; and where the links are of one of them not
 * even that, as a query may find only some of them near.
 */
static ALWAYS_INLINE u32 prune_blocks(const struct vexfs_graph *graph,
				      const struct vexfs_prune *prune,
				      const u32 blocks)
{
	const struct vexfs_pool *from = prune->from;
	const bool is_of_beyond = vexfs_is_beyond(graph, prune->query->square);
	u32 kept = 0, beyond = 0, count, i;

	for (count = 0; count < prune->count && kept < prune->kept_max;
	     count++) {
		const u32 slot = from->slots[count] & ~VEXFS_EXPANDED;
		bool is_beyond;
		u32 first;

		if (from->keys[count] == VEXFS_KEY_NONE)
			break;
		from->slots[count] = slot;
		is_beyond = vexfs_is_beyond(
			graph, vexfs_scale_at(graph, slot)->square);
		first = !is_beyond ? beyond : is_of_beyond ? kept : 0;
		if (first < kept &&
		    is_hidden(graph, prune, slot, from->keys[count], first,
			      kept, blocks)) {
			from->slots[count] |= VEXFS_EXPANDED;
			continue;
		}
		prune->kept[kept++] = slot;
		if (is_beyond)
			swap_slots(&prune->kept[beyond++],
				   &prune->kept[kept - 1]);
		/* They are compared by fours. */
		for (i = 0; i < 3; i++)
			prune->kept[kept + i] = prune->kept[kept - 1];
	}
	/* Where nearly all hide behind a few, the nearest are kept after all:
	 * they would have too few links to them. */
	for (i = 0; i < count && kept < prune->kept_min; i++)
		if (from->slots[i] & VEXFS_EXPANDED)
			prune->kept[kept++] = from->slots[i] & ~VEXFS_EXPANDED;
	return kept;
}

static u32 prune_pool(const struct vexfs_graph *graph,
		      const struct vexfs_prune *prune)
{
	u32 kept = 0;

	WITH_BLOCKS(graph, kept = prune_blocks(graph, prune, blocks));
	return kept;
}

#endif
