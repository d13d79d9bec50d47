// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "scan.h"

#define RANK_MIN ((s64)(1ULL << 63))
#define RANK_LIMIT (1LL << 61)

struct query_state {
	struct vexfs_query_constants code;
	struct vexfs_ranking ranking;
	s64 threshold;
	s64 *best; /* min-heap of the k best lower ends */
	s64 *upper; /* of each candidate */
	struct vexfs_candidate *found;
	u32 best_count;
	u32 found_count;
	u8 overflowed;
	u8 is_zero;
};

struct workspace {
	struct query_state *queries;
	s16 *values;
	s32 *dots;
	s8 *codes;
	struct vexfs_block *rows;
	s64 *middle;
	s64 *bound;
};

static size_t round_up(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static u8 *take(u8 **place, size_t bytes)
{
	u8 *taken = *place;

	*place += round_up(bytes);
	return taken;
}

size_t vexfs_scan_scratch_bytes(const struct vexfs_vector_file *file,
				u32 query_count, u32 k, u32 capacity)
{
	return round_up(query_count * sizeof(struct query_state)) +
	       round_up((size_t)query_count * file->row_bytes * sizeof(s16)) +
	       round_up((size_t)query_count * VEXFS_BLOCK_ROWS * sizeof(s32)) +
	       round_up((size_t)VEXFS_BLOCK_ROWS * file->row_bytes) +
	       round_up(sizeof(struct vexfs_block)) +
	       2 * round_up(VEXFS_BLOCK_ROWS * sizeof(s64)) +
	       query_count * (round_up(k * sizeof(s64)) +
			      round_up(capacity * sizeof(s64))) +
	       64;
}

static void heap_sift_down(s64 *heap, u32 count, u32 at)
{
	const s64 moved = heap[at];

	for (;;) {
		u32 child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && heap[child + 1] < heap[child])
			child++;
		if (moved <= heap[child])
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

/* Offers a lower end; the threshold is the k-th best once there are k. */
static void offer_lower(struct query_state *query, u32 k, s64 lower)
{
	u32 at;

	if (query->best_count == k) {
		if (lower <= query->best[0])
			return;
		query->best[0] = lower;
		heap_sift_down(query->best, k, 0);
	} else {
		at = query->best_count++;
		while (at && query->best[(at - 1) / 2] > lower) {
			query->best[at] = query->best[(at - 1) / 2];
			at = (at - 1) / 2;
		}
		query->best[at] = lower;
	}
	if (query->best_count == k)
		query->threshold = query->best[0];
}

/* Drops what the threshold has left behind. */
static void compact(struct query_state *query)
{
	u32 kept = 0, i;

	for (i = 0; i < query->found_count; i++) {
		if (query->upper[i] < query->threshold)
			continue;
		query->upper[kept] = query->upper[i];
		query->found[kept++] = query->found[i];
	}
	query->found_count = kept;
}

static void offer(struct query_state *query, const struct vexfs_scan *scan,
		  const struct vexfs_block *rows, u32 row, s64 lower, s64 upper)
{
	if (query->found_count == scan->capacity) {
		compact(query);
		if (query->found_count == scan->capacity) {
			query->overflowed = 1;
			return;
		}
	}
	query->upper[query->found_count] = upper;
	query->found[query->found_count].slot = rows->slots[row];
	query->found[query->found_count].generation = rows->generations[row];
	query->found_count++;
	offer_lower(query, scan->k, lower);
}

/* value >> shift, saturated at RANK_LIMIT; a negative shift goes left. */
static u64 shifted(u64 value, s32 shift)
{
	if (shift >= 64)
		return 0;
	if (shift >= 0)
		return value >> shift;
	if (shift <= -61 || value >> (61 + shift))
		return value ? (u64)RANK_LIMIT : 0;
	return value << -shift;
}

static int prepare_query(struct query_state *query, const u32 *bits, u32 dim,
			 s16 *values, s32 exponent)
{
	int status = vexfs_code_query(bits, dim, values, &query->code);
	u64 radius;

	if (status)
		return status;
	query->threshold = RANK_MIN;
	query->is_zero = query->code.step == 0;
	if (query->is_zero)
		return 0;
	/* Coarser queries would need bounds past 32 bits, and say little. */
	if (query->code.error > VEXFS_QUERY_ERROR_MAX)
		query->overflowed = 1;
	/* || q || <= norm / (1 - error) <= norm * (1 + 2 * error). */
	radius = query->code.norm +
		 ((query->code.norm * query->code.error) >> 23) + 1;
	query->ranking.radius = (u32)radius;
	query->ranking.inverse = (u32)((1ULL << 61) / query->code.step);
	query->ranking.down = 62 + query->code.exponent + exponent;
	while (query->ranking.rounding_shift < 22 &&
	       (dim << (query->ranking.rounding_shift + 1)) <= 1u << 22)
		query->ranking.rounding_shift++;
	{
		/* dim / 2^23 * || q ||^2, || q ||^2 = radius^2 * step units. */
		const unsigned __int128 wide =
			(unsigned __int128)(radius * radius) * query->code.step;
		const u64 high = (u64)(wide >> 32) + 1;

		query->ranking.fixed =
			shifted(high >> 23 ? (high >> 23) * dim : dim,
				exponent - query->code.exponent - 32) +
			8;
	}
	return 0;
}

/* Gathers the next live rows from `slot` on; returns where to go on. */
static u32 gather(const struct vexfs_vector_file *file,
		  const struct vexfs_scan *scan, s32 exponent, u32 code_error,
		  struct vexfs_block *rows, u32 slot, u32 last)
{
	rows->count = 0;
	while (slot < last && rows->count < VEXFS_BLOCK_ROWS) {
		const struct vexfs_chunk *chunk =
			file->chunks[slot / VEXFS_CHUNK_ROWS];
		const u32 place = slot % VEXFS_CHUNK_ROWS;
		const u64 state = vexfs_load_acquire(&chunk->states[place]);
		const struct vexfs_row_constants *row = &chunk->rows[place];
		const u32 at = rows->count;
		u32 q, wanted = 0, down, step = 0;
		u64 slack = 0;

		if (!state) {
			slot++;
			continue;
		}
		for (q = 0; q < scan->query_count && !wanted; q++)
			wanted = !scan->allowed || !scan->allowed[q] ||
				 (scan->allowed[q][slot / 64] >> (slot % 64) &
				  1);
		/* A larger exponent: inserted after this scan began. */
		if (!wanted || (row->step && row->exponent > exponent)) {
			slot++;
			continue;
		}
		rows->slots[at] = slot;
		rows->generations[at] = (u32)(state - 1);
		rows->square[at] = row->square;
		rows->square_exponent[at] = row->square_exponent;
		if (!at || row->square_exponent < rows->square_exponent_min)
			rows->square_exponent_min = row->square_exponent;
		if (!at || row->square_exponent > rows->square_exponent_max)
			rows->square_exponent_max = row->square_exponent;
		if (row->step) {
			/*
			 * To the scan's exponent. Bits that fall off the step
			 * are less than one unit, times the codes' norm.
			 */
			down = (u32)(exponent - row->exponent);
			step = down < 32 ? row->step >> down : 0;
			slack = (down < 64 ? row->slack >> down : 0) + 1 +
				(down ? row->norm : 0);
			/* || e(q) || * || value(x) ||, without || q ||. */
			slack += (((u64)row->norm * step >> 24) + 1) *
				 code_error;
		}
		rows->step[at] = (s32)step;
		rows->slack[at] = (u32)((slack + 1023) >> 10);
		rows->count++;
		slot++;
	}
	return slot;
}

/* The codes of a block: in place where its rows are neighbours, else copied. */
static const s8 *codes_of(const struct vexfs_vector_file *file,
			  const struct vexfs_block *rows, s8 *copies)
{
	const u32 first = rows->slots[0];
	u32 r;

	if (rows->slots[rows->count - 1] - first == rows->count - 1 &&
	    first % VEXFS_CHUNK_ROWS + rows->count <= VEXFS_CHUNK_ROWS)
		return file->chunks[first / VEXFS_CHUNK_ROWS]->codes +
		       (size_t)(first % VEXFS_CHUNK_ROWS) * file->row_bytes;
	for (r = 0; r < rows->count; r++) {
		const u32 slot = rows->slots[r];

		memcpy(copies + (size_t)r * file->row_bytes,
		       file->chunks[slot / VEXFS_CHUNK_ROWS]->codes +
			       (size_t)(slot % VEXFS_CHUNK_ROWS) *
				       file->row_bytes,
		       file->row_bytes);
	}
	return copies;
}

/* Offers the rows of a block whose upper ends reach the threshold. */
static void offer_block(struct query_state *query,
			const struct vexfs_scan *scan,
			const struct vexfs_block *rows, const u64 *allowed,
			const s64 *middle, const s64 *bound)
{
	u32 r;

	for (r = 0; r < rows->count && !query->overflowed; r++) {
		const u32 slot = rows->slots[r];

		if (middle[r] + bound[r] < query->threshold)
			continue;
		if (allowed && !(allowed[slot / 64] >> (slot % 64) & 1))
			continue;
		offer(query, scan, rows, r, middle[r] - bound[r],
		      middle[r] + bound[r]);
	}
}

/*
 * None of the rows' || x ||^2 is out of the loop's range for this query: far too
 * small to count, or so large that the rank is no better than its limit.
 */
static bool fits_shift(const struct vexfs_block *rows, s32 down)
{
	return down - rows->square_exponent_max >= 2 &&
	       down - rows->square_exponent_min <= 63;
}

static void rank_extreme(struct query_state *query,
			 const struct vexfs_scan *scan,
			 const struct vexfs_block *rows, const s32 *dots,
			 const u64 *allowed, u32 dim)
{
	s64 middle, bound;
	u32 r;

	for (r = 0; r < rows->count && !query->overflowed; r++) {
		const s32 shift =
			query->ranking.down - rows->square_exponent[r];
		const u64 half = shifted(
			(u64)rows->square[r] * query->ranking.inverse, shift);
		const u32 slot = rows->slots[r];

		if (allowed && !(allowed[slot / 64] >> (slot % 64) & 1))
			continue;
		middle = (((s64)dots[r] * rows->step[r]) >> 1) -
			 (s64)(half >> 1);
		bound = (s64)(((u64)rows->slack[r] * query->ranking.radius)
			      << 9) +
			(s64)(half >> 27) + (s64)(((half >> 22) + 1) * dim) +
			(s64)query->ranking.fixed;
		if (middle + bound < query->threshold)
			continue;
		offer(query, scan, rows, r,
		      half >= (u64)RANK_LIMIT ? RANK_MIN : middle - bound,
		      middle + bound);
	}
}

static void rank_block(const struct vexfs_vector_file *file,
		       struct query_state *query, const struct vexfs_scan *scan,
		       const struct workspace *space, const s32 *dots,
		       const u64 *allowed)
{
	const struct vexfs_kernels *kernels = file->kernels;
	const struct vexfs_block *rows = space->rows;
	u32 reached;

	if (file->metric == VEXFS_METRIC_DOT) {
		reached = kernels->rank_dot(rows, dots, &query->ranking,
					    query->threshold, space->middle,
					    space->bound);
	} else if (fits_shift(rows, query->ranking.down)) {
		reached = kernels->rank_euclid(rows, dots, &query->ranking,
					       query->threshold, space->middle,
					       space->bound);
	} else {
		rank_extreme(query, scan, rows, dots, allowed, file->dim);
		return;
	}
	if (reached)
		offer_block(query, scan, rows, allowed, space->middle,
			    space->bound);
}

static void settle(const struct vexfs_scan *scan, u32 index,
		   struct query_state *query)
{
	if (query->overflowed) {
		scan->overflowed[index] = 1;
		scan->counts[index] = 0;
		return;
	}
	compact(query);
	scan->overflowed[index] = 0;
	scan->counts[index] = query->found_count;
}

int vexfs_run_scan(const struct vexfs_vector_file *file,
		   const struct vexfs_scan *scan)
{
	const s32 exponent = vexfs_load_relaxed(&file->exponent_max);
	struct workspace space;
	u8 *place = (u8 *)(((uintptr_t)scan->scratch + 63) & ~(uintptr_t)63);
	u32 q, slot, last, code_error = 0;
	int status;

	if (file->metric == VEXFS_METRIC_MANHATTAN)
		return -EINVAL;
	space.queries = (struct query_state *)take(
		&place, scan->query_count * sizeof(*space.queries));
	space.values =
		(s16 *)take(&place, (size_t)scan->query_count *
					    file->row_bytes * sizeof(s16));
	space.dots =
		(s32 *)take(&place, (size_t)scan->query_count *
					    VEXFS_BLOCK_ROWS * sizeof(s32));
	space.codes =
		(s8 *)take(&place, (size_t)VEXFS_BLOCK_ROWS * file->row_bytes);
	space.rows = (struct vexfs_block *)take(&place, sizeof(*space.rows));
	memset(space.rows, 0, sizeof(*space.rows));
	space.middle = (s64 *)take(&place, VEXFS_BLOCK_ROWS * sizeof(s64));
	space.bound = (s64 *)take(&place, VEXFS_BLOCK_ROWS * sizeof(s64));
	memset(space.queries, 0, scan->query_count * sizeof(*space.queries));
	for (q = 0; q < scan->query_count; q++) {
		struct query_state *query = &space.queries[q];

		query->best = (s64 *)take(&place, scan->k * sizeof(s64));
		query->upper =
			(s64 *)take(&place, scan->capacity * sizeof(s64));
		query->found = scan->candidates + (size_t)q * scan->capacity;
		status = prepare_query(
			query, scan->query_bits + (size_t)q * file->dim,
			file->dim, space.values + (size_t)q * file->row_bytes,
			exponent);
		if (status)
			return status;
		if (query->code.error > code_error && !query->overflowed)
			code_error = query->code.error;
		/* Ranks by || x || alone: the caller's own scan is as good. */
		if (query->is_zero && file->metric == VEXFS_METRIC_EUCLID)
			query->overflowed = 1;
	}

	last = vexfs_load_acquire(&file->chunk_count) * VEXFS_CHUNK_ROWS;
	if (last > scan->slot_last)
		last = scan->slot_last;
	slot = scan->slot_first;
	while (slot < last) {
		const s8 *codes;

		slot = gather(file, scan, exponent, code_error, space.rows,
			      slot, last);
		if (!space.rows->count)
			continue;
		codes = codes_of(file, space.rows, space.codes);
		file->kernels->dot(codes, space.rows->count, space.values,
				   scan->query_count, file->row_bytes,
				   space.dots);
		for (q = 0; q < scan->query_count; q++) {
			struct query_state *query = &space.queries[q];
			const s32 *dots = space.dots + q * VEXFS_BLOCK_ROWS;
			const u64 *allowed =
				scan->allowed ? scan->allowed[q] : NULL;

			if (query->overflowed)
				continue;
			rank_block(file, query, scan, &space, dots, allowed);
		}
	}
	for (q = 0; q < scan->query_count; q++)
		settle(scan, q, &space.queries[q]);
	return 0;
}
