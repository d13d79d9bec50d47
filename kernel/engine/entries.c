// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "entries.h"
#include "scratch.h"
#include "walk.h"

/* The sample is thinned when it is more than this part of what is linked. */
#define ENTRIES_FEW 256u
#define ENTRIES_SHARE 48u
#define ENTRIES_MAX (VEXFS_ENTRY_GROUPS_MAX * VEXFS_GROUP_ENTRIES / 2)

static u32 row_stride(const struct vexfs_graph *graph)
{
	return graph->config.lines ? graph->line_bytes : graph->row_bytes;
}

static size_t rows_bytes(const struct vexfs_graph *graph, u32 capacity)
{
	return capacity * (sizeof(struct vexfs_row_scale) + sizeof(u32) +
			   (size_t)row_stride(graph));
}

/* The rows come first: they are read by whole cache lines. */
static bool make_rows(const struct vexfs_graph *graph, u32 capacity,
		      struct vexfs_entry_rows *made)
{
	u8 *memory = vexfs_alloc(rows_bytes(graph, capacity));

	if (!memory)
		return false;
	made->rows = memory;
	memory += (size_t)capacity * row_stride(graph);
	made->scales = (struct vexfs_row_scale *)(void *)memory;
	memory += capacity * sizeof(*made->scales);
	made->slots = (u32 *)(void *)memory;
	return true;
}

static void free_rows(const struct vexfs_graph *graph, u32 capacity,
		      struct vexfs_entry_rows *rows)
{
	if (rows->rows)
		vexfs_free(rows->rows, rows_bytes(graph, capacity));
}

