/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Linking: moves the tail into the graph, in batches, as a command with a
 * budget.
 *
 * A batch has two phases. First each member looks for its candidates: a walk of
 * the graph as the last batch has left it, and the members before it by brute
 * force (without these, vectors that arrive in clustered order break the graph);
 * what pruning keeps are the member's own links. Then the links back: each
 * target's row takes all members that chose it, in their order, and is pruned
 * where they do not fit.
 *
 * Both phases are cut into items that any number of workers take, without locks:
 * items of a phase write what no other item of it reads or writes. So the same
 * commands give the same graph for any number of workers and any budget. Who
 * finishes the last item of a phase opens the next.
 */
#ifndef VEXFS_ENGINE_LINK_H
#define VEXFS_ENGINE_LINK_H

#include "graph.h"

#define VEXFS_BATCH_MAX 1024u /* members */
#define VEXFS_LINK_PARTS 64u /* of the links back, by target */
#define VEXFS_PART_ITEMS \
	4u /* items of the budget that one of them counts for */

enum vexfs_link_order {
	VEXFS_LINK_USUAL, /* repair where a part of the graph has died */
	VEXFS_LINK_REPAIR, /* repair first, however few have died */
};

struct vexfs_linker;

/* One for each graph. -ENOMEM. */
int vexfs_linker_create(struct vexfs_graph *graph,
			struct vexfs_linker **linker);
void vexfs_linker_destroy(struct vexfs_linker *linker);

/* Scratch of one worker, for slots below the limit. */
size_t vexfs_link_scratch_bytes(const struct vexfs_linker *linker,
				u32 slot_limit);

/*
 * Runs at most `budget` items; an item is one slot's search or a few rows of a
 * repair, about 50 us; a part of the links back, which is always run whole,
 * counts for VEXFS_PART_ITEMS. Returns how many it ran: fewer than the budget
 * where the tail is linked, other workers have taken what is left of the phase,
 * or it has slots from slot_limit on. Several workers may run it at the same time,
 * each with its own scratch; slot_limit is what that was measured with. The
 * order counts where a worker opens what comes next.
 */
u32 vexfs_run_link(struct vexfs_linker *linker, enum vexfs_link_order order,
		   u32 budget, u32 slot_limit, void *scratch);

#endif
