// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Which phase is open and which of its items is next, in one word, so that a
 * worker takes an item together with the phase that it belongs to.
 */
#include "link_parts.h"

enum phase_kind {
	PHASE_SEARCH, /* an item is a member of the batch */
	PHASE_BACK, /* an item is a part of the links back */
	PHASE_KEEP, /* the one item is a range of slots */
	PHASE_REPAIR, /* an item is a few rows */
	PHASE_FREE, /* an item is a few slots */
};

/* The highest bits count phases, so that no two words of a linker are alike for a
 * while; where one comes again, whoever takes an item by it takes one that is open. */
#define CLAIM(phase, kind, count) \
	((u64)(phase) << 55 | (u64)(kind) << 52 | (u64)(count) << 26)
#define CLAIM_PHASE(claim) ((u32)((claim) >> 55))
#define CLAIM_KIND(claim) ((enum phase_kind)((claim) >> 52 & 7))
#define CLAIM_COUNT(claim) ((u32)((claim) >> 26) & 0x3ffffffu)
#define CLAIM_NEXT(claim) ((u32)(claim) & 0x3ffffffu)

static size_t linker_bytes(const struct vexfs_graph *graph)
{
	return sizeof(struct vexfs_linker) +
	       (size_t)VEXFS_BATCH_MAX * graph->config.links_new * sizeof(u32);
}

int vexfs_linker_create(struct vexfs_graph *graph, struct vexfs_linker **linker)
{
	struct vexfs_linker *made = vexfs_alloc(linker_bytes(graph));

	if (!made)
		return -ENOMEM;
	made->graph = graph;
	*linker = made;
	return 0;
}

void vexfs_linker_destroy(struct vexfs_linker *linker)
{
	vexfs_free(linker, linker_bytes(linker->graph));
}

size_t vexfs_link_scratch_bytes(const struct vexfs_linker *linker,
				u32 slot_limit)
{
	const struct vexfs_graph_config *config = &linker->graph->config;

	return 64 +
	       VEXFS_LINK_WALKS * vexfs_walk_space_bytes(linker->graph,
							 config->ef_construct,
							 0, slot_limit) +
	       2 * vexfs_round_up(VEXFS_ROW_POOL * sizeof(u32)) +
	       vexfs_round_up((VEXFS_WIDTH_MAX + 4) * sizeof(u32)) +
	       vexfs_round_up((size_t)VEXFS_BATCH_MAX * config->links_new *
			      sizeof(u64));
}

static void cut_scratch(const struct vexfs_linker *linker, u32 slot_limit,
			void *scratch, struct vexfs_worker *worker)
{
	const struct vexfs_graph_config *config = &linker->graph->config;
	u8 *place = vexfs_scratch_start(scratch);
	u32 i;

	for (i = 0; i < VEXFS_LINK_WALKS; i++)
		worker->spaces[i] =
			vexfs_take_walk_space(linker->graph,
					      config->ef_construct, 0,
					      slot_limit, &place);
	worker->space = worker->spaces[0];
	worker->seen_is_clear = 0;
	worker->row_pool.keys =
		vexfs_take(&place, VEXFS_ROW_POOL * sizeof(s32));
	worker->row_pool.slots =
		vexfs_take(&place, VEXFS_ROW_POOL * sizeof(u32));
	worker->row_pool.ef = VEXFS_ROW_POOL;
	worker->row_pool.padded = VEXFS_ROW_POOL;
	worker->kept = vexfs_take(&place, (VEXFS_WIDTH_MAX + 4) * sizeof(u32));
	worker->edges =
		vexfs_take(&place, (size_t)VEXFS_BATCH_MAX * config->links_new *
					   sizeof(u64));
}

static void open_phase(struct vexfs_linker *linker, enum phase_kind kind,
		       u32 count)
{
	const u32 phase = CLAIM_PHASE(vexfs_load_relaxed(&linker->claim)) + 1;

	linker->done = 0;
	vexfs_store_relaxed(&linker->slot_limit,
			    vexfs_slot_limit(linker->graph));
	vexfs_store_release(&linker->claim, CLAIM(phase & 0x1ff, kind, count));
}

/* A repair where enough slots have died, else a batch, else nothing. */
static void next_work(struct vexfs_linker *linker, struct vexfs_worker *worker)
{
	u32 count;

	if (vexfs_wants_repair(linker, worker->order)) {
		vexfs_begin_repair(linker);
		open_phase(linker, PHASE_KEEP, 1);
		return;
	}
	/* Whole batches may have died. */
	for (;;) {
		count = vexfs_choose_batch(linker);
		if (count || !linker->taken_count)
			break;
		vexfs_finish_batch(linker, worker);
	}
	open_phase(linker, PHASE_SEARCH, count);
}

