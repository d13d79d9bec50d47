/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Searching under a filter. Where few slots pass, all of them are scored. Else a
 * walk goes by hops, past what does not pass; where nothing near the query passes,
 * it starts in many places and takes longer, as the nearest are many there, about
 * equally far, and in places that few links join.
 */
#ifndef VEXFS_ENGINE_FILTERED_H
#define VEXFS_ENGINE_FILTERED_H

#include "search.h"
#include "walk.h"

/* The pool of a walk far from what passes has so many times the places. */
#define VEXFS_FAR_PLACES 4u

/* Chooses the regime of a query that has a bitmap, and the places of its pool. */
void vexfs_plan_filtered(const struct vexfs_graph *graph,
			 const struct vexfs_search *search,
			 struct vexfs_walk *walk);

#endif
