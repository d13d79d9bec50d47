/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Searching under a filter. Where few slots pass, all of them are scored. Else
 * a walk goes through what does not pass; where it comes to a place that little
 * passes of, as it soon does where the filter is narrow or far from the query,
 * it starts over, by hops; or where little near the query passes, and all that
 * does can be scored in a millisecond, by a scan: far off, the nearest are many,
 * about equally far, and in places that few links join.
 */
#ifndef VEXFS_ENGINE_FILTERED_H
#define VEXFS_ENGINE_FILTERED_H

#include "search.h"
#include "walk.h"

/* A walk through what does not pass has a pool of at most so many times ef. */
#define VEXFS_THROUGH_PLACES 3u
/* Slots that pass, from all over, that a walk by hops starts from. */
#define VEXFS_SAMPLE 1024u

/* Chooses the regime of a query that has a bitmap, and the places of its pool. */
void vexfs_plan_filtered(const struct vexfs_graph *graph,
			 const struct vexfs_search *search,
			 struct vexfs_walk *walk);
/* How a walk through what does not pass, that is lost, starts over. */
void vexfs_plan_again(const struct vexfs_graph *graph,
		      const struct vexfs_search *search,
		      struct vexfs_walk *walk);

#endif
