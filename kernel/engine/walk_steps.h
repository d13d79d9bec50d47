/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The walk's steps, compiled once by each object of a SIMD level, which defines
 * before it includes this:
 *
 *   codes4_below(query, codes, scales, threshold, blocks, keys)
 *   lines4_below(query, lines, slack, threshold, bytes, keys)
 *       four keys, answering the set of those below the threshold; the others
 *       need not be stored
 *   pool_put(pool, key, slot)  the place where it was inserted
 *   code_sum(code, bytes)      what the query's dot products need of its code
 *   planes_of_64(code, planes, stride)  the four planes of 64 elements, a word
 *       each, and the sum of the levels
 *
 * `blocks` is a code's length in cache lines; usual lengths are compiled as
 * constants, so that the loops over them unroll.
 */
#ifndef VEXFS_ENGINE_WALK_STEPS_H
#define VEXFS_ENGINE_WALK_STEPS_H

#include "walk.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE u32 row_blocks(const struct vexfs_graph *graph)
{
	return graph->row_bytes / VEXFS_ROW_ALIGN;
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

/*
 * Query codes: the largest element is brought to 20 bits, the others with it,
 * and a factor of 12 bits takes them to int8. The factor is exact in the step,
 * so nothing but the rounding of the elements is lost.
 */
static ALWAYS_INLINE u32 largest_magnitude(const u32 *bits, u32 dim)
{
	u32 largest = 0, i;

	for (i = 0; i < dim; i++) {
		const u32 magnitude = bits[i] & 0x7fffffffu;

		largest = magnitude > largest ? magnitude : largest;
	}
	return largest;
}

static ALWAYS_INLINE int code_elements(const u32 *bits, u32 dim, s8 *code,
				       struct vexfs_query *query)
{
	const u32 largest = largest_magnitude(bits, dim);
	const u32 top_field = largest >> 23 ? largest >> 23 : 1;
	u32 mantissa, lift, factor, i;
	s32 squares = 0;

	if (largest >= 0x7f800000u)
		return -EINVAL;
	if (!largest) {
		/* Of any step: the codes are zero. */
		query->step = vexfs_pack(1, 0);
		query->square = 0;
		query->length = 0;
		return 0;
	}
	mantissa = (largest & 0x7fffffu) | (largest >> 23 ? 0x800000u : 0);
	lift = (u32)__builtin_clz(mantissa) - 8;
	factor = (127u << 24) / ((mantissa << lift) >> 4);
	for (i = 0; i < dim; i++) {
		const u32 magnitude = bits[i] & 0x7fffffffu;
		const u32 field = magnitude >> 23;
		const u32 whole =
			((magnitude & 0x7fffffu) | (field ? 0x800000u : 0))
			<< lift;
		const u32 down = top_field - (field ? field : 1) + 4;
		const u32 fixed = whole >> (down < 31 ? down : 31);
		const s32 level = (s32)((fixed * factor + (1u << 23)) >> 24);
		const s32 sign = (s32)bits[i] >> 31;

		code[i] = (s8)((level ^ sign) - sign);
		squares += level * level;
	}
	/* An element is fixed * 2^(top_field - 146 - lift), a level 2^24 / factor
	 * of that. */
	query->step = vexfs_pack((1ULL << 44) / factor,
				 (s32)top_field - 146 - (s32)lift - 20);
	query->length = (u32)vexfs_root_up((u32)squares);
	{
		const u64 step = (u64)vexfs_packed_mantissa(query->step);

		/* 22 + 22 + 30 bits are too many: the square loses 12. */
		query->square =
			vexfs_pack(((step * step) >> 12) * (u32)squares,
				   2 * vexfs_packed_exponent(query->step) + 12);
	}
	return 0;
}

/* The bit planes of a code in steps of VEXFS_PLANE_STEP, and their sum. */
static ALWAYS_INLINE void set_planes(const struct vexfs_graph *graph,
				     u64 *planes, struct vexfs_query *query)
{
	const u32 words = graph->line_bytes / sizeof(u64);
	u32 block;

	memset(planes, 0, (size_t)VEXFS_PLANES * graph->line_bytes);
	query->plane_sum = 0;
	for (block = 0; block < row_blocks(graph); block++)
		query->plane_sum +=
			planes_of_64(query->code + block * VEXFS_ROW_ALIGN,
				     planes + block, words);
	query->planes = planes;
}

static int code_query(const struct vexfs_graph *graph, const u32 *bits,
		      s8 *code, u64 *planes, struct vexfs_query *query)
{
	const u32 dim = graph->file->dim;
	int status;

	memset(query, 0, sizeof(*query));
	memset(code, 0, graph->row_bytes);
	status = code_elements(bits, dim, code, query);
	if (status)
		return status;
	query->code = code;
	query->code_sum = code_sum(code, graph->row_bytes);
	if (graph->config.lines)
		set_planes(graph, planes, query);
	return 0;
}

static ALWAYS_INLINE void set_row_query(const struct vexfs_graph *graph,
					u32 slot, struct vexfs_query *query)
{
	const struct vexfs_row_scale *scale = vexfs_scale_at(graph, slot);

	memset(query, 0, sizeof(*query));
	query->code = vexfs_code_at(graph, slot);
	query->code_sum = code_sum(query->code, graph->row_bytes);
	query->step = scale->step ? scale->step : vexfs_pack(1, 0);
	query->square = scale->square;
}

static void row_query(const struct vexfs_graph *graph, u32 slot, u64 *planes,
		      struct vexfs_query *query)
{
	set_row_query(graph, slot, query);
	if (graph->config.lines)
		set_planes(graph, planes, query);
}

static ALWAYS_INLINE u32 keys4_below(const struct vexfs_graph *graph,
				     const struct vexfs_query *query,
				     const u32 *slots, s32 threshold,
				     const u32 blocks, s32 *keys)
{
	const s8 *const codes[4] = { vexfs_code_at(graph, slots[0]),
				     vexfs_code_at(graph, slots[1]),
				     vexfs_code_at(graph, slots[2]),
				     vexfs_code_at(graph, slots[3]) };
	const struct vexfs_row_scale *const scales[4] = {
		vexfs_scale_at(graph, slots[0]),
		vexfs_scale_at(graph, slots[1]),
		vexfs_scale_at(graph, slots[2]), vexfs_scale_at(graph, slots[3])
	};

	return codes4_below(query, codes, scales, threshold, blocks, keys);
}

static ALWAYS_INLINE void keys_blocks(const struct vexfs_graph *graph,
				      const struct vexfs_query *query,
				      const u32 *slots, u32 count, s32 *keys,
				      const u32 blocks)
{
	u32 four[4];
	s32 last[4];
	u32 i, j;

	for (i = 0; i + 4 <= count; i += 4)
		keys4_below(graph, query, slots + i, VEXFS_KEY_NONE, blocks,
			    keys + i);
	if (i == count)
		return;
	for (j = 0; j < 4; j++)
		four[j] = slots[i + j < count ? i + j : count - 1];
	keys4_below(graph, query, four, VEXFS_KEY_NONE, blocks, last);
	for (j = 0; i + j < count; j++)
		keys[i + j] = last[j];
}

static void keys_of(const struct vexfs_graph *graph,
		    const struct vexfs_query *query, const u32 *slots,
		    u32 count, s32 *keys)
{
	WITH_BLOCKS(graph,
		    keys_blocks(graph, query, slots, count, keys, blocks));
}

static ALWAYS_INLINE bool entry_passes(const struct vexfs_entries *entries,
				       u32 index, const u64 *allowed,
				       u32 slot_limit)
{
	const u32 slot = vexfs_load_relaxed(&entries->slots[index]);

	return slot < slot_limit && vexfs_passes(allowed, slot);
}

static ALWAYS_INLINE u32 entry_by_lines(const struct vexfs_graph *graph,
					const struct vexfs_entries *entries,
					const struct vexfs_query *query,
					const u64 *allowed, u32 slot_limit,
					u32 count)
{
	s32 best = VEXFS_KEY_NONE;
	u32 nearest = VEXFS_NO_SLOT, i, set;

	for (i = 0; i < count; i += 4) {
		const u8 *lines[4];
		s32 keys[4];
		u32 j;

		for (j = 0; j < 4; j++)
			lines[j] = entries->lines +
				   (size_t)(i + j < count ? i + j : count - 1) *
					   graph->line_bytes;
		set = lines4_below(query, lines, 0, best, graph->line_bytes,
				   keys);
		for (; set; set &= set - 1) {
			j = (u32)__builtin_ctz(set);
			if (i + j < count && keys[j] < best &&
			    entry_passes(entries, i + j, allowed, slot_limit)) {
				best = keys[j];
				nearest = i + j;
			}
		}
	}
	return nearest;
}

static ALWAYS_INLINE u32 entry_by_codes(const struct vexfs_graph *graph,
					const struct vexfs_entries *entries,
					const struct vexfs_query *query,
					const u64 *allowed, u32 slot_limit,
					u32 count, const u32 blocks)
{
	s32 best = VEXFS_KEY_NONE;
	u32 nearest = VEXFS_NO_SLOT, i, set;

	for (i = 0; i < count; i += 4) {
		const s8 *codes[4];
		const struct vexfs_row_scale *scales[4];
		s32 keys[4];
		u32 j;

		for (j = 0; j < 4; j++) {
			const u32 index = i + j < count ? i + j : count - 1;
			const u32 slot =
				vexfs_load_relaxed(&entries->slots[index]);

			codes[j] = (const s8 *)entries->lines +
				   (size_t)index * graph->row_bytes;
			scales[j] = vexfs_scale_at(graph, slot);
		}
		set = codes4_below(query, codes, scales, best, blocks, keys);
		for (; set; set &= set - 1) {
			j = (u32)__builtin_ctz(set);
			if (i + j < count && keys[j] < best &&
			    entry_passes(entries, i + j, allowed, slot_limit)) {
				best = keys[j];
				nearest = i + j;
			}
		}
	}
	return nearest;
}

/* An entry whose line is being replaced is taken for near or far by chance. */
static VEXFS_READS_RACILY u32 nearest_entry(const struct vexfs_graph *graph,
					    const struct vexfs_query *query,
					    const u64 *allowed, u32 slot_limit)
{
	const struct vexfs_entries *entries =
		vexfs_load_acquire(&graph->entries);
	const u32 count = vexfs_load_acquire(&entries->count);
	u32 found = VEXFS_NO_SLOT;

	if (graph->config.lines)
		found = entry_by_lines(graph, entries, query, allowed,
				       slot_limit, count);
	else
		WITH_BLOCKS(graph, found = entry_by_codes(graph, entries, query,
							  allowed, slot_limit,
							  count, blocks));
	return found == VEXFS_NO_SLOT
		       ? VEXFS_NO_SLOT
		       : vexfs_load_relaxed(&entries->slots[found]);
}

static ALWAYS_INLINE void offer_blocks(const struct vexfs_graph *graph,
				       const struct vexfs_query *query,
				       const u32 *slots, u32 count, u32 mark,
				       const struct vexfs_pool *pool,
				       const u32 blocks)
{
	u32 i, j, set;

	for (i = 0; i < count; i += 4) {
		u32 four[4];
		s32 keys[4];

		for (j = 0; j < 4; j++)
			four[j] = slots[i + j < count ? i + j : count - 1];
		set = keys4_below(graph, query, four, pool->keys[pool->ef - 1],
				  blocks, keys);
		if (count - i < 4)
			set &= (1u << (count - i)) - 1;
		for (; set; set &= set - 1) {
			j = (u32)__builtin_ctz(set);
			if (keys[j] < pool->keys[pool->ef - 1])
				pool_put(pool, keys[j], four[j] | mark);
		}
	}
}

static void offer(const struct vexfs_graph *graph,
		  const struct vexfs_query *query, const u32 *slots, u32 count,
		  u32 mark, const struct vexfs_pool *pool)
{
	WITH_BLOCKS(graph, offer_blocks(graph, query, slots, count, mark, pool,
					blocks));
}

/* Keys that are worth a place: below the last one, and within reach. */
static ALWAYS_INLINE s32 threshold_of(const struct vexfs_walk *walk)
{
	const struct vexfs_pool *pool = &walk->pool;
	const s32 last = pool->keys[pool->ef - 1];
	s64 ranked, reach;

	if (!walk->stop_rank)
		return last;
	ranked = pool->keys[walk->stop_rank - 1];
	if (ranked == VEXFS_KEY_NONE)
		return last;
	reach = ranked +
		((ranked + walk->query.origin) * walk->stop_share >> 16) + 1;
	return reach < last ? (s32)reach : last;
}

static ALWAYS_INLINE void prefetch_links(const struct vexfs_graph *graph,
					 u32 slot)
{
	prefetch_bytes(vexfs_links_at(graph, slot),
		       graph->config.width * sizeof(u32));
}

static ALWAYS_INLINE void prefetch_code(const struct vexfs_graph *graph,
					u32 slot, const u32 blocks)
{
	prefetch_bytes(vexfs_code_at(graph, slot), blocks * VEXFS_ROW_ALIGN);
}

/* The neighbours of a row that the walk has not seen, which it has then. */
static ALWAYS_INLINE u32 gather_unseen(const struct vexfs_graph *graph,
				       struct vexfs_walk *walk, u32 slot)
{
	const u32 *row = vexfs_links_at(graph, slot);
	const u32 width = graph->config.width;
	u32 count = 0, i;

	for (i = 0; i < width; i++) {
		const u32 link = vexfs_load_relaxed(&row[i]);
		const u32 found = link - 1;
		u64 *word;
		u64 bit;

		if (!link)
			break;
		/* Linked after this walk began. */
		if (found >= walk->slot_limit)
			continue;
		word = &walk->seen[found / 64];
		bit = 1ULL << (found % 64);
		walk->buffer[count] = found;
		count += !(*word & bit);
		*word |= bit;
	}
	return count;
}

/* What is needed next of the slots in the buffer. */
static ALWAYS_INLINE void ask_for_buffer(const struct vexfs_graph *graph,
					 struct vexfs_walk *walk,
					 const u32 blocks)
{
	u32 i;

	if (graph->config.lines) {
		for (i = 0; i < walk->count; i++)
			prefetch_bytes(vexfs_line_at(graph, walk->buffer[i]),
				       graph->line_bytes);
		walk->phase = VEXFS_WALK_FILTER;
		return;
	}
	for (i = 0; i < walk->count; i++) {
		prefetch_code(graph, walk->buffer[i], blocks);
		__builtin_prefetch(vexfs_scale_at(graph, walk->buffer[i]));
	}
	walk->phase = VEXFS_WALK_SCORE;
}

/*
 * Adds the unseen neighbours of a row that pass. Of those that do not, the first
 * are taken as hops, and count as seen: others may still be hops elsewhere.
 */
static ALWAYS_INLINE void gather_passing(const struct vexfs_graph *graph,
					 struct vexfs_walk *walk, u32 slot,
					 u32 hops_max)
{
	const u32 *row = vexfs_links_at(graph, slot);
	u32 i;

	for (i = 0; i < graph->config.width; i++) {
		const u32 link = vexfs_load_relaxed(&row[i]);
		const u32 found = link - 1;
		u64 *word;
		u64 bit;

		if (!link)
			break;
		if (found >= walk->slot_limit)
			continue;
		word = &walk->seen[found / 64];
		bit = 1ULL << (found % 64);
		if (*word & bit)
			continue;
		if (vexfs_passes(walk->allowed, found))
			walk->buffer[walk->count++] = found;
		else if (walk->hop_count < hops_max)
			walk->hops[walk->hop_count++] = found;
		else
			continue;
		*word |= bit;
	}
}

static ALWAYS_INLINE void step_hop(const struct vexfs_graph *graph,
				   struct vexfs_walk *walk, const u32 blocks)
{
	u32 i;

	for (i = 0; i < walk->hop_count; i++) {
		if (walk->count + graph->config.width > VEXFS_WIDTH_MAX)
			break;
		gather_passing(graph, walk, walk->hops[i], 0);
	}
	ask_for_buffer(graph, walk, blocks);
}

static ALWAYS_INLINE void step_gather(const struct vexfs_graph *graph,
				      struct vexfs_walk *walk, const u32 blocks)
{
	struct vexfs_pool *pool = &walk->pool;
	const u32 slot = pool->slots[walk->at];
	u32 i;

	pool->slots[walk->at] = slot | VEXFS_EXPANDED;
	walk->expanded_count++;
	if (!walk->allowed) {
		walk->count = gather_unseen(graph, walk, slot);
		ask_for_buffer(graph, walk, blocks);
		return;
	}
	walk->count = 0;
	walk->hop_count = 0;
	gather_passing(graph, walk, slot, VEXFS_HOPS_MAX);
	if (!walk->hop_count || walk->count >= VEXFS_PASSING_FEW) {
		ask_for_buffer(graph, walk, blocks);
		return;
	}
	for (i = 0; i < walk->hop_count; i++)
		prefetch_links(graph, walk->hops[i]);
	walk->phase = VEXFS_WALK_HOP;
}

/* Slots are taken by fours: the places after the last repeat it. */
static ALWAYS_INLINE void pad_buffer(struct vexfs_walk *walk)
{
	u32 i;

	for (i = 0; i < 3 && walk->count; i++)
		walk->buffer[walk->count + i] = walk->buffer[walk->count - 1];
}

static ALWAYS_INLINE void step_filter(const struct vexfs_graph *graph,
				      struct vexfs_walk *walk, const u32 blocks)
{
	const s32 threshold = threshold_of(walk);
	const u32 count = walk->count;
	u32 *buffer = walk->buffer;
	u32 kept = 0, i, set;

	walk->filtered_count += count;
	if (threshold != VEXFS_KEY_NONE) {
		pad_buffer(walk);
		for (i = 0; i < count; i += 4) {
			const u8 *const lines[4] = {
				vexfs_line_at(graph, buffer[i]),
				vexfs_line_at(graph, buffer[i + 1]),
				vexfs_line_at(graph, buffer[i + 2]),
				vexfs_line_at(graph, buffer[i + 3])
			};
			s32 keys[4];

			set = lines4_below(&walk->query, lines, walk->slack,
					   threshold, graph->line_bytes, keys);
			if (count - i < 4)
				set &= (1u << (count - i)) - 1;
			for (; set; set &= set - 1)
				buffer[kept++] =
					buffer[i + (u32)__builtin_ctz(set)];
		}
		walk->count = kept;
	}
	for (i = 0; i < walk->count; i++)
		prefetch_code(graph, buffer[i], blocks);
	walk->phase = VEXFS_WALK_SCORE;
}

/* True where the walk has ended. */
static ALWAYS_INLINE bool step_score(const struct vexfs_graph *graph,
				     struct vexfs_walk *walk, const u32 blocks)
{
	const struct vexfs_pool *pool = &walk->pool;
	const u32 count = walk->count;
	u32 *buffer = walk->buffer;
	s32 threshold = threshold_of(walk);
	u32 next = walk->at + 1, i, set;

	walk->scored_count += count;
	pad_buffer(walk);
	for (i = 0; i < count; i += 4) {
		s32 keys[4];

		set = keys4_below(graph, &walk->query, buffer + i, threshold,
				  blocks, keys);
		if (count - i < 4)
			set &= (1u << (count - i)) - 1;
		for (; set; set &= set - 1) {
			const u32 j = (u32)__builtin_ctz(set);
			u32 place;

			if (keys[j] >= threshold)
				continue;
			place = pool_put(pool, keys[j], buffer[i + j]);
			next = place < next ? place : next;
			threshold = threshold_of(walk);
		}
	}
	while (next < pool->ef && pool->slots[next] & VEXFS_EXPANDED)
		next++;
	walk->at = next;
	if (next == pool->ef || pool->keys[next] > threshold)
		return true;
	prefetch_links(graph, pool->slots[next]);
	walk->phase = VEXFS_WALK_GATHER;
	return false;
}

static ALWAYS_INLINE u32 advance_blocks(const struct vexfs_graph *graph,
					struct vexfs_walk *const *walks,
					u32 count, const u32 blocks)
{
	u32 i;

	for (;;) {
		for (i = 0; i < count; i++) {
			struct vexfs_walk *walk = walks[i];

			switch (walk->phase) {
			case VEXFS_WALK_GATHER:
				step_gather(graph, walk, blocks);
				break;
			case VEXFS_WALK_HOP:
				step_hop(graph, walk, blocks);
				break;
			case VEXFS_WALK_FILTER:
				step_filter(graph, walk, blocks);
				break;
			case VEXFS_WALK_SCORE:
				if (step_score(graph, walk, blocks))
					return i;
				break;
			}
		}
	}
}

static u32 advance(const struct vexfs_graph *graph,
		   struct vexfs_walk *const *walks, u32 count)
{
	u32 ended = 0;

	WITH_BLOCKS(graph, ended = advance_blocks(graph, walks, count, blocks));
	return ended;
}

/*
 * The distance of a candidate from the query, divided by alpha = 1.2, as a key
 * of the candidate's own unit: a kept slot with a smaller key hides it.
 */
static ALWAYS_INLINE s32 hiding_threshold(const struct vexfs_query *query,
					  const struct vexfs_query *candidate,
					  s32 key)
{
	const u64 inverse_alpha = 54613; /* 2^16 / 1.2 */
	s64 away = (s64)key + query->origin;
	s32 down;
	u64 ratio, scaled;

	/* Below zero by rounding only. */
	if (away < 0)
		away = 0;
	ratio = ((u64)vexfs_packed_mantissa(query->step) << VEXFS_PACKED_BITS) /
		(u32)vexfs_packed_mantissa(candidate->step);
	down = VEXFS_PACKED_BITS + candidate->unit - query->unit +
	       vexfs_packed_field(candidate->step) -
	       vexfs_packed_field(query->step);
	/* 33 + 23 bits, and 38 + 16. */
	scaled = (u64)away * ratio;
	if (down < 0)
		return VEXFS_KEY_FAR;
	scaled = (down < 63 ? scaled >> down : 0);
	if (scaled > 1ULL << 40)
		return VEXFS_KEY_FAR;
	away = (s64)(scaled * inverse_alpha >> 16) - candidate->origin;
	return away > VEXFS_KEY_FAR    ? VEXFS_KEY_FAR
	       : away < VEXFS_KEY_NEAR ? VEXFS_KEY_NEAR
				       : (s32)away;
}

static ALWAYS_INLINE bool is_hidden(const struct vexfs_graph *graph,
				    const struct vexfs_prune *prune, u32 slot,
				    s32 key, u32 kept, const u32 blocks)
{
	struct vexfs_query candidate;
	s32 threshold, keys[4];
	u32 i;

	set_row_query(graph, slot, &candidate);
	vexfs_query_unit_euclid(&candidate, prune->query->square);
	threshold = hiding_threshold(prune->query, &candidate, key);
	for (i = 0; i < kept; i += 4)
		if (keys4_below(graph, &candidate, prune->kept + i, threshold,
				blocks, keys))
			return true;
	return false;
}

static ALWAYS_INLINE u32 prune_blocks(const struct vexfs_graph *graph,
				      const struct vexfs_prune *prune,
				      const u32 blocks)
{
	const struct vexfs_pool *from = prune->from;
	u32 kept = 0, count, i, j;

	for (count = 0; count < prune->count && kept < prune->kept_max;
	     count++) {
		const u32 slot = from->slots[count] & ~VEXFS_EXPANDED;

		if (from->keys[count] == VEXFS_KEY_NONE)
			break;
		from->slots[count] = slot;
		if (kept && is_hidden(graph, prune, slot, from->keys[count],
				      kept, blocks)) {
			from->slots[count] |= VEXFS_EXPANDED;
			continue;
		}
		prune->kept[kept++] = slot;
		for (j = kept; j % 4; j++)
			prune->kept[j] = slot;
	}
	/* Where nearly all hide behind a few, the nearest are kept after all:
	 * they would have too few links to them. */
	for (i = 0; i < count && kept < prune->kept_min; i++)
		if (from->slots[i] & VEXFS_EXPANDED)
			prune->kept[kept++] = from->slots[i] & ~VEXFS_EXPANDED;
	return kept;
}

static u32 prune_pool(const struct vexfs_graph *graph,
		      const struct vexfs_prune *prune)
{
	u32 kept = 0;

	WITH_BLOCKS(graph, kept = prune_blocks(graph, prune, blocks));
	return kept;
}

#define VEXFS_GRAPH_KERNELS(level)                                       \
	const struct vexfs_graph_kernels vexfs_graph_kernels_##level = { \
		.code_query = code_query,                                \
		.row_query = row_query,                                  \
		.keys = keys_of,                                         \
		.nearest_entry = nearest_entry,                          \
		.offer = offer,                                          \
		.advance = advance,                                      \
		.prune = prune_pool,                                     \
	}

#endif
