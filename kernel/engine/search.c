// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "search.h"
#include "walk_space.h"

size_t vexfs_search_scratch_bytes(const struct vexfs_graph *graph, u32 ef,
				  u32 walk_count, u32 slot_limit)
{
	return (size_t)walk_count *
		       vexfs_walk_space_bytes(graph, ef, slot_limit) +
	       64;
}

static bool is_valid(const struct vexfs_search *search)
{
	if (!search->ef || search->ef > VEXFS_EF_MAX)
		return false;
	if (!search->wanted || search->wanted > search->ef)
		return false;
	if (search->stop_rank > search->ef || search->stop_share > 1u << 20)
		return false;
	if (search->slack > 1u << 12)
		return false;
	return search->walk_count && search->walk_count <= VEXFS_WALKS_MAX;
}

static int start_query(const struct vexfs_graph *graph,
		       const struct vexfs_search *search, u32 index,
		       struct vexfs_walk_space *space)
{
	struct vexfs_walk *walk = &space->walk;
	const int status = graph->kernels->code_query(
		graph, search->query_bits + (size_t)index * graph->file->dim,
		space->code, space->planes, &walk->query);

	if (status)
		return status;
	walk->index = index;
	walk->stop_rank = search->stop_rank;
	walk->stop_share = search->stop_share;
	walk->slack = search->slack;
	walk->allowed = search->allowed ? search->allowed[index] : NULL;
	vexfs_start_walk(graph, walk, graph->file->metric);
	vexfs_offer_tail(graph, walk);
	if (walk->allowed)
		vexfs_seed_filtered(graph, walk);
	return 0;
}

/* The nearest live slots of a pool. */
static void answer(const struct vexfs_graph *graph, struct vexfs_search *search,
		   const struct vexfs_walk *walk)
{
	const struct vexfs_pool *pool = &walk->pool;
	struct vexfs_found *found =
		search->found + (size_t)walk->index * search->wanted;
	u32 count = 0, i;

	for (i = 0; i < search->wanted; i++) {
		if (pool->keys[i] == VEXFS_KEY_NONE)
			break;
		__builtin_prefetch(
			&graph->file
				 ->chunks[(pool->slots[i] & ~VEXFS_EXPANDED) /
					  VEXFS_CHUNK_ROWS]
				 ->states[pool->slots[i] % VEXFS_CHUNK_ROWS]);
	}
	for (i = 0; i < pool->ef && count < search->wanted; i++) {
		const u32 slot = pool->slots[i] & ~VEXFS_EXPANDED;
		u64 life;

		if (pool->keys[i] == VEXFS_KEY_NONE)
			break;
		life = vexfs_life_at(graph, slot);
		if (!life)
			continue;
		found[count].slot = slot;
		found[count].generation = (u32)(life - 1);
		found[count].key = pool->keys[i];
		count++;
	}
	search->counts[walk->index] = count;
	search->expanded_count += walk->expanded_count;
	search->filtered_count += walk->filtered_count;
	search->scored_count += walk->scored_count;
}

int vexfs_run_search(const struct vexfs_graph *graph,
		     struct vexfs_search *search)
{
	struct vexfs_walk_space *spaces[VEXFS_WALKS_MAX];
	struct vexfs_walk *walks[VEXFS_WALKS_MAX];
	u8 *place = vexfs_scratch_start(search->scratch);
	u32 started = 0, active = 0, i;
	int status;

	if (!is_valid(search))
		return -EINVAL;
	search->expanded_count = 0;
	search->filtered_count = 0;
	search->scored_count = 0;
	while (active < search->walk_count && started < search->query_count) {
		spaces[active] = vexfs_take_walk_space(
			graph, search->ef, search->slot_limit, &place);
		status = start_query(graph, search, started++, spaces[active]);
		if (status)
			return status;
		walks[active] = &spaces[active]->walk;
		active++;
	}
	while (active) {
		const u32 ended = graph->kernels->advance(graph, walks, active);

		answer(graph, search, walks[ended]);
		if (started < search->query_count) {
			i = ended;
			status = start_query(graph, search, started++,
					     spaces[i]);
			if (status)
				return status;
			continue;
		}
		active--;
		walks[ended] = walks[active];
		spaces[ended] = spaces[active];
	}
	return 0;
}
