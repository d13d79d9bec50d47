/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The exact scan: every slot of a range against a batch of queries.
 *
 * For a row x and a query q the scan knows an interval that holds the true
 * rank (the inner product, or (|| q ||^2 - distance^2) / 2 for Euclid): the
 * product of the codes plus or minus a bound. With value(q), value(x) the
 * coded vectors and e(q), e(x) what coding lost,
 *
 *   <q, x> = <value(q), value(x)> + <q, e(x)> + <e(q), value(x)>
 *   |<q, e(x)>|        <= || q || * || e(x) ||          (Cauchy-Schwarz)
 *   |<e(q), value(x)>| <= || e(q) || * || value(x) ||
 *
 * and || e(q) || = error * || q ||. Everything is kept in one unit a query,
 * its step times 2^exponent of the scan, so that ranks of rows of different
 * scale compare as integers.
 *
 * For each query the k best lower ends are kept; the k-th is the threshold,
 * and a row whose upper end is below it cannot be among the k best. All
 * others are candidates.
 */
#ifndef VEXFS_ENGINE_SCAN_H
#define VEXFS_ENGINE_SCAN_H

#include "vector_file.h"

struct vexfs_candidate {
	u32 slot;
	u32 generation;
};

struct vexfs_scan {
	u32 k;
	u32 slot_first;
	u32 slot_last; /* not included */
	u32 query_count;
	u32 capacity; /* candidates a query, at least k */
	const u32 *query_bits; /* query_count x dim */
	const u64 *const *allowed; /* a query's bitmap over slots, or NULL */
	struct vexfs_candidate *candidates; /* query_count x capacity */
	u32 *counts;
	u8 *overflowed;
	void *scratch;
};

/* The scratch that a scan needs; aligned to 64 bytes. */
size_t vexfs_scan_scratch_bytes(const struct vexfs_vector_file *file,
				u32 query_count, u32 k, u32 capacity);

/*
 * -EINVAL: a query is not finite, or the metric is Manhattan. Else fills
 * candidates, counts and overflowed: where a query's candidates did not fit, its
 * flag is 1 and its count 0.
 */
int vexfs_run_scan(const struct vexfs_vector_file *file,
		   const struct vexfs_scan *scan);

#endif
