/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * One vector file: the codes of the slots of one named vector, in chunks whose
 * addresses never move.
 *
 * One writer at a time (insert, remove); any number of scans meanwhile. A slot
 * is live while its state word is not zero; the state carries the generation
 * and is stored last on insert and first on remove, with release order, so a
 * scan that sees a live state sees its row whole.
 */
#ifndef VEXFS_ENGINE_VECTOR_FILE_H
#define VEXFS_ENGINE_VECTOR_FILE_H

#include "code.h"
#include "dot.h"
#include "exponents.h"
#include "platform.h"

#define VEXFS_CHUNK_ROWS 4096u
#define VEXFS_CHUNKS_MAX 65536u

enum vexfs_metric {
	VEXFS_METRIC_DOT, /* cosine too: its vectors have unit length */
	VEXFS_METRIC_EUCLID,
	VEXFS_METRIC_MANHATTAN, /* of graphs only: scan.h has no bound for it */
};

struct vexfs_chunk {
	u64 *states; /* generation + 1, or 0 for a dead slot */
	struct vexfs_row_constants *rows;
	s8 *codes;
};

struct vexfs_vector_file {
	u32 dim;
	u32 row_bytes;
	enum vexfs_metric metric;
	const struct vexfs_kernels *kernels;
	s32 exponent_max; /* of all live rows */
	struct vexfs_exponents exponents; /* from -VEXFS_EXPONENTS / 2 on */
	u32 live_count;
	u32 chunk_count;
	struct vexfs_chunk *chunks[VEXFS_CHUNKS_MAX];
};

/* NULL where memory is short. dim is 1..VEXFS_DIM_MAX. */
struct vexfs_vector_file *
vexfs_vector_file_create(u32 dim, enum vexfs_metric metric,
			 const struct vexfs_kernels *kernels);
void vexfs_vector_file_destroy(struct vexfs_vector_file *file);

/* -EINVAL: not a finite number. -ENOMEM, -ERANGE: no such slot. -EEXIST: live. */
int vexfs_insert(struct vexfs_vector_file *file, u32 slot, u32 generation,
		 const u32 *bits);

/*
 * The steps of vexfs_insert(), for who publishes more than the code with a
 * slot: a chunk more, whose codes are answered; the code of a dead slot whose
 * chunk is there; the slot itself.
 */
int vexfs_add_chunk(struct vexfs_vector_file *file, const s8 **codes);
int vexfs_code_slot(struct vexfs_vector_file *file, u32 slot, const u32 *bits);
void vexfs_publish_slot(struct vexfs_vector_file *file, u32 slot,
			u32 generation);

void vexfs_remove(struct vexfs_vector_file *file, u32 slot);

/* Memory for what is kept of each slot of a new chunk. */
void *vexfs_alloc_rows(const struct vexfs_vector_file *file, size_t row_bytes);

size_t vexfs_memory_bytes(const struct vexfs_vector_file *file);

#endif
