/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * A code's length in cache lines as a constant: usual lengths are compiled so,
 * and the loops over them unroll.
 */
#ifndef VEXFS_ENGINE_BLOCKS_H
#define VEXFS_ENGINE_BLOCKS_H

#include "graph.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NEVER_INLINE __attribute__((__noinline__))

static ALWAYS_INLINE u32 row_blocks(const struct vexfs_graph *graph)
{
	return graph->row_bytes / VEXFS_ROW_ALIGN;
}

/* A filter line's length, as vexfs_line_bytes() has it: a constant where blocks
 * are. */
static ALWAYS_INLINE u32 line_bytes_of(const u32 blocks)
{
	return (blocks * 8 + (u32)sizeof(struct vexfs_line_tail) +
		VEXFS_ROW_ALIGN - 1) &
	       ~(VEXFS_ROW_ALIGN - 1);
}

/* Runs a body with `blocks` a constant for 128, 384, 768 and 1536 dimensions. */
#define WITH_BLOCKS(graph, call)                              \
	do {                                                  \
		switch (row_blocks(graph)) {                  \
		case 2: {                                     \
			const u32 blocks = 2;                 \
			call;                                 \
		} break;                                      \
		case 6: {                                     \
			const u32 blocks = 6;                 \
			call;                                 \
		} break;                                      \
		case 12: {                                    \
			const u32 blocks = 12;                \
			call;                                 \
		} break;                                      \
		case 24: {                                    \
			const u32 blocks = 24;                \
			call;                                 \
		} break;                                      \
		default: {                                    \
			const u32 blocks = row_blocks(graph); \
			call;                                 \
		}                                             \
		}                                             \
	} while (0)

static ALWAYS_INLINE void prefetch_bytes(const void *from, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i += VEXFS_ROW_ALIGN)
		__builtin_prefetch((const u8 *)from + i);
}

#endif
