/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The graph over one vector file, its tail, and what searches and linking share.
 *
 * A slot is free, in the tail (inserted, not linked yet), linked, or a tombstone
 * (linked and removed), until repair frees it. Each linked slot has a row of `width` links, packed to
 * the front: slot + 1, or 0 for no link. Rows are written by linking and repair
 * only; readers may see a row half changed, in which every entry is still a
 * slot that was once linked.
 *
 * The tail is a ring of slots in the order of their insertion, scanned whole by
 * every search. Linking takes from its front, and moves the front after the
 * links are there: a slot is always in the tail or reachable.
 *
 * One writer inserts and removes, one linking is under way (by any number of
 * workers, link.h), any number of searches run meanwhile.
 */
#ifndef VEXFS_ENGINE_GRAPH_H
#define VEXFS_ENGINE_GRAPH_H

#include "entries.h"
#include "key.h"
#include "lengths.h"
#include "longest.h"
#include "platform.h"
#include "vector_file.h"

#define VEXFS_WIDTH_MAX 128u /* links of a row */
#define VEXFS_EF_MAX 4096u
#define VEXFS_TAIL_MAX (1u << 26)

struct vexfs_graph_config {
	u32 width; /* places of a row: a multiple of 16 */
	u32 links_new; /* that a slot starts with, at most width */
	u32 links_kept; /* of an overflowing row, below width: slack for later */
	u32 ef_construct; /* candidates of a new slot */
	u32 tail_max; /* slots waiting to be linked: a power of two */
	u32 lines; /* 1: filter lines before the codes */
};

enum vexfs_slot_state {
	VEXFS_SLOT_FREE,
	VEXFS_SLOT_TAIL,
	VEXFS_SLOT_LINKED,
	VEXFS_SLOT_DEAD, /* linked, a tombstone */
	VEXFS_SLOT_DYING, /* a tombstone that repair is taking out */
};

struct vexfs_graph_kernels;

struct vexfs_graph {
	struct vexfs_vector_file *file;
	const struct vexfs_graph_kernels *kernels;
	struct vexfs_graph_config config;
	u32 row_bytes; /* of a code */
	u32 line_bytes; /* of a filter line, or of a bare vexfs_row_scale */
	u32 square_max; /* packed: no live row has a larger one */
	u32 square_usual; /* and few have one larger than this */
	u32 square_min; /* of all rows that there ever were but zeros */
	u32 length_max; /* that a code can have */
	struct vexfs_lengths lengths; /* of the live rows */
	u32 linked_count; /* tombstones too */
	u32 dead_count; /* tombstones that no repair has begun to take out */
	u32 dying_count; /* those that one is taking out */
	u32 tail_first; /* both count without end; places are modulo tail_max */
	u32 tail_last;
	u32 *tail;
	struct vexfs_entries *entries; /* where searches start */
	struct vexfs_longest longest; /* which they look at too */
	/* By chunk of VEXFS_CHUNK_ROWS slots. */
	const s8 *codes[VEXFS_CHUNKS_MAX];
	u8 *lines[VEXFS_CHUNKS_MAX];
	u32 *links[VEXFS_CHUNKS_MAX];
	u8 *states[VEXFS_CHUNKS_MAX]; /* enum vexfs_slot_state */
};

static inline const s8 *vexfs_code_at(const struct vexfs_graph *graph, u32 slot)
{
	return graph->codes[slot / VEXFS_CHUNK_ROWS] +
	       (size_t)(slot % VEXFS_CHUNK_ROWS) * graph->row_bytes;
}

static inline u8 *vexfs_line_at(const struct vexfs_graph *graph, u32 slot)
{
	return graph->lines[slot / VEXFS_CHUNK_ROWS] +
	       (size_t)(slot % VEXFS_CHUNK_ROWS) * graph->line_bytes;
}

static inline const struct vexfs_row_scale *
vexfs_scale_at(const struct vexfs_graph *graph, u32 slot)
{
	return (const struct vexfs_row_scale
			*)(const void *)(vexfs_line_at(graph, slot) +
					 graph->line_bytes -
					 sizeof(struct vexfs_row_scale));
}

static inline u32 *vexfs_links_at(const struct vexfs_graph *graph, u32 slot)
{
	return graph->links[slot / VEXFS_CHUNK_ROWS] +
	       (size_t)(slot % VEXFS_CHUNK_ROWS) * graph->config.width;
}

static inline u8 *vexfs_state_at(const struct vexfs_graph *graph, u32 slot)
{
	return graph->states[slot / VEXFS_CHUNK_ROWS] + slot % VEXFS_CHUNK_ROWS;
}

static inline enum vexfs_slot_state
vexfs_slot_state_of(const struct vexfs_graph *graph, u32 slot)
{
	return (enum vexfs_slot_state)vexfs_load_acquire(
		vexfs_state_at(graph, slot));
}

static inline bool vexfs_is_among(const u32 *slots, u32 count, u32 slot)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (slots[i] == slot)
			return true;
	return false;
}

/* What counts as one length: in octaves of squares, in 2^-21. */
#define VEXFS_SQUARES_ALIKE (1u << 17)

/* A packed number on a scale without gaps: the highest bit of a mantissa is set. */
static inline u32 vexfs_octaves(u32 packed)
{
	return ((u32)vexfs_packed_field(packed) << 21) |
	       ((u32)vexfs_packed_mantissa(packed) & ((1u << 21) - 1));
}

