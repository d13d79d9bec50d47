// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "longest.h"
#include "walk.h"

/* Of one that has died, zero. */
static u32 octaves_at(const struct vexfs_graph *graph, u32 slot)
{
	return vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_LINKED
		       ? vexfs_octaves(vexfs_scale_at(graph, slot)->square)
		       : 0;
}

void vexfs_add_longest(struct vexfs_graph *graph, u32 slot)
{
	struct vexfs_longest *longest = &graph->longest;
	const u32 octaves = octaves_at(graph, slot);
	u32 shortest = 0, least = ~0u, i;

	if (graph->file->metric != VEXFS_METRIC_DOT ||
	    vexfs_is_among(longest->slots, longest->count, slot))
		return;
	if (longest->count < VEXFS_BEYOND_MAX) {
		vexfs_store_relaxed(&longest->slots[longest->count], slot);
		vexfs_store_release(&longest->count, longest->count + 1);
		return;
	}
	for (i = 0; i < VEXFS_BEYOND_MAX; i++) {
		const u32 other = octaves_at(graph, longest->slots[i]);

		if (other < least) {
			least = other;
			shortest = i;
		}
	}
	if (octaves > least)
		vexfs_store_relaxed(&longest->slots[shortest], slot);
}

/* Rows that were too short for a place while others had it. */
static void find_others(struct vexfs_graph *graph)
{
	const u32 limit = vexfs_slot_limit(graph);
	u32 slot;

	for (slot = 0; slot < limit; slot++)
		if (vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_LINKED &&
		    vexfs_is_beyond(graph, vexfs_scale_at(graph, slot)->square))
			vexfs_add_longest(graph, slot);
}

void vexfs_drop_longest(struct vexfs_graph *graph, u8 state)
{
	struct vexfs_longest *longest = &graph->longest;
	const u32 before = longest->count;
	u32 i;

	for (i = longest->count; i-- > 0;) {
		const u32 slot = longest->slots[i];

		if (vexfs_slot_state_of(graph, slot) != state)
			continue;
		vexfs_store_relaxed(&longest->slots[i],
				    longest->slots[longest->count - 1]);
		vexfs_store_release(&longest->count, longest->count - 1);
	}
	if (longest->count < before &&
	    vexfs_is_beyond(graph, vexfs_load_relaxed(&graph->square_max)))
		find_others(graph);
}

VEXFS_READS_RACILY
u32 vexfs_beyond_slots(const struct vexfs_graph *graph, const u64 *allowed,
		       u32 slot_limit, u32 *slots)
{
	const struct vexfs_longest *longest = &graph->longest;
	u32 count = 0, all, i;

	if (!vexfs_is_beyond(graph, vexfs_load_relaxed(&graph->square_max)))
		return 0;
	all = vexfs_load_acquire(&longest->count);
	for (i = 0; i < all; i++) {
		const u32 slot = vexfs_load_relaxed(&longest->slots[i]);

		if (slot < slot_limit && vexfs_passes(allowed, slot) &&
		    vexfs_is_beyond(graph, vexfs_scale_at(graph, slot)->square))
			slots[count++] = slot;
	}
	return count;
}
