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

/* Below, a walk through all is only to find where to start from, and the walk by
 * hops after it takes as long as a scan of twice as many slots. */
#define THROUGH_PERCENT 10u
#define SCAN_NARROW 2u
/* Places of the pool that pass, for each that is wanted. */
#define THROUGH_PASSING 3u

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
	const u32 bytes =
		graph->config.lines ? graph->line_bytes : graph->row_bytes;
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
	const u64 live = live_count(graph);
	const u32 count = search->allowed_counts[walk->index];
	u64 most = scan_slots(graph, search);

	if ((u64)count * 100 < live * THROUGH_PERCENT)
		most *= SCAN_NARROW;
	walk->regime = count <= most ? VEXFS_REGIME_SCAN : VEXFS_REGIME_THROUGH;
	walk->places = through_places(search, live, count);
}
