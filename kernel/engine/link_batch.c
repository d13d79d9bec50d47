// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The two phases of a batch. */
#include "link_parts.h"

#define BATCH_SHARE 20u /* a batch is at most this part of what is linked */

void vexfs_write_row(const struct vexfs_graph *graph, u32 slot,
		     const u32 *links, u32 count)
{
	u32 *row = vexfs_links_at(graph, slot);
	u32 i;

	for (i = 0; i < graph->config.width; i++)
		vexfs_store_relaxed(&row[i], i < count ? links[i] + 1 : 0);
}

u32 vexfs_row_length(const struct vexfs_graph *graph, const u32 *row)
{
	u32 least = 0, most = graph->config.width;

	while (least < most) {
		const u32 middle = (least + most) / 2;

		if (row[middle])
			least = middle + 1;
		else
			most = middle;
	}
	return least;
}

enum vexfs_metric vexfs_link_query(const struct vexfs_graph *graph, u32 slot,
				   struct vexfs_worker *worker)
{
	const enum vexfs_metric metric =
		vexfs_link_metric(graph, vexfs_scale_at(graph, slot)->square);
	struct vexfs_query *query = &worker->space->walk.query;

	graph->kernels->row_query(graph, slot, worker->space->planes, query);
	vexfs_set_unit(graph, query, metric, 0);
	return metric;
}

void vexfs_prune_row(const struct vexfs_graph *graph, u32 slot,
		     enum vexfs_metric metric, struct vexfs_worker *worker)
{
	const struct vexfs_prune prune = {
		.metric = metric,
		.query = &worker->space->walk.query,
		.from = &worker->row_pool,
		.count = VEXFS_ROW_POOL,
		.kept_min = graph->config.links_kept / VEXFS_KEPT_MIN_PART,
		.kept_max = graph->config.links_kept,
		.kept = worker->kept,
	};

	const u32 count = graph->kernels->prune(graph, &prune);

	vexfs_write_row(graph, slot, worker->kept,
			vexfs_keep_kin(graph, &worker->kin, worker->kept,
				       count));
}

/* The members before one, of which the walk knows nothing. */
static void offer_members(const struct vexfs_linker *linker, u32 index,
			  struct vexfs_walk *walk)
{
	const struct vexfs_graph *graph = linker->graph;
	u32 block[VEXFS_BLOCK_SLOTS];
	u32 i, count = 0;

	for (i = 0; i < index; i++) {
		block[count++] = linker->members[i].slot;
		if (count < VEXFS_BLOCK_SLOTS && i + 1 < index)
			continue;
		graph->kernels->offer(graph, &walk->query, block, count, 0,
				      &walk->pool);
		count = 0;
	}
}

void vexfs_start_member(struct vexfs_linker *linker, u32 index,
			struct vexfs_walk_space *space)
{
	const struct vexfs_graph *graph = linker->graph;
	struct vexfs_member *member = &linker->members[index];

	graph->kernels->row_query(graph, member->slot, space->planes,
				  &space->walk.query);
	space->walk.index = index;
	member->metric = vexfs_link_metric(
		graph, vexfs_scale_at(graph, member->slot)->square);
	vexfs_start_walk(graph, &space->walk, member->metric);
}

void vexfs_finish_member(struct vexfs_linker *linker, struct vexfs_walk *walk,
			 struct vexfs_worker *worker)
{
	const struct vexfs_graph *graph = linker->graph;
	struct vexfs_member *member = &linker->members[walk->index];
	u32 *chosen =
		linker->chosen + (size_t)walk->index * graph->config.links_new;
	const struct vexfs_prune prune = {
		.metric = member->metric,
		.query = &walk->query,
		.from = &walk->pool,
		.count = walk->pool.ef,
		.kept_min = graph->config.links_new / VEXFS_KEPT_MIN_PART,
		.kept_max = graph->config.links_new,
		.kept = worker->kept,
	};
	u32 i;

	offer_members(linker, walk->index, walk);
	member->chosen_count = graph->kernels->prune(graph, &prune);
	for (i = 0; i < member->chosen_count; i++)
		chosen[i] = worker->kept[i];
	vexfs_choose_keeper(graph, member->slot, chosen, member->chosen_count);
	vexfs_write_row(graph, member->slot, chosen, member->chosen_count);
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
			const u64 *edges, u32 edge_count,
			struct vexfs_worker *worker)
{
	const struct vexfs_graph *graph = linker->graph;
	const struct vexfs_pool *pool = &worker->row_pool;
	const struct vexfs_query *query = &worker->space->walk.query;
	const enum vexfs_metric metric =
		vexfs_link_query(graph, target, worker);
	u32 *row = vexfs_links_at(graph, target);
	const u32 length = vexfs_row_length(graph, row);
	u32 block[VEXFS_BLOCK_SLOTS];
	u32 i, count = 0;

	vexfs_pool_clear(pool);
	vexfs_clear_kin(&worker->kin, target);
	for (i = 0; i < length + edge_count; i++) {
		block[count++] =
			i < length
				? row[i] - 1
				: linker->members[(u32)edges[i - length]].slot;
		if (count < VEXFS_BLOCK_SLOTS && i + 1 < length + edge_count)
			continue;
		graph->kernels->offer(graph, query, block, count, 0, pool);
		vexfs_find_kin(graph, block, count, &worker->kin);
		count = 0;
	}
	vexfs_prune_row(graph, target, metric, worker);
}

void vexfs_link_back(struct vexfs_linker *linker, u32 part,
		     struct vexfs_worker *worker)
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
		length = vexfs_row_length(graph, row);
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
u32 vexfs_choose_batch(struct vexfs_linker *linker)
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
	return linker->member_count;
}

void vexfs_finish_batch(struct vexfs_linker *linker,
			struct vexfs_worker *worker)
{
	struct vexfs_graph *graph = linker->graph;
	u32 i;

	for (i = 0; i < linker->member_count; i++) {
		const u32 slot = linker->members[i].slot;

		vexfs_graph_set_linked(graph, slot);
		vexfs_add_entry(graph, slot, worker->space->planes);
		vexfs_add_longest(graph, slot);
	}
	vexfs_store_release(&graph->tail_first,
			    graph->tail_first + linker->taken_count);
	/* Free only now, so that the tail never holds a slot twice. */
	for (; i < linker->taken_count; i++)
		vexfs_store_release(vexfs_state_at(graph,
						   linker->members[i].slot),
				    VEXFS_SLOT_FREE);
}
