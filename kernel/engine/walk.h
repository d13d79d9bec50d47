/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * A walk: one query's way through the graph, as a small state machine. Several
 * are advanced in turn, so that one's cache misses hide behind another's
 * arithmetic; each step ends where it has asked for memory that it needs next.
 *
 * The pool holds the nearest slots seen, sorted by key; a place whose highest
 * bit is set has been expanded, or is not to be. The walk expands the nearest
 * place that has not been, until there is none within reach.
 *
 * Under a filter a walk goes by hops: only slots that pass enter the pool. The
 * neighbours that do not are measured too and enter a second pool, and of those
 * that are nearest to the query the rows are read: what passes there enters the
 * first one. So the walk gets past what does not pass without expanding it.
 */
#ifndef VEXFS_ENGINE_WALK_H
#define VEXFS_ENGINE_WALK_H

#include "graph.h"

#define VEXFS_EXPANDED 0x80000000u
#define VEXFS_SEEDS_MAX 48u
/* Neighbours that do not pass, whose rows a walk by hops reads at a time. */
#define VEXFS_HOPS_WAVE 4u
#define VEXFS_BUFFER_MAX (4 * VEXFS_WIDTH_MAX)
/* Written by whole vectors. */
#define VEXFS_BUFFER_SLOTS (VEXFS_BUFFER_MAX + 16)

/* How a query is answered. */
enum vexfs_regime {
	VEXFS_REGIME_ALL, /* no filter */
	VEXFS_REGIME_HOPS, /* a walk past what does not pass */
	VEXFS_REGIME_SCAN, /* no walk: all that passes */
};

enum vexfs_walk_phase {
	VEXFS_WALK_GATHER, /* the unseen neighbours of the next place */
	VEXFS_WALK_HOP, /* those that pass of neighbours that do not */
	VEXFS_WALK_FILTER, /* by their lines */
	VEXFS_WALK_SCORE, /* by their codes */
};

struct vexfs_pool {
	s32 *keys; /* aligned to 64 bytes, room for ef rounded up to 16 */
	u32 *slots;
	u32 ef;
	u32 padded; /* ef rounded up to 16 */
};

struct vexfs_walk {
	struct vexfs_query query;
	struct vexfs_pool pool;
	u64 *seen; /* a bit a slot */
	const u64 *allowed; /* a bit a slot, or NULL: all pass */
	enum vexfs_regime regime;
	struct vexfs_pool seeds; /* room for VEXFS_SEEDS_MAX */
	struct vexfs_pool groups; /* room for VEXFS_GROUPS_NEAR */
	struct vexfs_pool failing; /* by hops: neighbours that do not pass */
	bool is_far; /* by hops: nothing near the query passes */
	u32 places; /* of the pool, by hops */
	u32 slot_limit; /* slots that seen has bits for */
	u32 tail_first; /* of the tail when the walk began */
	u32 slack; /* of the filter lines, see vexfs_line_key() */
	u32 stop_rank; /* 0, or: end where the next place is farther than the */
	u32 stop_share; /* stop_rank-th by more than this share, in 2^-16 */
	u32 at; /* the place that is expanded next */
	u32 seed_next; /* of the seeds, which are expanded before it */
	u32 seed_count;
	u32 failing_at; /* all places before have been looked behind */
	enum vexfs_walk_phase phase;
	u32 count; /* in the buffer */
	u32 index; /* of the query, for the caller */
	/* What it took. */
	u32 expanded_count;
	u32 filtered_count;
	u32 scored_count;
	u32 hop_count;
	u32 hops[VEXFS_HOPS_WAVE]; /* whose rows are read next */
	u32 behind_count; /* rows read since a place was expanded */
	u32 met_count; /* what has been found since then that passes */
	u32 buffer[VEXFS_BUFFER_SLOTS];
};

/* A new slot's or a row's candidates, and what pruning keeps of them. */
struct vexfs_prune {
	enum vexfs_metric metric; /* by which one candidate hides another */
	const struct vexfs_query *query; /* with a unit of that metric */
	const struct vexfs_pool *from; /* sorted; its marks are used up */
	u32 count; /* places of `from` */
	u32 kept_min; /* where there are so many */
	u32 kept_max;
	u32 *kept; /* room for three more */
};

