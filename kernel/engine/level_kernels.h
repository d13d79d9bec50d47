/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The kernels of one SIMD level, compiled once by each of its objects, which
 * defines before it includes this:
 *
 *   codes4_below(query, codes, scales, threshold, blocks, keys)
 *   lines8_below(query, lines, slack, threshold, bytes, keys)
 *       four keys, eight keys, answering the set of those below the threshold;
 *       the others need not be stored
 *   keep_8(to, from, set)      moves those of eight that are in a set to the
 *       front of `to`, which may begin before `from`; how many
 *   links_where(row, width, slot_limit, bits, is_set, slots)  the slots of a row's
 *       links below the limit whose bit is so; up to 16 more are written
 *   next_open(pool, from)      the first place from there that has not been
 *       expanded, or the pool's ef or more
 *   pool_put(pool, key, slot)  the place where it was inserted
 *   code_sum(code, bytes)      what the query's dot products need of its code
 *   planes_of_64(code, planes, stride)  the four planes of 64 elements, a word
 *       each, and the sum of the levels
 */
#ifndef VEXFS_ENGINE_LEVEL_KERNELS_H
#define VEXFS_ENGINE_LEVEL_KERNELS_H

#include "level_scan.h"
#include "level_entries.h"
#include "level_prune.h"
#include "level_query.h"
#include "level_keys.h"
#include "level_steps.h"

#define VEXFS_GRAPH_KERNELS(level)                                       \
	const struct vexfs_graph_kernels vexfs_graph_kernels_##level = { \
		.code_query = code_query,                                \
		.row_query = row_query,                                  \
		.keys = keys_of,                                         \
		.nearest_entries = nearest_entries,                      \
		.nearest_group = nearest_group,                          \
		.offer = offer,                                          \
		.scan_allowed = scan_allowed,                            \
		.scan_sample = scan_sample,                              \
		.advance = advance,                                      \
		.prune = prune_pool,                                     \
	}

#endif
