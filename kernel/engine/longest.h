/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The longest of the linked slots, under inner products. Those beyond the usual
 * length are among the nearest of half of all queries, but linked from few of the
 * rows that a walk passes: searches look at them wherever they start.
 *
 * Linking and repair are the only writers, one at a time, beside searches. A slot
 * that has gone and was given to another vector meanwhile has that one's length.
 */
#ifndef VEXFS_ENGINE_LONGEST_H
#define VEXFS_ENGINE_LONGEST_H

#include "lengths.h"
#include "platform.h"

struct vexfs_graph;

struct vexfs_longest {
	u32 count;
	u32 slots[VEXFS_BEYOND_MAX]; /* in no order */
};

/* A slot that has just been linked: where it is one of the longest. */
void vexfs_add_longest(struct vexfs_graph *graph, u32 slot);
/* Leaves out the slots of a state, which will be used again, and looks for others
 * where some are beyond the usual length. */
void vexfs_drop_longest(struct vexfs_graph *graph, u8 state);
/* The slots beyond the usual length that pass, at most VEXFS_BEYOND_MAX: how many. */
u32 vexfs_beyond_slots(const struct vexfs_graph *graph, const u64 *allowed,
		       u32 slot_limit, u32 *slots);

#endif
