// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Repair: each row that links to slots which have died takes the links of these
 * as candidates beside its own and is pruned again. It reads dead rows, which
 * nobody writes, and writes its own: rows are repaired in any order, by any
 * workers, with one result. Then no row links to the dead, and their slots are
 * free.
 */
#include "link_parts.h"

/* A pass reads every row, so it waits for this part to have died, if nobody
 * needs the slots before. */
#define DEAD_SHARE 16u

bool vexfs_wants_repair(const struct vexfs_linker *linker,
			enum vexfs_link_order order)
{
	const struct vexfs_graph *graph = linker->graph;
	const u32 least =
		order == VEXFS_LINK_REPAIR
			? 0
			: vexfs_load_relaxed(&graph->linked_count) / DEAD_SHARE;

	return vexfs_load_relaxed(&graph->dead_count) > least;
}

/* Who dies from here on waits for the next pass. */
void vexfs_begin_repair(struct vexfs_linker *linker)
{
	struct vexfs_graph *graph = linker->graph;
	const u32 limit = vexfs_slot_limit(graph);
	u32 dying = 0, slot;

	for (slot = 0; slot < limit; slot++)
		if (vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_DEAD) {
			vexfs_store_release(vexfs_state_at(graph, slot),
					    VEXFS_SLOT_DYING);
			dying++;
		}
	vexfs_add(&graph->dying_count, dying);
	vexfs_sub(&graph->dead_count, dying);
	linker->keep_next = 0;
	linker->keep_last = VEXFS_NO_SLOT;
	linker->keep_root = VEXFS_NO_SLOT;
	linker->repair_items = limit / VEXFS_REPAIR_SLOTS;
}

/* One that finds no keeper is kept by the next row that does not lead to it. */
static void keep(struct vexfs_linker *linker, u32 slot)
{
	const struct vexfs_graph *graph = linker->graph;

	if (!vexfs_replace_keeper(graph, slot, linker->keep_last)) {
		if (linker->keep_root == VEXFS_NO_SLOT)
			linker->keep_root = slot;
	} else if (linker->keep_root != VEXFS_NO_SLOT &&
		   vexfs_keep_row(graph, linker->keep_root, slot)) {
		linker->keep_root = VEXFS_NO_SLOT;
	}
}

void vexfs_repair_keepers(struct vexfs_linker *linker)
{
	const struct vexfs_graph *graph = linker->graph;
	u32 i;

	for (i = 0; i < VEXFS_KEEP_SLOTS; i++, linker->keep_next++) {
		const enum vexfs_slot_state state =
			vexfs_slot_state_of(graph, linker->keep_next);

		if (state != VEXFS_SLOT_LINKED && state != VEXFS_SLOT_DEAD)
			continue;
		keep(linker, linker->keep_next);
		linker->keep_last = linker->keep_next;
	}
}

static bool has_dying_link(const struct vexfs_graph *graph, const u32 *row,
			   u32 length)
{
	u32 i;

	for (i = 0; i < length; i++)
		if (vexfs_slot_state_of(graph, row[i] - 1) == VEXFS_SLOT_DYING)
			return true;
	return false;
}

/* The live links of a row that are not marked yet, which they are then. */
static void offer_links(const struct vexfs_graph *graph, const u32 *row,
			struct vexfs_worker *worker)
{
	struct vexfs_walk *walk = &worker->space->walk;
	const u32 length = vexfs_row_length(graph, row);
	u32 block[VEXFS_WIDTH_MAX];
	u32 count = 0, i;

	for (i = 0; i < length; i++) {
		const u32 slot = row[i] - 1;
		u64 *word = &walk->seen[slot / 64];
		const u64 bit = 1ULL << (slot % 64);

		if (*word & bit ||
		    vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_DYING)
			continue;
		*word |= bit;
		block[count++] = slot;
	}
	if (count)
		graph->kernels->offer(graph, &walk->query, block, count, 0,
				      &worker->row_pool);
}

/* Takes the marks off again: clearing all of them would cost more. */
static void unmark_links(const struct vexfs_graph *graph, const u32 *row,
			 struct vexfs_worker *worker)
{
	u64 *seen = worker->space->walk.seen;
	const u32 length = vexfs_row_length(graph, row);
	u32 i;