/* After the last item of a phase; the caller is alone then. */
static void next_phase(struct vexfs_linker *linker, u64 claim,
		       struct vexfs_worker *worker)
{
	switch (CLAIM_KIND(claim)) {
	case PHASE_SEARCH:
		open_phase(linker, PHASE_BACK, VEXFS_LINK_PARTS);
		return;
	case PHASE_BACK:
		vexfs_finish_batch(linker, worker);
		break;
	case PHASE_KEEP:
		if (linker->keep_next <
		    linker->repair_items * VEXFS_REPAIR_SLOTS)
			open_phase(linker, PHASE_KEEP, 1);
		else
			open_phase(linker, PHASE_REPAIR, linker->repair_items);
		return;
	case PHASE_REPAIR:
		vexfs_repair_entries(linker, worker);
		open_phase(linker, PHASE_FREE, CLAIM_COUNT(claim));
		return;
	case PHASE_FREE:
		break;
	}
	next_work(linker, worker);
}

/* Opens a phase where none is and there is something to do. */
static void open_work(struct vexfs_linker *linker, struct vexfs_worker *worker)
{
	if (!vexfs_tail_length(linker->graph) &&
	    !vexfs_wants_repair(linker, worker->order))
		return;
	if (vexfs_exchange(&linker->opening, 1))
		return;
	if (!CLAIM_COUNT(vexfs_load_acquire(&linker->claim)))
		next_work(linker, worker);
	vexfs_store_release(&linker->opening, 0);
}

/* A phase is not for workers whose marks end before its slots do. */
static bool take_item(struct vexfs_linker *linker, u32 slot_limit,
		      struct vexfs_worker *worker, u64 *taken)
{
	u64 claim = vexfs_load_acquire(&linker->claim);

	if (!CLAIM_COUNT(claim)) {
		open_work(linker, worker);
		claim = vexfs_load_acquire(&linker->claim);
	}
	while (CLAIM_NEXT(claim) < CLAIM_COUNT(claim) &&
	       vexfs_load_relaxed(&linker->slot_limit) <= slot_limit)
		if (vexfs_compare_exchange(&linker->claim, &claim, claim + 1)) {
			*taken = claim;
			return true;
		}
	return false;
}

static void finish_item(struct vexfs_linker *linker, u64 claim,
			struct vexfs_worker *worker)
{
	if (vexfs_add(&linker->done, 1) == CLAIM_COUNT(claim))
		next_phase(linker, claim, worker);
}

/*
 * Searches for a member that has been taken and for as many more as the budget has,
 * a few at a time: those that are under way hold the phase open, so that whatever
 * is taken meanwhile is of it. How many.
 */
static u32 run_searches(struct vexfs_linker *linker, u64 claim, u32 budget,
			u32 slot_limit, struct vexfs_worker *worker)
{
	struct vexfs_walk_space **spaces = worker->spaces;
	struct vexfs_walk *walks[VEXFS_LINK_WALKS];
	u32 ran = 0, active = 0;
	bool is_taken = true;

	worker->seen_is_clear = 0;
	for (;;) {
		struct vexfs_walk_space *ended;
		u32 at;

		while (is_taken) {
			vexfs_start_member(linker, CLAIM_NEXT(claim),
					   spaces[active]);
			walks[active] = &spaces[active]->walk;
			active++;
			is_taken =
				++ran < budget && active < VEXFS_LINK_WALKS &&
				take_item(linker, slot_limit, worker, &claim);
		}
		at = linker->graph->kernels->advance(linker->graph, walks,
						     active);
		ended = spaces[at];
		vexfs_finish_member(linker, &ended->walk, worker);
		finish_item(linker, claim, worker);
		if (!--active)
			return ran;
		walks[at] = walks[active];
		spaces[at] = spaces[active];
		spaces[active] = ended;
		is_taken = ran < budget &&
			   take_item(linker, slot_limit, worker, &claim);
	}
}

/* An item that has been taken, and perhaps more of its phase: how many. */
static u32 run_items(struct vexfs_linker *linker, u64 claim, u32 budget,
		     u32 slot_limit, struct vexfs_worker *worker)
{
	const u32 item = CLAIM_NEXT(claim);
	u32 ran = 1;

	switch (CLAIM_KIND(claim)) {
	case PHASE_SEARCH:
		return run_searches(linker, claim, budget, slot_limit, worker);
	case PHASE_BACK:
		vexfs_link_back(linker, item, worker);
		ran = VEXFS_PART_ITEMS;
		break;
	case PHASE_KEEP:
		vexfs_repair_keepers(linker);
		ran = VEXFS_KEEP_SLOTS / VEXFS_REPAIR_SLOTS / 4;
		break;
	case PHASE_REPAIR:
		vexfs_repair_rows(linker, item, worker);
		break;
	case PHASE_FREE:
		vexfs_free_slots(linker, item);
		break;
	}
	finish_item(linker, claim, worker);
	return ran;
}

u32 vexfs_run_link(struct vexfs_linker *linker, enum vexfs_link_order order,
		   u32 budget, u32 slot_limit, void *scratch)
{
	struct vexfs_worker worker;
	u32 ran = 0;
	u64 claim;

	cut_scratch(linker, slot_limit, scratch, &worker);
	worker.order = order;
	while (ran < budget && take_item(linker, slot_limit, &worker, &claim))
		ran += run_items(linker, claim, budget - ran, slot_limit,
				 &worker);
	return ran < budget ? ran : budget;
}
