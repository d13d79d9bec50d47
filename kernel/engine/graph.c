// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "graph.h"

static bool is_power_of_two(u32 value)
{
	return value && !(value & (value - 1));
}

static bool is_valid(const struct vexfs_graph_config *config)
{
	if (!config->width || config->width > VEXFS_WIDTH_MAX ||
	    config->width % 16)
		return false;
	if (!config->links_new || config->links_new > config->width)
		return false;
	if (!config->links_kept || config->links_kept > config->width)
		return false;
	if (!config->ef_construct || config->ef_construct > VEXFS_EF_MAX)
		return false;
	if (!is_power_of_two(config->tail_max) ||
	    config->tail_max > VEXFS_TAIL_MAX)
		return false;
	return config->lines <= 1;
}

static void free_chunk(struct vexfs_graph *graph, u32 chunk)
{
	if (graph->lines[chunk])
		vexfs_free(graph->lines[chunk],
			   (size_t)VEXFS_CHUNK_ROWS * graph->line_bytes);
	if (graph->links[chunk])
		vexfs_free(graph->links[chunk], (size_t)VEXFS_CHUNK_ROWS *
							graph->config.width *
							sizeof(u32));
	if (graph->states[chunk])
		vexfs_free(graph->states[chunk], VEXFS_CHUNK_ROWS);
	graph->lines[chunk] = NULL;
	graph->links[chunk] = NULL;
	graph->states[chunk] = NULL;
}

static int make_chunk(struct vexfs_graph *graph, u32 chunk)
{
	graph->lines[chunk] = vexfs_alloc_rows(graph->file, graph->line_bytes);
	graph->links[chunk] = vexfs_alloc_rows(
		graph->file, graph->config.width * sizeof(u32));
	graph->states[chunk] = vexfs_alloc_rows(graph->file, 1);
	if (graph->lines[chunk] && graph->links[chunk] && graph->states[chunk])
		return 0;
	free_chunk(graph, chunk);
	return -ENOMEM;
}

void vexfs_graph_destroy(struct vexfs_graph *graph)
{
	u32 chunk;

	for (chunk = 0; chunk < VEXFS_CHUNKS_MAX && graph->states[chunk];
	     chunk++)
		free_chunk(graph, chunk);
	if (graph->tail)
		vexfs_free(graph->tail,
			   graph->config.tail_max * sizeof(*graph->tail));
	vexfs_entries_destroy(graph);
	vexfs_free(graph, sizeof(*graph));
}

/* The chunks that the file has already. */
static int adopt_chunks(struct vexfs_graph *graph)
{
	u32 chunk;
	int status;

	for (chunk = 0; chunk < graph->file->chunk_count; chunk++) {
		status = make_chunk(graph, chunk);
		if (status)
			return status;
		graph->codes[chunk] = graph->file->chunks[chunk]->codes;
	}
	return 0;
}

int vexfs_graph_create(struct vexfs_vector_file *file,
		       const struct vexfs_graph_config *config,
		       const struct vexfs_graph_kernels *kernels,
		       struct vexfs_graph **made)
{
	struct vexfs_graph *graph;
	int status;

	if (!is_valid(config))
		return -EINVAL;
	/* Lines estimate products. */
	if (config->lines && file->metric == VEXFS_METRIC_MANHATTAN)
		return -EINVAL;
	graph = vexfs_alloc(sizeof(*graph));
	if (!graph)
		return -ENOMEM;
	graph->file = file;
	graph->kernels = kernels;
	graph->config = *config;
	graph->square_min = ~0u;
	graph->length_max = (u32)vexfs_root_up((u64)file->dim * 127 * 127);
	graph->row_bytes = file->row_bytes;
	graph->line_bytes = config->lines ? vexfs_line_bytes(file->dim)
					  : sizeof(struct vexfs_row_scale);
	graph->tail = vexfs_alloc(config->tail_max * sizeof(*graph->tail));
	status = graph->tail ? vexfs_entries_create(graph) : -ENOMEM;
	if (!status)
		status = adopt_chunks(graph);
	if (status) {
		vexfs_graph_destroy(graph);
		return status;
	}
	*made = graph;
	return 0;
}

int vexfs_graph_reserve(struct vexfs_graph *graph, u32 slot)
{
	u32 chunk;

	if (slot / VEXFS_CHUNK_ROWS >= VEXFS_CHUNKS_MAX)
		return -ERANGE;
	for (chunk = graph->file->chunk_count; chunk <= slot / VEXFS_CHUNK_ROWS;
	     chunk++)
		if (!graph->states[chunk] && make_chunk(graph, chunk))
			return -ENOMEM;
	return 0;
}

/* The graph's chunks come before the file's, so that slots below
 * vexfs_slot_limit() have theirs. */
static int make_chunks(struct vexfs_graph *graph, u32 slot)
{
	u32 chunk;
	int status = vexfs_graph_reserve(graph, slot);

	if (status)
		return status;
	for (chunk = graph->file->chunk_count; chunk <= slot / VEXFS_CHUNK_ROWS;
	     chunk++) {
		status = vexfs_add_chunk(graph->file, &graph->codes[chunk]);
		if (status)
			return status;
	}
	return 0;
}

