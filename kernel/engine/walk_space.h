/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The memory of one walk, out of a caller's scratch. */
#ifndef VEXFS_ENGINE_WALK_SPACE_H
#define VEXFS_ENGINE_WALK_SPACE_H

#include "scratch.h"
#include "walk.h"

struct vexfs_walk_space {
	struct vexfs_walk walk;
	s8 *code; /* of the query */
	u64 *planes;
};

/* `ef` places of the pool, and `failing` of the one beside it under a filter. */
size_t vexfs_walk_space_bytes(const struct vexfs_graph *graph, u32 ef,
			      u32 failing, u32 slot_limit);
struct vexfs_walk_space *vexfs_take_walk_space(const struct vexfs_graph *graph,
					       u32 ef, u32 failing,
					       u32 slot_limit, u8 **place);

/*
 * Starts a walk whose query is set, at the nearest entry. The distance is the
 * metric's: linking walks by Euclid's also where searches use inner products.
 */
void vexfs_start_walk(const struct vexfs_graph *graph, struct vexfs_walk *walk,
		      enum vexfs_metric metric);
/* The entries that are nearest to the query, passing or not, into the seeds. */
void vexfs_find_nearest(const struct vexfs_graph *graph,
			struct vexfs_walk *walk);
/*
 * Starts one by hops, from the seeds; where these are far from all that passes,
 * from entries that pass, and where there are few of them from a sample.
 */
void vexfs_start_hops(const struct vexfs_graph *graph, struct vexfs_walk *walk);
/*
 * Starts it from the rows beyond the usual length too: they are among the nearest of
 * half of all queries, and of few of the rows that a walk passes.
 */
void vexfs_start_beyond(const struct vexfs_graph *graph,
			struct vexfs_walk *walk);
/* No walk: scores all that passes, the tail too. */
void vexfs_start_scan(const struct vexfs_graph *graph, struct vexfs_walk *walk);
/*
 * At the end of a walk, offers every slot that has been in the tail since it
 * began, and passes. Not before the walk: they would take the places of the pool
 * that lead it to where it is going.
 */
void vexfs_offer_tail(const struct vexfs_graph *graph, struct vexfs_walk *walk);

#endif
