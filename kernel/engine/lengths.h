/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * How long live rows are: the longest, and the usual length, which all but a few
 * of them have at most. The unit of keys follows from the usual one. A row beyond
 * it has the best key or the worst, and neither costs the others their precision.
 */
#ifndef VEXFS_ENGINE_LENGTHS_H
#define VEXFS_ENGINE_LENGTHS_H

#include "exponents.h"
#include "key.h"

/* That many rows may be beyond the usual length, as far as they are at most this
 * part of all. A walk whose ef is larger keeps all of them; of those that have the best
 * key, one with less keeps whichever came first. */
#define VEXFS_BEYOND_MAX 32u
#define VEXFS_BEYOND_PART 64u

/* The writer's. Lengths are packed squares, and told apart by their exponents. */
struct vexfs_lengths {
	struct vexfs_exponents exponents;
	u32 largest[VEXFS_EXPONENTS]; /* that has been counted while there were some */
	u32 count;
	u32 usual; /* an exponent */
	u32 beyond_count; /* of rows with a higher one */
};

static inline void vexfs_find_usual(struct vexfs_lengths *lengths)
{
	const u32 *counts = lengths->exponents.counts;
	u32 most = lengths->count / VEXFS_BEYOND_PART;

	most = most < VEXFS_BEYOND_MAX ? most : VEXFS_BEYOND_MAX;
	while (lengths->beyond_count > most)
		lengths->beyond_count -= counts[++lengths->usual];
	while (lengths->usual &&
	       lengths->beyond_count + counts[lengths->usual] <= most)
		lengths->beyond_count += counts[lengths->usual--];
}

/* Zero vectors have no length and are not counted. */
static inline void vexfs_count_length(struct vexfs_lengths *lengths, u32 square)
{
	const u32 exponent = (u32)vexfs_packed_field(square);

	if (!square)
		return;
	vexfs_count_exponent(&lengths->exponents, exponent);
	if (square > lengths->largest[exponent])
		lengths->largest[exponent] = square;
	lengths->count++;
	lengths->beyond_count += exponent > lengths->usual;
	vexfs_find_usual(lengths);
}

static inline void vexfs_uncount_length(struct vexfs_lengths *lengths,
					u32 square)
{
	const u32 exponent = (u32)vexfs_packed_field(square);

	if (!square)
		return;
	vexfs_uncount_exponent(&lengths->exponents, exponent);
	if (!lengths->exponents.counts[exponent])
		lengths->largest[exponent] = 0;
	lengths->count--;
	lengths->beyond_count -= exponent > lengths->usual;
	vexfs_find_usual(lengths);
}

static inline u32 vexfs_usual_square(const struct vexfs_lengths *lengths)
{
	return lengths->largest[lengths->usual];
}

static inline u32 vexfs_longest_square(const struct vexfs_lengths *lengths)
{
	return lengths->largest[lengths->exponents.highest];
}

#endif
