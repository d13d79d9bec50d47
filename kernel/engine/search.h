/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Approximate search of a batch of queries: the tail whole, and the graph by
 * walks of which a few are under way at a time; where few slots pass a filter,
 * all that do.
 */
#ifndef VEXFS_ENGINE_SEARCH_H
#define VEXFS_ENGINE_SEARCH_H

#include "graph.h"

#define VEXFS_WALKS_MAX 8u

struct vexfs_found {
	u32 slot;
	u32 generation;
	s32 key; /* comparable within one query only */
};

/*
 * A key of a query times mantissa * 2^exponent is minus the inner product, or half
 * of Euclid's square distance minus half of the query's own square: as near as codes
 * are to vectors. VEXFS_KEY_NEAR and VEXFS_KEY_FAR may stand for more.
 */
struct vexfs_key_unit {
	u32 mantissa;
	s32 exponent;
};

struct vexfs_search {
	u32 query_count;
	const u32 *query_bits; /* query_count x dim, IEEE 754 singles */
	/* A bitmap a query over the slots below slot_limit, or NULL for a query or
	 * for all. */
	const u64 *const *allowed;
	/* How many slots each bitmap has, an estimate: it chooses how the query is
	 * searched. NULL where `allowed` is. */
	const u32 *allowed_counts;
	u32 wanted; /* candidates a query, at most ef */
	u32 ef; /* places of the pool, at most VEXFS_EF_MAX */
	u32 stop_rank; /* 0, or the rank of struct vexfs_walk; at most ef */
	u32 stop_share;
	u32 slack; /* sixteenths of a standard deviation: 16 is usual */
	u32 walk_count; /* under way at a time, 1..VEXFS_WALKS_MAX */
	u32 slot_limit; /* vexfs_slot_limit() when the scratch was measured */
	struct vexfs_found *found; /* query_count x wanted, nearest first */
	u32 *counts;
	struct vexfs_key_unit *units; /* a query, or NULL */
	void *scratch;
	/* What it took, over all queries. */
	u64 expanded_count;
	u64 filtered_count;
	u64 scored_count;
};

size_t vexfs_search_scratch_bytes(const struct vexfs_graph *graph, u32 ef,
				  u32 walk_count, u32 slot_limit);

/* -EINVAL: a bound is out of range, or a query is not finite. */
int vexfs_run_search(const struct vexfs_graph *graph,
		     struct vexfs_search *search);

#endif