/* Everything that one SIMD level compiles for itself; all give the same. */
struct vexfs_graph_kernels {
	/* Codes a query from IEEE 754 bits: -EINVAL if not finite. Padding is
	 * zeroed; code has row_bytes, planes VEXFS_PLANES lines where the graph
	 * has lines. */
	int (*code_query)(const struct vexfs_graph *graph, const u32 *bits,
			  s8 *code, u64 *planes, struct vexfs_query *query);
	/* A row as a query. */
	void (*row_query)(const struct vexfs_graph *graph, u32 slot,
			  u64 *planes, struct vexfs_query *query);
	void (*keys)(const struct vexfs_graph *graph,
		     const struct vexfs_query *query, const u32 *slots,
		     u32 count, s32 *keys);
	/* Fills an empty pool with the nearest entries that pass, of the groups
	 * that are nearest: as many as the other pool has places, which it
	 * fills with their numbers. By lines where the graph has them. */
	void (*nearest_entries)(const struct vexfs_graph *graph,
				const struct vexfs_query *query,
				const u64 *allowed, u32 slot_limit,
				const struct vexfs_pool *groups,
				const struct vexfs_pool *pool);
	u32 (*nearest_group)(const struct vexfs_graph *graph,
			     const struct vexfs_query *query);
	/* Offers slots to a pool, marked as given (0 or VEXFS_EXPANDED). */
	void (*offer)(const struct vexfs_graph *graph,
		      const struct vexfs_query *query, const u32 *slots,
		      u32 count, u32 mark, const struct vexfs_pool *pool);
	/* Chooses the query's unit and scores all that passes, into the walk's
	 * pool. */
	void (*scan_allowed)(const struct vexfs_graph *graph,
			     struct vexfs_walk *walk);
	/* Scores at most so many of what passes, from all over. */
	void (*scan_sample)(const struct vexfs_graph *graph,
			    struct vexfs_walk *walk, u32 most);
	/* Advances all until one ends; answers which. */
	u32 (*advance)(const struct vexfs_graph *graph,
		       struct vexfs_walk *const *walks, u32 count);
	/* Relaxed diversity: how many were kept. */
	u32 (*prune)(const struct vexfs_graph *graph,
		     const struct vexfs_prune *prune);
};

extern const struct vexfs_graph_kernels vexfs_graph_kernels_scalar;
extern const struct vexfs_graph_kernels vexfs_graph_kernels_avx2;
extern const struct vexfs_graph_kernels vexfs_graph_kernels_avx512;

static inline bool vexfs_passes(const u64 *allowed, u32 slot)
{
	return !allowed || (allowed[slot / 64] >> (slot % 64) & 1);
}

/* Moves the slots that a walk has not seen to the front, which it has then: how
 * many. */
static inline u32 vexfs_take_unseen(struct vexfs_walk *walk, u32 *slots,
				    u32 count)
{
	u32 kept = 0, i;

	for (i = 0; i < count; i++) {
		const u32 slot = slots[i];
		u64 *word = &walk->seen[slot / 64];
		const u64 bit = 1ULL << (slot % 64);

		slots[kept] = slot;
		kept += !(*word & bit);
		*word |= bit;
	}
	return kept;
}

static inline u32 vexfs_pad_pool(u32 ef)
{
	return (ef + 15) & ~15u;
}

/* Within the room that it has. */
static inline void vexfs_pool_size(struct vexfs_pool *pool, u32 ef)
{
	pool->ef = ef;
	pool->padded = vexfs_pad_pool(ef);
}

/* Empties a pool. */
static inline void vexfs_pool_clear(const struct vexfs_pool *pool)
{
	u32 i;

	for (i = 0; i < pool->padded; i++) {
		pool->keys[i] = VEXFS_KEY_NONE;
		pool->slots[i] = ~0u;
	}
}

#endif
