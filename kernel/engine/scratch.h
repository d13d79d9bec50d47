/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Cutting a caller's scratch into arrays aligned to cache lines. */
#ifndef VEXFS_ENGINE_SCRATCH_H
#define VEXFS_ENGINE_SCRATCH_H

#include "platform.h"

static inline size_t vexfs_round_up(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static inline u8 *vexfs_scratch_start(void *scratch)
{
	return (u8 *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
}

static inline void *vexfs_take(u8 **place, size_t bytes)
{
	void *taken = *place;

	*place += vexfs_round_up(bytes);
	return taken;
}

#endif
