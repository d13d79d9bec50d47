/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Entries: a sample of the linked slots, about one in 64, where searches start.
 * They lie in groups around centres, of which a search looks at the nearest few.
 * Their codes or lines are copied, so that a group is read as one stretch.
 *
 * Linking and repair are the only writers, one at a time. A search may read a
 * group that is being changed, or one that has just moved: it takes an entry's
 * row for another's then and starts at a worse place, but at a slot that was
 * once linked.
 */
#ifndef VEXFS_ENGINE_ENTRIES_H
#define VEXFS_ENGINE_ENTRIES_H

#include "key.h"
#include "platform.h"

#define VEXFS_ENTRY_GROUPS_MAX 1024u
#define VEXFS_GROUP_ENTRIES 64u
#define VEXFS_GROUPS_NEAR 128u /* that a search may look at */

struct vexfs_graph;
struct vexfs_query;

/* Slots with copies of what their keys are made of. */
struct vexfs_entry_rows {
	u32 count;
	u32 *slots;
	struct vexfs_row_scale *scales;
	u8 *rows; /* lines, or codes where the graph has none */
};

struct vexfs_entries {
	u32 sample_bits; /* one slot in 2^sample_bits is in the sample */
	u32 count; /* of all groups */
	u32 group_count;
	u32 groups_made; /* that have memory; never fewer */
	struct vexfs_entry_rows centres; /* of each group, a slot of it */
	struct vexfs_entry_rows groups[VEXFS_ENTRY_GROUPS_MAX];
};

/* -ENOMEM. */
int vexfs_entries_create(struct vexfs_graph *graph);
void vexfs_entries_destroy(struct vexfs_graph *graph);

/*
 * Takes a linked slot into the sample where it belongs there; where memory is
 * short, it does not. `planes` is scratch of VEXFS_PLANES lines.
 */
void vexfs_add_entry(struct vexfs_graph *graph, u32 slot, u64 *planes);
/* Leaves out the slots of a state, which will be used again. */
void vexfs_drop_entries(struct vexfs_graph *graph, u8 state);

size_t vexfs_entries_memory_bytes(const struct vexfs_graph *graph);

#endif
