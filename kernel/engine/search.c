// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "filtered.h"
#include "search.h"
#include "walk_space.h"

size_t vexfs_search_scratch_bytes(const struct vexfs_graph *graph, u32 ef,
				  u32 walk_count, u32 slot_limit)
{
	return (size_t)walk_count * vexfs_walk_space_bytes(
					    graph, VEXFS_FAR_PLACES * ef,
					    VEXFS_FAR_PLACES * ef, slot_limit) +
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
	if (search->allowed && !search->allowed_counts)
		return false;
	return search->walk_count && search->walk_count <= VEXFS_WALKS_MAX;
}

/* Within what vexfs_search_scratch_bytes() asks for. */
static void size_pools(const struct vexfs_search *search,
		       struct vexfs_walk *walk)
{
	switch (walk->regime) {
	case VEXFS_REGIME_ALL:
		vexfs_pool_size(&walk->pool, search->ef);
		break;
	case VEXFS_REGIME_HOPS:
		vexfs_pool_size(&walk->pool, walk->places);
		vexfs_pool_size(&walk->failing, walk->places);
		break;
	case VEXFS_REGIME_SCAN:
		vexfs_pool_size(&walk->pool, search->wanted);
		break;
	}
}

static void start_walk(const struct vexfs_graph *graph,
		       const struct vexfs_search *search,
		       struct vexfs_walk *walk)
{
	size_pools(search, walk);
	walk->tail_first = vexfs_load_acquire(&graph->tail_first);
	if (walk->regime == VEXFS_REGIME_HOPS)
		vexfs_start_hops(graph, walk);
	else
		vexfs_start_walk(graph, walk, graph->file->metric);
	vexfs_start_beyond(graph, walk);
}

static int set_query(const struct vexfs_graph *graph,
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
	walk->regime = VEXFS_REGIME_ALL;
	if (walk->allowed)
		vexfs_plan_filtered(graph, search, walk);
	/* Shares are of squares of distances. */
	if (graph->file->metric == VEXFS_METRIC_MANHATTAN)
		walk->stop_share /= 2;
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
	if (search->units) {
		struct vexfs_key_unit *unit = &search->units[walk->index];

		unit->mantissa = (u32)vexfs_packed_mantissa(walk->query.step);
		unit->exponent = vexfs_packed_exponent(walk->query.step) +
				 walk->query.unit;
	}
	search->expanded_count += walk->expanded_count;
	search->filtered_count += walk->filtered_count;
	search->scored_count += walk->scored_count;
}

/*
 * Answers the queries that need no walk, up to the first that does, and starts
 * that. 0, -EINVAL, or -ENOENT where none is left.
 */
static int start_next(const struct vexfs_graph *graph,
		      struct vexfs_search *search, u32 *next,
		      struct vexfs_walk_space *space)
{
	struct vexfs_walk *walk = &space->walk;
	int status;

	while (*next < search->query_count) {
		status = set_query(graph, search, (*next)++, space);
		if (status)
			return status;
		if (walk->regime != VEXFS_REGIME_SCAN) {
			start_walk(graph, search, walk);
			return 0;
		}
		size_pools(search, walk);
		vexfs_start_scan(graph, walk);
		answer(graph, search, walk);
	}
	return -ENOENT;
}

int vexfs_run_search(const struct vexfs_graph *graph,
		     struct vexfs_search *search)
{
	struct vexfs_walk_space *spaces[VEXFS_WALKS_MAX];
	struct vexfs_walk *walks[VEXFS_WALKS_MAX];
	u8 *place = vexfs_scratch_start(search->scratch);
	u32 next = 0, active = 0;
	int status = 0;

	if (!is_valid(search))
		return -EINVAL;
	search->expanded_count = 0;
	search->filtered_count = 0;
	search->scored_count = 0;
	while (active < search->walk_count && next < search->query_count &&
	       !status) {
		spaces[active] =
			vexfs_take_walk_space(graph,
					      VEXFS_FAR_PLACES * search->ef,
					      VEXFS_FAR_PLACES * search->ef,
					      search->slot_limit, &place);
		status = start_next(graph, search, &next, spaces[active]);
		walks[active] = &spaces[active]->walk;
		active += !status;
	}
	while (active && status != -EINVAL) {
		const u32 ended = graph->kernels->advance(graph, walks, active);
		struct vexfs_walk *walk = walks[ended];

		vexfs_offer_tail(graph, walk);
		answer(graph, search, walk);
		status = start_next(graph, search, &next, spaces[ended]);
		if (status != -ENOENT)
			continue;
		active--;
		walks[ended] = walks[active];
		spaces[ended] = spaces[active];
	}
	return status == -EINVAL ? status : 0;
}