	for (i = 0; i < length; i++)
		seen[(row[i] - 1) / 64] = 0;
}

static void find_kin(const struct vexfs_graph *graph, const u32 *row,
		     u32 length, struct vexfs_kin *kin)
{
	u32 live[VEXFS_WIDTH_MAX];
	u32 count = 0, i;

	for (i = 0; i < length; i++)
		if (vexfs_slot_state_of(graph, row[i] - 1) != VEXFS_SLOT_DYING)
			live[count++] = row[i] - 1;
	vexfs_find_kin(graph, live, count, kin);
}

static void repair_row(const struct vexfs_graph *graph, u32 slot,
		       struct vexfs_worker *worker)
{
	struct vexfs_walk *walk = &worker->space->walk;
	u32 *row = vexfs_links_at(graph, slot);
	const u32 length = vexfs_row_length(graph, row);
	enum vexfs_metric metric;
	u32 i;

	if (!has_dying_link(graph, row, length))
		return;
	metric = vexfs_link_query(graph, slot, worker);
	vexfs_pool_clear(&worker->row_pool);
	vexfs_clear_kin(&worker->kin, slot);
	walk->seen[slot / 64] |= 1ULL << (slot % 64);
	find_kin(graph, row, length, &worker->kin);
	offer_links(graph, row, worker);
	for (i = 0; i < length; i++)
		if (vexfs_slot_state_of(graph, row[i] - 1) == VEXFS_SLOT_DYING)
			offer_links(graph, vexfs_links_at(graph, row[i] - 1),
				    worker);
	for (i = 0; i < length; i++)
		if (vexfs_slot_state_of(graph, row[i] - 1) == VEXFS_SLOT_DYING)
			unmark_links(graph, vexfs_links_at(graph, row[i] - 1),
				     worker);
	unmark_links(graph, row, worker);
	walk->seen[slot / 64] = 0;
	vexfs_prune_row(graph, slot, metric, worker);
}

void vexfs_repair_rows(struct vexfs_linker *linker, u32 item,
		       struct vexfs_worker *worker)
{
	const struct vexfs_graph *graph = linker->graph;
	struct vexfs_walk *walk = &worker->space->walk;
	u32 i;

	if (!worker->seen_is_clear) {
		memset(walk->seen, 0,
		       (size_t)(walk->slot_limit / 64 + 1) * sizeof(u64));
		worker->seen_is_clear = 1;
	}
	for (i = 0; i < VEXFS_REPAIR_SLOTS; i++) {
		const u32 slot = item * VEXFS_REPAIR_SLOTS + i;
		const enum vexfs_slot_state state =
			vexfs_slot_state_of(graph, slot);

		if (state == VEXFS_SLOT_LINKED || state == VEXFS_SLOT_DEAD)
			repair_row(graph, slot, worker);
	}
}

void vexfs_repair_entries(struct vexfs_linker *linker,
			  struct vexfs_worker *worker)
{
	struct vexfs_graph *graph = linker->graph;
	const u32 limit = vexfs_slot_limit(graph);
	u32 slot;

	vexfs_drop_longest(graph, VEXFS_SLOT_DYING);
	vexfs_drop_entries(graph, VEXFS_SLOT_DYING);
	/* All of them may have gone while slots are left. */
	for (slot = 0; !graph->entries->count && slot < limit; slot++)
		if (vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_LINKED)
			vexfs_add_entry(graph, slot, worker->space->planes);
}

void vexfs_free_slots(struct vexfs_linker *linker, u32 item)
{
	struct vexfs_graph *graph = linker->graph;
	u32 i;

	for (i = 0; i < VEXFS_REPAIR_SLOTS; i++) {
		const u32 slot = item * VEXFS_REPAIR_SLOTS + i;

		if (vexfs_slot_state_of(graph, slot) != VEXFS_SLOT_DYING)
			continue;
		vexfs_write_row(graph, slot, NULL, 0);
		vexfs_sub(&graph->linked_count, 1);
		vexfs_sub(&graph->dying_count, 1);
		vexfs_store_release(vexfs_state_at(graph, slot),
				    VEXFS_SLOT_FREE);
	}
}
