/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * A row's keeper is the slot of its first link. It keeps a link back to the row
 * for as long as both are in the graph, whatever pruning says of it, so that no
 * row is left without a link to it: the keepers of all rows make a tree. Where
 * one dies, repair finds each of its rows another before it takes that one out.
 *
 * While rows are pruned, in any order and by any workers, no keeper changes.
 */
#ifndef VEXFS_ENGINE_KEEPERS_H
#define VEXFS_ENGINE_KEEPERS_H

#include "graph.h"

/* The rows that one keeps. */
struct vexfs_kin {
	u32 slot; /* whose they are */
	u32 count;
	u32 slots[VEXFS_WIDTH_MAX];
};

/* Puts first that of a new slot's links which has the fewest itself: the nearest
 * would be the keeper of too many where vectors lie closer together than their
 * codes tell. */
void vexfs_choose_keeper(const struct vexfs_graph *graph, u32 slot, u32 *links,
			 u32 count);

/* Of these slots, those whose keeper a slot is; no more than it has room for. */
void vexfs_clear_kin(struct vexfs_kin *kin, u32 slot);
void vexfs_find_kin(const struct vexfs_graph *graph, const u32 *slots,
		    u32 count, struct vexfs_kin *kin);
/*
 * Adds to the links that are kept of a row, of which there may be `links_kept`,
 * its keeper and its kin, in the place of the last ones where there is no more
 * room, and puts the keeper first. How many there are then.
 */
u32 vexfs_keep_kin(const struct vexfs_graph *graph, const struct vexfs_kin *kin,
		   u32 *links, u32 count);

/*
 * Where the keeper of a row is dying, or it has none: finds another, in its
 * neighbourhood if there is one, and links that to it. `last` is the row that was
 * looked at before, or VEXFS_NO_SLOT. False where all that it knows is kept by it.
 * The caller is the only writer of rows.
 */
#define VEXFS_NO_SLOT (~0u)
bool vexfs_replace_keeper(const struct vexfs_graph *graph, u32 slot, u32 last);
/* Makes a row the keeper of another, unless that one leads to it. */
bool vexfs_keep_row(const struct vexfs_graph *graph, u32 slot, u32 keeper);

#endif