/* Octaves of squares between short rows and those of the usual length: an eighth of it. */
#define VEXFS_SHORT_OCTAVES 6u

static inline bool vexfs_is_short(const struct vexfs_graph *graph, u32 square)
{
	return vexfs_octaves(square) + (VEXFS_SHORT_OCTAVES << 21) <
	       vexfs_octaves(vexfs_load_relaxed(&graph->square_usual));
}

/*
 * What a row of that square is linked by: the file's metric, or Euclid's. Under an
 * inner product that is the product where lengths differ: the longest are among
 * the nearest of most queries then, and Euclid's distance would hide them behind
 * those of a row's own length. But short rows are among the nearest of no row by
 * it, so they are linked to each other by distance.
 */
static inline enum vexfs_metric
vexfs_link_metric(const struct vexfs_graph *graph, u32 square)
{
	const u32 most = vexfs_octaves(vexfs_load_relaxed(&graph->square_max));
	const u32 least = vexfs_octaves(vexfs_load_relaxed(&graph->square_min));

	if (graph->file->metric != VEXFS_METRIC_DOT)
		return graph->file->metric;
	return most > least && most - least > VEXFS_SQUARES_ALIKE &&
			       !vexfs_is_short(graph, square)
		       ? VEXFS_METRIC_DOT
		       : VEXFS_METRIC_EUCLID;
}

/*
 * Whether a row of that square is one of the few that are longer than usual: by the
 * inner product such a one is among the nearest of half of all rows and queries.
 */
static inline bool vexfs_is_beyond(const struct vexfs_graph *graph, u32 square)
{
	const u32 usual = vexfs_load_relaxed(&graph->square_usual);

	return graph->file->metric == VEXFS_METRIC_DOT && square > usual &&
	       vexfs_octaves(square) - vexfs_octaves(usual) >
		       VEXFS_SQUARES_ALIKE;
}

/* Chooses the unit of a query's keys to the rows of a graph; inner products have
 * no `reach`. */
static inline void vexfs_set_unit(const struct vexfs_graph *graph,
				  struct vexfs_query *query,
				  enum vexfs_metric metric, u32 reach)
{
	switch (metric) {
	case VEXFS_METRIC_DOT:
		vexfs_query_unit_dot(query,
				     vexfs_load_relaxed(&graph->square_usual));
		break;
	case VEXFS_METRIC_EUCLID:
		vexfs_query_unit_euclid(query, reach);
		break;
	case VEXFS_METRIC_MANHATTAN:
		vexfs_query_unit_manhattan(query, reach);
		break;
	}
}

/* The generation of a live slot plus 1, or 0. */
static inline u64 *vexfs_life_word(const struct vexfs_graph *graph, u32 slot)
{
	return &graph->file->chunks[slot / VEXFS_CHUNK_ROWS]
			->states[slot % VEXFS_CHUNK_ROWS];
}

static inline u64 vexfs_life_at(const struct vexfs_graph *graph, u32 slot)
{
	return vexfs_load_acquire(vexfs_life_word(graph, slot));
}

static inline u32 vexfs_tail_length(const struct vexfs_graph *graph)
{
	const u32 first = vexfs_load_acquire(&graph->tail_first);

	return vexfs_load_acquire(&graph->tail_last) - first;
}

/* All slots are below; grows by whole chunks. */
static inline u32 vexfs_slot_limit(const struct vexfs_graph *graph)
{
	return vexfs_load_acquire(&graph->file->chunk_count) * VEXFS_CHUNK_ROWS;
}

/*
 * -EINVAL: a configuration out of range. -ENOMEM. The file stays the caller's;
 * what it holds already joins by vexfs_graph_adopt().
 */
int vexfs_graph_create(struct vexfs_vector_file *file,
		       const struct vexfs_graph_config *config,
		       const struct vexfs_graph_kernels *kernels,
		       struct vexfs_graph **made);
void vexfs_graph_destroy(struct vexfs_graph *graph);

/*
 * Codes a vector into a free slot and appends it to the tail. Errors of
 * vexfs_insert(); -EBUSY: the slot is a tombstone that repair has not freed;
 * -EAGAIN: the tail is full, linking has to run first.
 */
int vexfs_graph_insert(struct vexfs_graph *graph, u32 slot, u32 generation,
		       const u32 *bits);
/*
 * Appends a slot to the tail that the file held before there was a graph, or that
 * another graph of the file has just inserted; one that is in the graph, or
 * dead, is left as it is. -EAGAIN: the tail is full. Called by the one that
 * inserts.
 */
int vexfs_graph_adopt(struct vexfs_graph *graph, u32 slot);
/*
 * Before another graph of the same file inserts a slot: the memory that it needs
 * here. -ENOMEM, -ERANGE.
 */
int vexfs_graph_reserve(struct vexfs_graph *graph, u32 slot);
/* Tombstones a slot at once. */
void vexfs_graph_remove(struct vexfs_graph *graph, u32 slot);

/* 1 where a slot may be inserted into: never used, or dead and out of the graph. */
int vexfs_graph_is_free(const struct vexfs_graph *graph, u32 slot);

/* Of linking: a slot's links are there; it may have died meanwhile. */
void vexfs_graph_set_linked(struct vexfs_graph *graph, u32 slot);
size_t vexfs_graph_memory_bytes(const struct vexfs_graph *graph);

#endif
