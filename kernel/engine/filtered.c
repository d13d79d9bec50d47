// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "filtered.h"

/*
 * A scan of so many slots takes about twice as long as a walk without a filter,
 * whose time goes with ef: rows of SCAN_ROW bytes, others in proportion.
 */
#define SCAN_SLOTS 2048u
#define SCAN_SLOTS_EF 96u
#define SCAN_ROW 128u
/* A walk that ends by distance has expanded about so many places by then. */
#define SCAN_EF_MAX 64u

/* A filter is far from a query where of the places nearest to it less than this
 * part of the usual number pass. What a scan may read then takes a millisecond. */
#define FAR_SHARE 4u
#define FAR_SCAN_BYTES (24u << 20)

/* Below, a walk through all finds enough only where the filter is near the query,
 * and the walk by hops after it takes as long as a scan of twice as many slots. */
#define THROUGH_PERCENT 10u
#define SCAN_NARROW 2u
/* Places of the pool that pass, for each that is wanted. */
#define THROUGH_PASSING 3u

/* What a scan reads of every slot that passes. */
static u32 row_line_bytes(const struct vexfs_graph *graph)
{
	return graph->config.lines ? graph->line_bytes : graph->row_bytes;
}

static u32 live_count(const struct vexfs_graph *graph)
{
	return vexfs_load_relaxed(&graph->linked_count) +
	       vexfs_tail_length(graph) -
	       vexfs_load_relaxed(&graph->dead_count);
}

/* So many that enough of them pass, if they are like all. */
static u32 through_places(const struct vexfs_search *search, u64 live,
			  u64 count)
{
	const u64 most = (u64)VEXFS_THROUGH_PLACES * search->ef;
	const u64 places =
		(u64)search->wanted * THROUGH_PASSING * live / (count + 1);

	if (places < search->ef || count * 100 < live * THROUGH_PERCENT)
		return search->ef;
	return (u32)(places < most ? places : most);
}

static u64 scan_slots(const struct vexfs_graph *graph,
		      const struct vexfs_search *search)
{
	const u32 bytes = row_line_bytes(graph);
	const u32 ef = search->stop_rank && search->ef > SCAN_EF_MAX
			       ? SCAN_EF_MAX
			       : search->ef;
	const u64 slots = SCAN_SLOTS + (u64)SCAN_SLOTS_EF * ef;

	return bytes > SCAN_ROW ? slots * SCAN_ROW / bytes : slots;
}

void vexfs_plan_filtered(const struct vexfs_graph *graph,
			 const struct vexfs_search *search,
			 struct vexfs_walk *walk)
{
	const u32 count = search->allowed_counts[walk->index];

	walk->regime = count <= scan_slots(graph, search)
			       ? VEXFS_REGIME_SCAN
			       : VEXFS_REGIME_THROUGH;
	walk->places = through_places(search, live_count(graph), count);
}

/* Of the places that are nearest to the query, so many pass. */
static u32 near_count(const struct vexfs_walk *walk)
{
	const s32 farthest = walk->pool.keys[walk->pool.ef - 1];
	u32 count = 0;

	while (count < walk->passing.ef && walk->passing.keys[count] < farthest)
		count++;
	return count;
}

void vexfs_plan_again(const struct vexfs_graph *graph,
		      const struct vexfs_search *search,
		      struct vexfs_walk *walk)
{
	const u64 live = live_count(graph);
	const u64 count = search->allowed_counts[walk->index];
	const u64 usual = count * walk->pool.ef / (live + 1);
	const u64 bytes = count * row_line_bytes(graph);
	const bool is_narrow = count * 100 < live * THROUGH_PERCENT &&
			       count <= SCAN_NARROW * scan_slots(graph, search);
	const bool is_far =
		(u64)near_count(walk) * FAR_SHARE <
			(usual < walk->passing.ef ? usual : walk->passing.ef) &&
		bytes <= FAR_SCAN_BYTES;

	walk->regime =
		is_narrow || is_far ? VEXFS_REGIME_SCAN : VEXFS_REGIME_HOPS;
}
