// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "link.h"
#include "walk_space.h"

/* Candidates of a row that overflows: its links and the nearest new ones. */
#define ROW_POOL 256u
#define KEPT_MIN_PART 2u /* a row keeps at least this part of its most */
#define BATCH_SHARE 20u /* a batch is at most this part of what is linked */

/*
 * Which item is next, in one word, so that a worker takes an item together with
 * the phase that it belongs to: phases count up, even ones search, odd ones link
 * back.
 */
#define CLAIM(phase, count, next) \
	((u64)(phase) << 48 | (u64)(count) << 24 | (u64)(next))
#define CLAIM_PHASE(claim) ((u32)((claim) >> 48))
#define CLAIM_COUNT(claim) ((u32)((claim) >> 24) & 0xffffffu)
#define CLAIM_NEXT(claim) ((u32)(claim) & 0xffffffu)

struct member {
	u32 slot;
	u32 chosen_count;
};

struct vexfs_linker {
	struct vexfs_graph *graph;
	u64 claim;
	u32 done; /* items of this phase */
	u32 opening; /* 1 while a worker decides what the next batch is */
	u32 member_count;
	u32 taken_count; /* from the tail: the members, then those that died in it */
	struct member members[VEXFS_BATCH_MAX];
	u32 chosen[]; /* links_new for each member */
};

struct worker {
	struct vexfs_walk_space *space;
	struct vexfs_pool row_pool;
	u32 *kept;
	u64 *edges; /* of a part: target above member */
};

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
	       vexfs_walk_space_bytes(linker->graph, config->ef_construct,
				      slot_limit) +
	       2 * vexfs_round_up(ROW_POOL * sizeof(u32)) +
	       vexfs_round_up((VEXFS_WIDTH_MAX + 4) * sizeof(u32)) +
	       vexfs_round_up((size_t)VEXFS_BATCH_MAX * config->links_new *
			      sizeof(u64));
}

static void cut_scratch(const struct vexfs_linker *linker, u32 slot_limit,
			void *scratch, struct worker *worker)
{
	const struct vexfs_graph_config *config = &linker->graph->config;
	u8 *place = vexfs_scratch_start(scratch);

	worker->space = vexfs_take_walk_space(
		linker->graph, config->ef_construct, slot_limit, &place);
	worker->row_pool.keys = vexfs_take(&place, ROW_POOL * sizeof(s32));
	worker->row_pool.slots = vexfs_take(&place, ROW_POOL * sizeof(u32));
	worker->row_pool.ef = ROW_POOL;
	worker->row_pool.padded = ROW_POOL;
	worker->kept = vexfs_take(&place, (VEXFS_WIDTH_MAX + 4) * sizeof(u32));
	worker->edges =
		vexfs_take(&place, (size_t)VEXFS_BATCH_MAX * config->links_new *
					   sizeof(u64));
}

static void write_row(const struct vexfs_graph *graph, u32 slot,
		      const u32 *links, u32 count)
{
	u32 *row = vexfs_links_at(graph, slot);
	u32 i;

	for (i = 0; i < graph->config.width; i++)
		vexfs_store_relaxed(&row[i], i < count ? links[i] + 1 : 0);
}

static u32 row_length(const struct vexfs_graph *graph, const u32 *row)
{
	u32 count = 0;

	while (count < graph->config.width && row[count])
		count++;
	return count;
}

/* The members before one, of which the walk knows nothing. */
static void offer_members(const struct vexfs_linker *linker, u32 index,
			  struct vexfs_walk *walk)
{
	const struct vexfs_graph *graph = linker->graph;
	u32 block[64];
	u32 i, count = 0;

	for (i = 0; i < index; i++) {
		block[count++] = linker->members[i].slot;
		if (count < 64 && i + 1 < index)
			continue;
		graph->kernels->offer(graph, &walk->query, block, count, 0,
				      &walk->pool);
		count = 0;
	}
}

static void search_member(struct vexfs_linker *linker, u32 index,
			  struct worker *worker)
{
	const struct vexfs_graph *graph = linker->graph;
	struct vexfs_walk *walk = &worker->space->walk;
	struct member *member = &linker->members[index];
	u32 *chosen = linker->chosen + (size_t)index * graph->config.links_new;
	struct vexfs_prune prune;
	u32 i;

