// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "vector_file.h"

static void free_chunk(struct vexfs_chunk *chunk, u32 row_bytes)
{
	if (!chunk)
		return;
	if (chunk->states)
		vexfs_free(chunk->states,
			   VEXFS_CHUNK_ROWS * sizeof(*chunk->states));
	if (chunk->rows)
		vexfs_free(chunk->rows,
			   VEXFS_CHUNK_ROWS * sizeof(*chunk->rows));
	if (chunk->codes)
		vexfs_free(chunk->codes, (size_t)VEXFS_CHUNK_ROWS * row_bytes);
	vexfs_free(chunk, sizeof(*chunk));
}

/* Few vectors, or one that few of the points have: what is not used costs nothing
 * in small pages. */
void *vexfs_alloc_rows(const struct vexfs_vector_file *file, size_t row_bytes)
{
	const u32 slots = file->chunk_count * VEXFS_CHUNK_ROWS;

	if (slots && file->live_count >= slots / 2)
		return vexfs_alloc_huge(VEXFS_CHUNK_ROWS * row_bytes);
	return vexfs_alloc(VEXFS_CHUNK_ROWS * row_bytes);
}

static struct vexfs_chunk *make_chunk(const struct vexfs_vector_file *file)
{
	struct vexfs_chunk *chunk = vexfs_alloc(sizeof(*chunk));

	if (!chunk)
		return NULL;
	chunk->states = vexfs_alloc_rows(file, sizeof(*chunk->states));
	chunk->rows = vexfs_alloc_rows(file, sizeof(*chunk->rows));
	chunk->codes = vexfs_alloc_rows(file, file->row_bytes);
	if (chunk->states && chunk->rows && chunk->codes)
		return chunk;
	free_chunk(chunk, file->row_bytes);
	return NULL;
}

struct vexfs_vector_file *
vexfs_vector_file_create(u32 dim, enum vexfs_metric metric,
			 const struct vexfs_kernels *kernels)
{
	struct vexfs_vector_file *file = vexfs_alloc(sizeof(*file));

	if (!file)
		return NULL;
	file->dim = dim;
	file->row_bytes = vexfs_row_bytes(dim);
	file->metric = metric;
	file->kernels = kernels;
	return file;
}

void vexfs_vector_file_destroy(struct vexfs_vector_file *file)
{
	u32 i;

	for (i = 0; i < file->chunk_count; i++)
		free_chunk(file->chunks[i], file->row_bytes);
	vexfs_free(file, sizeof(*file));
}

int vexfs_add_chunk(struct vexfs_vector_file *file, const s8 **codes)
{
	struct vexfs_chunk *chunk = make_chunk(file);

	if (!chunk)
		return -ENOMEM;
	file->chunks[file->chunk_count] = chunk;
	if (codes)
		*codes = chunk->codes;
	vexfs_store_release(&file->chunk_count, file->chunk_count + 1);
	return 0;
}

static u32 exponent_index(const struct vexfs_row_constants *row)
{
	return (u32)(row->exponent + (s32)(VEXFS_EXPONENTS / 2));
}

static void set_exponent_max(struct vexfs_vector_file *file)
{
	vexfs_store_relaxed(&file->exponent_max,
			    (s32)file->exponents.highest -
				    (s32)(VEXFS_EXPONENTS / 2));
}

int vexfs_code_slot(struct vexfs_vector_file *file, u32 slot, const u32 *bits)
{
	struct vexfs_chunk *chunk = file->chunks[slot / VEXFS_CHUNK_ROWS];
	const u32 place = slot % VEXFS_CHUNK_ROWS;
	struct vexfs_row_constants *row = &chunk->rows[place];
	const int status =
		vexfs_code_row(bits, file->dim,
			       chunk->codes + (size_t)place * file->row_bytes,
			       row);

	if (status)
		return status;
	if (row->step) {
		vexfs_count_exponent(&file->exponents, exponent_index(row));
		set_exponent_max(file);
	}
	return 0;
}

void vexfs_publish_slot(struct vexfs_vector_file *file, u32 slot,
			u32 generation)
{
	file->live_count++;
	vexfs_store_release(&file->chunks[slot / VEXFS_CHUNK_ROWS]
				     ->states[slot % VEXFS_CHUNK_ROWS],
			    (u64)generation + 1);
}

int vexfs_insert(struct vexfs_vector_file *file, u32 slot, u32 generation,
		 const u32 *bits)
{
	const u32 chunk_index = slot / VEXFS_CHUNK_ROWS;
	int status;

	if (chunk_index >= VEXFS_CHUNKS_MAX)
		return -ERANGE;
	while (file->chunk_count <= chunk_index) {
		status = vexfs_add_chunk(file, NULL);
		if (status)
			return status;
	}
	if (file->chunks[chunk_index]->states[slot % VEXFS_CHUNK_ROWS])
		return -EEXIST;
	status = vexfs_code_slot(file, slot, bits);
	if (status)
		return status;
	vexfs_publish_slot(file, slot, generation);
	return 0;
}

/* A scan that has begun knows the exponent of before, which is none the worse. */
void vexfs_remove(struct vexfs_vector_file *file, u32 slot)
{
	const u32 chunk_index = slot / VEXFS_CHUNK_ROWS;
	const u32 place = slot % VEXFS_CHUNK_ROWS;
	struct vexfs_chunk *chunk;

	if (chunk_index >= file->chunk_count)
		return;
	chunk = file->chunks[chunk_index];
	if (chunk->states[place] && chunk->rows[place].step &&
	    vexfs_uncount_exponent(&file->exponents,
				   exponent_index(&chunk->rows[place])))
		set_exponent_max(file);
	file->live_count -= chunk->states[place] != 0;
	vexfs_store_ordered(&chunk->states[place], 0);
}

size_t vexfs_memory_bytes(const struct vexfs_vector_file *file)
{
	const size_t row = sizeof(u64) + sizeof(struct vexfs_row_constants) +
			   file->row_bytes;

	return sizeof(*file) + (size_t)vexfs_load_acquire(&file->chunk_count) *
				       VEXFS_CHUNK_ROWS * row;
}
