/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the parts of linking share: the batch, the workers' memory, rows. */
#ifndef VEXFS_ENGINE_LINK_PARTS_H
#define VEXFS_ENGINE_LINK_PARTS_H

#include "keepers.h"
#include "link.h"
#include "walk_space.h"

/* Walks of a worker that are under way at a time. */
#define VEXFS_LINK_WALKS 4u
/* Candidates of a row: its links and those that would join them. */
#define VEXFS_ROW_POOL 256u
/* A row keeps at least this part of its most, see struct vexfs_prune. */
#define VEXFS_KEPT_MIN_PART 2u
#define VEXFS_BLOCK_SLOTS 64u

struct vexfs_member {
	u32 slot;
	u32 chosen_count;
	enum vexfs_metric metric; /* by which it is linked: that of its keys */
};

struct vexfs_linker {
	struct vexfs_graph *graph;
	u64 claim; /* which item is next, see link.c */
	u32 done; /* items of this phase */
	u32 slot_limit; /* vexfs_slot_limit() when this phase was opened */
	u32 repair_items; /* of the repair that is under way */
	u32 keep_next; /* keepers of the slots before have been looked at in it */
	u32 keep_last; /* the last of these that is in the graph, or VEXFS_NO_SLOT */
	u32 keep_root; /* one of them that found no keeper, or VEXFS_NO_SLOT */
	u32 opening; /* 1 while a worker decides what comes next */
	u32 member_count;
	u32 taken_count; /* from the tail: the members, then those that died in it */
	struct vexfs_member members[VEXFS_BATCH_MAX];
	u32 chosen[]; /* links_new for each member */
};

struct vexfs_worker {
	struct vexfs_walk_space *spaces[VEXFS_LINK_WALKS];
	struct vexfs_walk_space *space; /* one of them, for rows */
	struct vexfs_pool row_pool;
	u32 *kept;
	struct vexfs_kin kin; /* of the row that is pruned */
	u64 *edges; /* of a part: target above member */
	u32 seen_is_clear; /* 1: no bit of the walk's is set */
	enum vexfs_link_order order;
};

/* Batches: choosing answers how many members there are. */
u32 vexfs_choose_batch(struct vexfs_linker *linker);
void vexfs_start_member(struct vexfs_linker *linker, u32 index,
			struct vexfs_walk_space *space);
/* At the end of its walk. */
void vexfs_finish_member(struct vexfs_linker *linker, struct vexfs_walk *walk,
			 struct vexfs_worker *worker);
void vexfs_link_back(struct vexfs_linker *linker, u32 part,
		     struct vexfs_worker *worker);
void vexfs_finish_batch(struct vexfs_linker *linker,
			struct vexfs_worker *worker);

/* Repair, by items of so many slots. */
#define VEXFS_REPAIR_SLOTS 4u
bool vexfs_wants_repair(const struct vexfs_linker *linker,
			enum vexfs_link_order order);
void vexfs_begin_repair(struct vexfs_linker *linker);
/* Before its rows: keepers, the next slots. One worker at a time. */
#define VEXFS_KEEP_SLOTS 128u
_Static_assert(VEXFS_CHUNK_ROWS % VEXFS_KEEP_SLOTS == 0,
	       "a range of slots ends with the last chunk");
void vexfs_repair_keepers(struct vexfs_linker *linker);
void vexfs_repair_rows(struct vexfs_linker *linker, u32 item,
		       struct vexfs_worker *worker);
/* Between repairing rows and freeing slots: entries that go. */
void vexfs_repair_entries(struct vexfs_linker *linker,
			  struct vexfs_worker *worker);
void vexfs_free_slots(struct vexfs_linker *linker, u32 item);

/* Rows, of which a worker is the only writer meanwhile. */
void vexfs_write_row(const struct vexfs_graph *graph, u32 slot,
		     const u32 *links, u32 count);
u32 vexfs_row_length(const struct vexfs_graph *graph, const u32 *row);
/* Makes the worker's query of a row, with a unit of the metric that rows are linked
 * by, which it answers. */
enum vexfs_metric vexfs_link_query(const struct vexfs_graph *graph, u32 slot,
				   struct vexfs_worker *worker);
/* Writes what pruning keeps of the row pool, whose keys are that query's, and the
 * worker's kin. */
void vexfs_prune_row(const struct vexfs_graph *graph, u32 slot,
		     enum vexfs_metric metric, struct vexfs_worker *worker);

#endif