	graph->kernels->row_query(graph, member->slot, worker->space->planes,
				  &walk->query);
	vexfs_start_walk(graph, walk, VEXFS_METRIC_EUCLID);
	if (walk->count)
		graph->kernels->advance(graph, &walk, 1);
	offer_members(linker, index, walk);
	prune.query = &walk->query;
	prune.from = &walk->pool;
	prune.count = walk->pool.ef;
	prune.kept_min = graph->config.links_new / KEPT_MIN_PART;
	prune.kept_max = graph->config.links_new;
	prune.kept = worker->kept;
	member->chosen_count = graph->kernels->prune(graph, &prune);
	for (i = 0; i < member->chosen_count; i++)
		chosen[i] = worker->kept[i];
	write_row(graph, member->slot, chosen, member->chosen_count);
}

static void sift_down(u64 *heap, u32 count, u32 at)
{
	const u64 moved = heap[at];

	for (;;) {
		u32 child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && heap[child + 1] > heap[child])
			child++;
		if (moved >= heap[child])
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static void sort(u64 *values, u32 count)
{
	u32 i;

	for (i = count / 2; i-- > 0;)
		sift_down(values, count, i);
	for (i = count; i-- > 1;) {
		const u64 top = values[0];

		values[0] = values[i];
		values[i] = top;
		sift_down(values, i, 0);
	}
}

/* The links back of one part: targets of neighbouring rows stay together. */
static u32 gather_edges(const struct vexfs_linker *linker, u32 part, u64 *edges)
{
	const u32 stride = linker->graph->config.links_new;
	u32 count = 0, i, j;

	for (i = 0; i < linker->member_count; i++)
		for (j = 0; j < linker->members[i].chosen_count; j++) {
			const u32 target =
				linker->chosen[(size_t)i * stride + j];

			edges[count] = (u64)target << 32 | i;
			count += (target >> 3) % VEXFS_LINK_PARTS == part;
		}
	sort(edges, count);
	return count;
}

static void rebuild_row(const struct vexfs_linker *linker, u32 target,
			const u64 *edges, u32 edge_count, struct worker *worker)
{
	const struct vexfs_graph *graph = linker->graph;
	const struct vexfs_pool *pool = &worker->row_pool;
	struct vexfs_query *query = &worker->space->walk.query;
	u32 *row = vexfs_links_at(graph, target);
	const u32 length = row_length(graph, row);
	struct vexfs_prune prune;
	u32 block[64];
	u32 i, count = 0;

	graph->kernels->row_query(graph, target, worker->space->planes, query);
	vexfs_query_unit_euclid(query, 0);
	vexfs_pool_clear(pool);
	for (i = 0; i < length + edge_count; i++) {
		block[count++] =
			i < length
				? row[i] - 1
				: linker->members[(u32)edges[i - length]].slot;
		if (count < 64 && i + 1 < length + edge_count)
			continue;
		graph->kernels->offer(graph, query, block, count, 0, pool);
		count = 0;
	}
	prune.query = query;
	prune.from = pool;
	prune.count = ROW_POOL;
	prune.kept_min = graph->config.links_kept / KEPT_MIN_PART;
	prune.kept_max = graph->config.links_kept;
	prune.kept = worker->kept;
	count = graph->kernels->prune(graph, &prune);
	write_row(graph, target, worker->kept, count);
}

static void link_back(struct vexfs_linker *linker, u32 part,
		      struct worker *worker)
{
	const struct vexfs_graph *graph = linker->graph;
	const u32 count = gather_edges(linker, part, worker->edges);
	const u64 *edges = worker->edges;
	u32 first, last, i;

	for (first = 0; first < count; first = last) {
		const u32 target = (u32)(edges[first] >> 32);
		u32 *row = vexfs_links_at(graph, target);
		u32 length;

		last = first + 1;
		while (last < count && (u32)(edges[last] >> 32) == target)
			last++;
		if (last < count)
			__builtin_prefetch(vexfs_links_at(
				graph, (u32)(edges[last] >> 32)));
		length = row_length(graph, row);
		if (length + last - first > graph->config.width) {
			rebuild_row(linker, target, edges + first, last - first,
				    worker);
			continue;
		}
		for (i = first; i < last; i++)
			vexfs_store_relaxed(
				&row[length++],
				linker->members[(u32)edges[i]].slot + 1);
	}
}

/* The next slots of the tail: members, or those that died there. */
static void choose_batch(struct vexfs_linker *linker)
{
	struct vexfs_graph *graph = linker->graph;
	const u32 mask = graph->config.tail_max - 1;
	const u32 length = vexfs_tail_length(graph);
	u32 most = graph->linked_count / BATCH_SHARE;
	u32 dead, i;

	most = most < 1 ? 1 : most;
	most = most > VEXFS_BATCH_MAX ? VEXFS_BATCH_MAX : most;
	linker->taken_count = most < length ? most : length;
	linker->member_count = 0;
	dead = linker->taken_count;
	for (i = 0; i < linker->taken_count; i++) {
		const u32 slot = graph->tail[(graph->tail_first + i) & mask];

		linker->members[vexfs_life_at(graph, slot)
					? linker->member_count++
					: --dead]
			.slot = slot;
	}
}

static void finish_batch(struct vexfs_linker *linker)
{
	struct vexfs_graph *graph = linker->graph;
	u32 i;

	for (i = 0; i < linker->member_count; i++) {
		const u32 slot = linker->members[i].slot;

		vexfs_store_relaxed(&graph->linked_count,
				    graph->linked_count + 1);
		vexfs_store_release(vexfs_state_at(graph, slot),
				    VEXFS_SLOT_LINKED);
		vexfs_graph_add_entry(graph, slot);
	}
	vexfs_store_release(&graph->tail_first,
			    graph->tail_first + linker->taken_count);
	/* Free only now, so that the tail never holds a slot twice. */
	for (; i < linker->taken_count; i++)
		vexfs_store_release(vexfs_state_at(graph,
						   linker->members[i].slot),
				    VEXFS_SLOT_FREE);
}

static void open_phase(struct vexfs_linker *linker, u32 phase, u32 count)
{
	linker->done = 0;
	vexfs_store_release(&linker->claim, CLAIM(phase & 0xffffu, count, 0));
}

static void next_batch(struct vexfs_linker *linker, u32 phase)
{
	/* Whole batches may have died. */
	for (;;) {
		choose_batch(linker);
		if (linker->member_count || !linker->taken_count)
			break;
		finish_batch(linker);
	}
	open_phase(linker, phase, linker->member_count);
}

/* After the last item of a phase; the caller is alone then. */
static void next_phase(struct vexfs_linker *linker, u32 phase)
{
	if (phase % 2 == 0) {
		open_phase(linker, phase + 1, VEXFS_LINK_PARTS);
		return;
	}
	finish_batch(linker);
	next_batch(linker, phase + 1);
}

/* Opens a batch where none is under way and slots wait. */
static void open_batch(struct vexfs_linker *linker)
{
	u64 claim;

	if (!vexfs_tail_length(linker->graph) ||
	    vexfs_exchange(&linker->opening, 1))
		return;
	claim = vexfs_load_acquire(&linker->claim);
	if (!CLAIM_COUNT(claim))
		next_batch(linker, CLAIM_PHASE(claim));
	vexfs_store_release(&linker->opening, 0);
}

static bool take_item(struct vexfs_linker *linker, u64 *taken)
{
	u64 claim = vexfs_load_acquire(&linker->claim);

	if (!CLAIM_COUNT(claim)) {
		open_batch(linker);
		claim = vexfs_load_acquire(&linker->claim);
	}
	while (CLAIM_NEXT(claim) < CLAIM_COUNT(claim))
		if (vexfs_compare_exchange(&linker->claim, &claim, claim + 1)) {
			*taken = claim;
			return true;
		}
	return false;
}

u32 vexfs_run_link(struct vexfs_linker *linker, u32 budget, u32 slot_limit,
		   void *scratch)
{
	struct worker worker;
	u32 ran;

	cut_scratch(linker, slot_limit, scratch, &worker);
	for (ran = 0; ran < budget; ran++) {
		u64 claim;

		if (!take_item(linker, &claim))
			break;
		if (CLAIM_PHASE(claim) % 2 == 0)
			search_member(linker, CLAIM_NEXT(claim), &worker);
		else
			link_back(linker, CLAIM_NEXT(claim), &worker);
		if (vexfs_add(&linker->done, 1) == CLAIM_COUNT(claim))
			next_phase(linker, CLAIM_PHASE(claim));
	}
	return ran;
}
