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

size_t vexfs_walk_space_bytes(const struct vexfs_graph *graph, u32 ef,
			      u32 slot_limit);
struct vexfs_walk_space *vexfs_take_walk_space(const struct vexfs_graph *graph,
					       u32 ef, u32 slot_limit,
					       u8 **place);

/*
 * Starts a walk whose query is set, at the nearest entry. The distance is the
 * metric's: linking walks by Euclid's also where searches use inner products.
 */
void vexfs_start_walk(const struct vexfs_graph *graph, struct vexfs_walk *walk,
		      enum vexfs_metric metric);
/*
 * Under a filter: starts anew from slots that pass, some of the entries and some
 * of the others, and scores them at once.
 */
void vexfs_seed_filtered(const struct vexfs_graph *graph,
			 struct vexfs_walk *walk);
/* Offers every slot of the tail that passes, marked as expanded: it has no links yet. */
void vexfs_offer_tail(const struct vexfs_graph *graph, struct vexfs_walk *walk);

#endif