/* All walks read that cache line, which an insert seldom has a reason to take. */
static void store_changed(u32 *shared, u32 value)
{
	if (*shared != value)
		vexfs_store_relaxed(shared, value);
}

static void tell_lengths(struct vexfs_graph *graph)
{
	store_changed(&graph->square_max,
		      vexfs_longest_square(&graph->lengths));
	store_changed(&graph->square_usual,
		      vexfs_usual_square(&graph->lengths));
}

static void make_row(struct vexfs_graph *graph, u32 slot)
{
	const struct vexfs_row_constants *row =
		&graph->file->chunks[slot / VEXFS_CHUNK_ROWS]
			 ->rows[slot % VEXFS_CHUNK_ROWS];
	struct vexfs_row_scale scale;
	u8 *line = vexfs_line_at(graph, slot);

	vexfs_scale_row(row, &scale);
	if (graph->config.lines)
		vexfs_make_line(vexfs_code_at(graph, slot), graph->file->dim,
				scale, line);
	else
		memcpy(line, &scale, sizeof(scale));
	vexfs_count_length(&graph->lengths, scale.square);
	if (scale.square && scale.square < graph->square_min)
		vexfs_store_relaxed(&graph->square_min, scale.square);
	tell_lengths(graph);
}

static void append_to_tail(struct vexfs_graph *graph, u32 slot)
{
	vexfs_store_relaxed(
		&graph->tail[graph->tail_last & (graph->config.tail_max - 1)],
		slot);
	vexfs_store_release(&graph->tail_last, graph->tail_last + 1);
}

int vexfs_graph_insert(struct vexfs_graph *graph, u32 slot, u32 generation,
		       const u32 *bits)
{
	int status;

	if (vexfs_tail_length(graph) == graph->config.tail_max)
		return -EAGAIN;
	status = make_chunks(graph, slot);
	if (status)
		return status;
	if (vexfs_slot_state_of(graph, slot) != VEXFS_SLOT_FREE)
		return vexfs_life_at(graph, slot) ? -EEXIST : -EBUSY;
	status = vexfs_code_slot(graph->file, slot, bits);
	if (status)
		return status;
	make_row(graph, slot);
	vexfs_store_relaxed(vexfs_state_at(graph, slot), VEXFS_SLOT_TAIL);
	vexfs_publish_slot(graph->file, slot, generation);
	append_to_tail(graph, slot);
	return 0;
}

int vexfs_graph_adopt(struct vexfs_graph *graph, u32 slot)
{
	if (slot >= vexfs_slot_limit(graph) || !vexfs_life_at(graph, slot) ||
	    vexfs_slot_state_of(graph, slot) != VEXFS_SLOT_FREE)
		return 0;
	if (vexfs_tail_length(graph) == graph->config.tail_max)
		return -EAGAIN;
	/* Of a chunk that another graph has added. */
	if (!graph->codes[slot / VEXFS_CHUNK_ROWS])
		graph->codes[slot / VEXFS_CHUNK_ROWS] =
			graph->file->chunks[slot / VEXFS_CHUNK_ROWS]->codes;
	make_row(graph, slot);
	vexfs_store_relaxed(vexfs_state_at(graph, slot), VEXFS_SLOT_TAIL);
	append_to_tail(graph, slot);
	return 0;
}

/*
 * A slot that is removed while it is being linked is a tombstone by whoever
 * sees both: each side stores its own word first and then looks at the other's.
 */
static void bury(struct vexfs_graph *graph, u32 slot)
{
	u8 linked = VEXFS_SLOT_LINKED;

	if (vexfs_compare_exchange(vexfs_state_at(graph, slot), &linked,
				   VEXFS_SLOT_DEAD))
		vexfs_add(&graph->dead_count, 1);
}

static void forget_length(struct vexfs_graph *graph, u32 slot)
{
	if (!vexfs_life_at(graph, slot) ||
	    vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_FREE)
		return;
	vexfs_uncount_length(&graph->lengths,
			     vexfs_scale_at(graph, slot)->square);
	tell_lengths(graph);
}

void vexfs_graph_remove(struct vexfs_graph *graph, u32 slot)
{
	if (slot >= vexfs_slot_limit(graph))
		return;
	forget_length(graph, slot);
	vexfs_remove(graph->file, slot);
	bury(graph, slot);
}

void vexfs_graph_set_linked(struct vexfs_graph *graph, u32 slot)
{
	vexfs_add(&graph->linked_count, 1);
	vexfs_store_ordered(vexfs_state_at(graph, slot), VEXFS_SLOT_LINKED);
	if (!vexfs_load_ordered(vexfs_life_word(graph, slot)))
		bury(graph, slot);
}

int vexfs_graph_is_free(const struct vexfs_graph *graph, u32 slot)
{
	return slot >= vexfs_slot_limit(graph) ||
	       vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_FREE;
}

size_t vexfs_graph_memory_bytes(const struct vexfs_graph *graph)
{
	const size_t row = graph->line_bytes +
			   graph->config.width * sizeof(u32) + sizeof(u8);

	return sizeof(*graph) + graph->config.tail_max * sizeof(u32) +
	       vexfs_entries_memory_bytes(graph) +
	       (size_t)vexfs_slot_limit(graph) * row;
}
