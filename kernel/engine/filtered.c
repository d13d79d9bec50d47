// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "filtered.h"
#include "walk_space.h"

/*
 * A scan of so many slots takes two to three times as long as a walk without a
 * filter, whose time goes with ef: rows of SCAN_ROW bytes, others in proportion.
 */
#define SCAN_SLOTS 2048u
#define SCAN_SLOTS_EF 96u
#define SCAN_ROW 128u
/* A walk that ends by distance has expanded about so many places by then. */
#define SCAN_EF_MAX 64u

/* A filter is near a query where this part of what is around it passes: a walk finds
 * the nearest there as soon as without a filter, and takes about as long as a scan of
 * this part of those slots, or of twice as many where lines spare most codes. */
#define NEAR_SHARE 2u
#define SCAN_NEAR 4u
/* But what is around a query is no more than this part of what passes. */
#define NEAR_WANTED 8u

/* Below, a walk by hops misses more than one in twenty else, and takes not much less
 * time than a scan of twice as many slots. */
#define NARROW_PERCENT 6u
#define SCAN_NARROW 2u

/* What passes near the query is counted in rows until so many would be usual, and
 * in no more than so many beside the first: fewer, and of queries that are near one
 * in thirty is taken for far. */
#define EXPECTED_NEAR 16u
#define NEAR_ROWS 7u

/* A filter is far from a query where of the slots around the nearest entry less
 * than this part of the usual number pass. Where it passes less than this percentage,
 * a walk misses up to a fifth of the nearest then, and what a scan may read takes a
 * millisecond. */
#define FAR_SHARE 4u
#define FAR_PERCENT 12u
#define FAR_SCAN_BYTES (24u << 20)

/* A walk far from what passes ends where the next place is farther than the last
 * that is wanted by this share for each place that it would have near it, in 2^-16:
 * by a tenth where ef is 64. What passes in many places about equally far makes
 * it long then, and what lies together short. */
#define FAR_STOP 100u

/* A walk that finds few that pass has so many times the places. */
#define NARROW_PLACES 2u

/* What a scan reads of every slot that passes. */
static u32 row_line_bytes(const struct vexfs_graph *graph)
{
	return graph->config.lines ? graph->line_bytes : graph->row_bytes;
}

/* About: slots that died in the tail are among them, and the counts change meanwhile. */
static u32 live_count(const struct vexfs_graph *graph)
{
	/* In this order: a repair that begins meanwhile takes some twice, none never. */
	const u32 dead = vexfs_load_acquire(&graph->dead_count);
	const u32 tombstones = dead + vexfs_load_relaxed(&graph->dying_count);
	const u32 all = vexfs_load_relaxed(&graph->linked_count) +
			vexfs_tail_length(graph);

	return all > tombstones ? all - tombstones : 0;
}

static u32 usual_ef(const struct vexfs_search *search)
{
	return search->stop_rank && search->ef > SCAN_EF_MAX ? SCAN_EF_MAX
							     : search->ef;
}

static u64 scan_slots(const struct vexfs_graph *graph,
		      const struct vexfs_search *search)
{
	const u32 bytes = row_line_bytes(graph);
	const u64 slots = SCAN_SLOTS + (u64)SCAN_SLOTS_EF * usual_ef(search);

	return bytes > SCAN_ROW ? slots * SCAN_ROW / bytes : slots;
}

/* How many of a row's links pass but the nearest entry; counts them all. */
static u32 passing_links(const struct vexfs_graph *graph,
			 const struct vexfs_walk *walk, const u32 *row,
			 u32 *all)
{
	const u32 entry = walk->seeds.slots[0];
	u32 passing = 0, i;

	for (i = 0; i < graph->config.width; i++) {
		const u32 link = vexfs_load_relaxed(&row[i]);

		if (!link)
			break;
		if (link > walk->slot_limit || link - 1 == entry)
			continue;
		++*all;
		passing += vexfs_passes(walk->allowed, link - 1);
	}
	return passing;
}

/*
 * Of the neighbours of the entry that is nearest to the query, and of its first
 * neighbours', so many pass: of as many rows as it takes to tell few from none,
 * where `count` of `live` slots pass.
 */
static u32 passing_near(const struct vexfs_graph *graph,
			const struct vexfs_walk *walk, u64 count, u64 live,
			u32 *all)
{
	const u32 *row;
	u32 passing, i;

	*all = 1; /* where there is no entry, none of one */
	if (walk->seeds.keys[0] == VEXFS_KEY_NONE)
		return 0;
	row = vexfs_links_at(graph, walk->seeds.slots[0]);
	passing = passing_links(graph, walk, row, all);
	for (i = 0; i < NEAR_ROWS && *all * count < EXPECTED_NEAR * live; i++) {
		const u32 link = vexfs_load_relaxed(&row[i]);

		if (!link)
			break;
		if (link <= walk->slot_limit)
			passing +=
				passing_links(graph, walk,
					      vexfs_links_at(graph, link - 1),
					      all);
	}
	return passing;
}

/* A walk by distance has room for more than it will expand. */
static u32 wider_places(const struct vexfs_search *search, u32 times)
{
	const u32 places = usual_ef(search) * times;

	return places >= search->wanted && places >= search->stop_rank
		       ? places
		       : search->ef;
}

static void end_far_by_distance(const struct vexfs_search *search,
				struct vexfs_walk *walk)
{
	const u32 share = usual_ef(search) * FAR_STOP;

	if (!walk->stop_rank)
		walk->stop_rank = search->wanted;
	if (walk->stop_share < share)
		walk->stop_share = share;
}

void vexfs_plan_filtered(const struct vexfs_graph *graph,
			 const struct vexfs_search *search,
			 struct vexfs_walk *walk)
{
	const u64 count = search->allowed_counts[walk->index];
	const u64 slots = scan_slots(graph, search);
	const u64 live = (u64)live_count(graph) + 1;
	const u32 lines = graph->config.lines ? 2 : 1;
	const bool is_narrow = count * 100 < live * NARROW_PERCENT;
	bool is_near;
	u32 passing, all;

	walk->regime = VEXFS_REGIME_SCAN;
	if (count * SCAN_NEAR <= slots * lines)
		return;
	vexfs_find_nearest(graph, walk);
	passing = passing_near(graph, walk, count, live, &all);
	is_near = passing * NEAR_SHARE >= all &&
		  count >= (u64)search->wanted * NEAR_WANTED;
	if (count <= slots && !is_near)
		return;
	walk->is_far = passing * FAR_SHARE * live < all * count;
	if (walk->is_far && count * 100 < live * FAR_PERCENT &&
	    count * row_line_bytes(graph) <= FAR_SCAN_BYTES)
		return;
	if (is_narrow && count <= SCAN_NARROW * slots && !is_near)
		return;
	walk->regime = VEXFS_REGIME_HOPS;
	walk->places = search->ef;
	if (walk->is_far) {
		walk->places = wider_places(search, VEXFS_FAR_PLACES);
		end_far_by_distance(search, walk);
	} else if (is_narrow && !is_near) {
		walk->places = wider_places(search, NARROW_PLACES);
	}
}