int vexfs_entries_create(struct vexfs_graph *graph)
{
	struct vexfs_entries *entries = vexfs_alloc(sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	graph->entries = entries;
	/* The first group too: without an entry no search would find what is
	 * linked. */
	if (!make_rows(graph, VEXFS_ENTRY_GROUPS_MAX, &entries->centres) ||
	    !make_rows(graph, VEXFS_GROUP_ENTRIES, &entries->groups[0]))
		return -ENOMEM;
	entries->groups_made = 1;
	return 0;
}

void vexfs_entries_destroy(struct vexfs_graph *graph)
{
	struct vexfs_entries *entries = graph->entries;
	u32 i;

	if (!entries)
		return;
	for (i = 1; i < entries->groups_made; i++)
		free_rows(graph, VEXFS_GROUP_ENTRIES, &entries->groups[i]);
	free_rows(graph, VEXFS_GROUP_ENTRIES, &entries->groups[0]);
	free_rows(graph, VEXFS_ENTRY_GROUPS_MAX, &entries->centres);
	vexfs_free(entries, sizeof(*entries));
}

size_t vexfs_entries_memory_bytes(const struct vexfs_graph *graph)
{
	return sizeof(struct vexfs_entries) +
	       rows_bytes(graph, VEXFS_ENTRY_GROUPS_MAX) +
	       vexfs_load_relaxed(&graph->entries->groups_made) *
		       rows_bytes(graph, VEXFS_GROUP_ENTRIES);
}

/* By words, since a search may read what it replaces. */
static void copy_words(void *to, const void *from, u32 bytes)
{
	const u64 *words = from;
	u64 *copies = to;
	u32 i;

	for (i = 0; i < bytes / sizeof(u64); i++)
		vexfs_store_relaxed(&copies[i], words[i]);
}

static void put_row(const struct vexfs_graph *graph,
		    struct vexfs_entry_rows *into, u32 index, u32 slot)
{
	const u32 stride = row_stride(graph);

	copy_words(into->rows + (size_t)index * stride,
		   graph->config.lines
			   ? (const void *)vexfs_line_at(graph, slot)
			   : (const void *)vexfs_code_at(graph, slot),
		   stride);
	copy_words(&into->scales[index], vexfs_scale_at(graph, slot),
		   sizeof(struct vexfs_row_scale));
	vexfs_store_relaxed(&into->slots[index], slot);
}

/* Bits of a slot's own, so that every core and every order draws one sample. */
static u32 drawn(u32 slot)
{
	u32 bits = slot * 2654435761u;

	bits ^= bits >> 15;
	bits *= 2246822519u;
	return bits ^ bits >> 13;
}

static bool is_drawn(const struct vexfs_entries *entries, u32 slot)
{
	return !(drawn(slot) & ((1u << entries->sample_bits) - 1));
}

/* Where a group is left without entries, the last one takes its number. */
static void remove_group(const struct vexfs_graph *graph, u32 index)
{
	struct vexfs_entries *entries = graph->entries;
	const u32 last = entries->group_count - 1;
	const struct vexfs_entry_rows empty = entries->groups[index];

	if (index != last) {
		put_row(graph, &entries->centres, index,
			entries->centres.slots[last]);
		entries->groups[index] = entries->groups[last];
		entries->groups[last] = empty;
	}
	vexfs_store_release(&entries->group_count, last);
}

/* Keeps the entries of a group that are told; a centre that goes is replaced. */
static void keep_entries(const struct vexfs_graph *graph, u32 index,
			 const u8 *kept)
{
	struct vexfs_entries *entries = graph->entries;
	struct vexfs_entry_rows *group = &entries->groups[index];
	const u32 centre = entries->centres.slots[index];
	bool has_centre = false;
	u32 count = 0, i;

	for (i = 0; i < group->count; i++) {
		const u32 slot = group->slots[i];

		if (!kept[i])
			continue;
		has_centre |= slot == centre;
		if (count != i)
			put_row(graph, group, count, slot);
		count++;
	}
	entries->count -= group->count - count;
	vexfs_store_release(&group->count, count);
	if (count && !has_centre)
		put_row(graph, &entries->centres, index, group->slots[0]);
}

static void thin(struct vexfs_graph *graph)
{
	struct vexfs_entries *entries = graph->entries;
	u8 kept[VEXFS_GROUP_ENTRIES];
	u32 g, i;

	entries->sample_bits++;
	for (g = entries->group_count; g-- > 0;) {
		const struct vexfs_entry_rows *group = &entries->groups[g];

		for (i = 0; i < group->count; i++)
			kept[i] = is_drawn(entries, group->slots[i]);
		/* There is always one, however unlikely its bits are. */
		if (entries->group_count == 1)
			kept[0] = 1;
		keep_entries(graph, g, kept);
		if (!group->count)
			remove_group(graph, g);
	}
}

void vexfs_drop_entries(struct vexfs_graph *graph, u8 state)
{
	struct vexfs_entries *entries = graph->entries;
	u8 kept[VEXFS_GROUP_ENTRIES];
	u32 g, i;

	for (g = entries->group_count; g-- > 0;) {
		const struct vexfs_entry_rows *group = &entries->groups[g];

		for (i = 0; i < group->count; i++)
			kept[i] = vexfs_slot_state_of(graph, group->slots[i]) !=
				  state;
		keep_entries(graph, g, kept);
		if (!group->count)
			remove_group(graph, g);
	}
}

static bool make_group(struct vexfs_graph *graph, u32 centre)
{
	struct vexfs_entries *entries = graph->entries;
	const u32 index = entries->group_count;

	if (index == VEXFS_ENTRY_GROUPS_MAX)
		return false;
	if (index == entries->groups_made) {
		if (!make_rows(graph, VEXFS_GROUP_ENTRIES,
			       &entries->groups[index]))
			return false;
		vexfs_store_relaxed(&entries->groups_made, index + 1);
	}
	put_row(graph, &entries->centres, index, centre);
	vexfs_store_relaxed(&entries->groups[index].count, 0);
	return true;
}

static void add_to(struct vexfs_graph *graph, u32 index, u32 slot)
{
	struct vexfs_entry_rows *group = &graph->entries->groups[index];

	put_row(graph, group, group->count, slot);
	vexfs_store_release(&group->count, group->count + 1);
	graph->entries->count++;
}

/* A slot as a query to entries, which lie together by Euclid's distance, or by
 * Manhattan's where that is the file's. */
static void entry_query(const struct vexfs_graph *graph, u32 slot, u64 *planes,
			struct vexfs_query *query)
{
	graph->kernels->row_query(graph, slot, planes, query);
	vexfs_set_unit(graph, query,
		       graph->file->metric == VEXFS_METRIC_MANHATTAN
			       ? VEXFS_METRIC_MANHATTAN
			       : VEXFS_METRIC_EUCLID,
		       vexfs_load_relaxed(&graph->square_usual));
}

/* How many of a group are nearer to a slot, for each. */
static u32 rank_by(const struct vexfs_graph *graph, u32 slot,
		   const struct vexfs_entry_rows *group, u64 *planes, u8 *ranks)
{
	struct vexfs_query query;
	s32 keys[VEXFS_GROUP_ENTRIES];
	u32 farthest = 0, i, j;

	entry_query(graph, slot, planes, &query);
	graph->kernels->keys(graph, &query, group->slots, group->count, keys);
	for (i = 0; i < group->count; i++) {
		ranks[i] = 0;
		for (j = 0; j < group->count; j++)
			ranks[i] = (u8)(ranks[i] + (keys[j] < keys[i]));
		if (keys[i] > keys[farthest])
			farthest = i;
	}
	return farthest;
}

/*
 * Splits a full group between its centre and the entry that is farthest from
 * it. Ranks decide to whom an entry goes: keys of two queries do not compare.
 */
static bool split_group(struct vexfs_graph *graph, u32 index, u64 *planes)
{
	struct vexfs_entries *entries = graph->entries;
	const struct vexfs_entry_rows *group = &entries->groups[index];
	const u32 other = entries->group_count;
	u8 ranks[VEXFS_GROUP_ENTRIES], kept[VEXFS_GROUP_ENTRIES];
	u32 farthest, moved = 0, i;

	farthest = rank_by(graph, entries->centres.slots[index], group, planes,
			   ranks);
	rank_by(graph, group->slots[farthest], group, planes, kept);
	for (i = 0; i < group->count; i++) {
		kept[i] = ranks[i] <= kept[i];
		moved += !kept[i];
	}
	/* All alike, or no room for more groups. */
	if (!moved || moved == group->count ||
	    !make_group(graph, group->slots[farthest]))
		return false;
	for (i = 0; i < group->count; i++)
		if (!kept[i])
			add_to(graph, other, group->slots[i]);
	vexfs_store_release(&entries->group_count, other + 1);
	keep_entries(graph, index, kept);
	return true;
}

void vexfs_add_entry(struct vexfs_graph *graph, u32 slot, u64 *planes)
{
	struct vexfs_entries *entries = graph->entries;
	u32 most = graph->linked_count / ENTRIES_SHARE, index, tries;
	struct vexfs_query query;

	most = most < ENTRIES_FEW ? ENTRIES_FEW : most;
	most = most > ENTRIES_MAX ? ENTRIES_MAX : most;
	while (entries->count >= most)
		thin(graph);
	if (!entries->count) {
		if (!make_group(graph, slot))
			return;
		add_to(graph, 0, slot);
		vexfs_store_release(&entries->group_count, 1);
		return;
	}
	/* What is near everything is near nothing else. */
	if (!is_drawn(entries, slot) ||
	    vexfs_is_beyond(graph, vexfs_scale_at(graph, slot)->square))
		return;
	entry_query(graph, slot, planes, &query);
	for (tries = 0; tries < 2; tries++) {
		index = graph->kernels->nearest_group(graph, &query);
		if (entries->groups[index].count < VEXFS_GROUP_ENTRIES) {
			add_to(graph, index, slot);
			return;
		}
		if (!split_group(graph, index, planes))
			return;
	}
}
