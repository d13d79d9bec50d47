/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What level_kernels.h asks for, for the levels that have no instructions for it. */
#ifndef VEXFS_ENGINE_LEVEL_PLAIN_H
#define VEXFS_ENGINE_LEVEL_PLAIN_H

#include "walk.h"

static inline u32 keep_8(u32 *to, const u32 *from, u32 set)
{
	u32 kept = 0;

	for (; set; set &= set - 1)
		to[kept++] = from[__builtin_ctz(set)];
	return kept;
}

static inline u32 links_where(const u32 *row, u32 width, u32 slot_limit,
			      const u64 *bits, const bool is_set, u32 *slots)
{
	u32 count = 0, i;

	for (i = 0; i < width; i++) {
		const u32 link = vexfs_load_relaxed(&row[i]);
		const u32 found = link - 1;

		if (!link)
			break;
		/* Linked after this walk began. */
		if (found >= slot_limit)
			continue;
		slots[count] = found;
		count += (bits[found / 64] >> (found % 64) & 1) == is_set;
	}
	return count;
}

static inline u32 next_open(const struct vexfs_pool *pool, u32 from)
{
	while (from < pool->ef && pool->slots[from] & VEXFS_EXPANDED)
		from++;
	return from;
}

#endif
