// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
#include "link_parts.h"

/* Of the links that a row keeps, so many may be there for its kin. */
#define KIN_SHARE(kept) ((kept) * 3 / 4)
/* A row is kept by none whose keepers lead to it, as far as so many of them tell:
 * rows that come in no order have about fourteen of a million. */
#define KEEPERS_MAX 64u
/* Where the keeper has died, so many of what is near, and of the entries, are tried. */
#define NEAR_TRIED 32u
#define ENTRIES_TRIED 32u

/* Rows of this batch's slots are being written: they count as long as they may be. */
static u32 length_of(const struct vexfs_graph *graph, u32 slot)
{
	if (vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_TAIL)
		return graph->config.links_new;
	return vexfs_row_length(graph, vexfs_links_at(graph, slot));
}

static void move_first(u32 *links, u32 at)
{
	const u32 first = links[0];

	links[0] = links[at];
	links[at] = first;
}

void vexfs_choose_keeper(const struct vexfs_graph *graph, u32 slot, u32 *links,
			 u32 count)
{
	const u32 bits = slot * 2654435761u >> 8;
	u32 least = ~0u, at = 0, i;

	for (i = 0; i < count; i++) {
		const u32 j = (bits + i) % count;
		const u32 length = length_of(graph, links[j]);

		if (length < least) {
			least = length;
			at = j;
		}
	}
	if (count)
		move_first(links, at);
}

void vexfs_clear_kin(struct vexfs_kin *kin, u32 slot)
{
	kin->slot = slot;
	kin->count = 0;
}

static bool is_kept_by(const struct vexfs_graph *graph, u32 slot, u32 keeper)
{
	return vexfs_load_relaxed(vexfs_links_at(graph, slot)) == keeper + 1;
}

void vexfs_find_kin(const struct vexfs_graph *graph, const u32 *slots,
		    u32 count, struct vexfs_kin *kin)
{
	const u32 most = KIN_SHARE(graph->config.links_kept);
	u32 i;

	for (i = 0; i < count; i++)
		__builtin_prefetch(vexfs_links_at(graph, slots[i]));
	for (i = 0; i < count && kin->count < most; i++)
		if (is_kept_by(graph, slots[i], kin->slot))
			kin->slots[kin->count++] = slots[i];
}

static bool is_dying(const struct vexfs_graph *graph, u32 slot)
{
	return vexfs_slot_state_of(graph, slot) == VEXFS_SLOT_DYING;
}

u32 vexfs_keep_kin(const struct vexfs_graph *graph, const struct vexfs_kin *kin,
		   u32 *links, u32 count)
{
	const u32 first = *vexfs_links_at(graph, kin->slot);
	const bool has_keeper = first && !is_dying(graph, first - 1);
	u32 end = count, i;

	for (i = 0; i < kin->count + has_keeper; i++) {
		const u32 one = i < kin->count ? kin->slots[i] : first - 1;

		if (vexfs_is_among(links, count, one))
			continue;
		if (count <
		    (graph->config.links_kept + graph->config.width) / 2) {
			links[count++] = one;
			continue;
		}
		while (vexfs_is_among(kin->slots, kin->count, links[end - 1]))
			end--;
		links[--end] = one;
	}
	for (i = 0; i < count && has_keeper; i++)
		if (links[i] == first - 1)
			move_first(links, i);
	return count;
}

/* Whether a slot, its keeper, that one's and so on are without another slot. Where
 * there are many, it is taken to be so: what is near a row does not come from it in
 * so many steps. */
static bool leads_past(const struct vexfs_graph *graph, u32 slot, u32 other)
{
	u32 i;

	for (i = 0; i < KEEPERS_MAX; i++) {
		const u32 first = *vexfs_links_at(graph, slot);

		if (slot == other)
			return false;
		/* The first of all rows and one of its kin keep each other. */
		if (!first || is_kept_by(graph, first - 1, slot))
			return first != other + 1;
		/* It will get another keeper. */
		if (is_dying(graph, first - 1))
			return true;
		slot = first - 1;
	}
	return true;
}

/* Links a slot to another where it has room; else in the place of a link that is
 * dying, if it may: of what is near, full rows have enough kin. */
static bool link_to(const struct vexfs_graph *graph, u32 slot, u32 other,
		    bool replaces)
{
	u32 *row = vexfs_links_at(graph, slot);
	u32 place = 0, i;

	for (i = 0; i < graph->config.width && row[i]; i++) {
		if (row[i] == other + 1)
			return true;
		if (replaces && i && is_dying(graph, row[i] - 1))
			place = i;
	}
	if (i < graph->config.width)
		place = i;
	else if (!place)
		return false;
	vexfs_store_relaxed(&row[place], other + 1);
	return true;
}

/* Puts a link of a row first; of one that is new to it, in the place of what was. */
static void put_first(const struct vexfs_graph *graph, u32 slot, u32 link)
{
	u32 *row = vexfs_links_at(graph, slot);
	const u32 first = row[0];
	u32 i;

	vexfs_store_relaxed(&row[0], link + 1);
	for (i = 1; i < graph->config.width && row[i]; i++)
		if (row[i] == link + 1)
			vexfs_store_relaxed(&row[i], first);
}

/* Makes a slot another's keeper, if it may be; so many are tried. */
static bool keep(const struct vexfs_graph *graph, u32 keeper, u32 slot,
		 bool replaces, u32 *tries)
{
	if (!*tries || keeper == slot || is_dying(graph, keeper))
		return false;
	--*tries;
	if (!leads_past(graph, keeper, slot) ||
	    !link_to(graph, keeper, slot, replaces))
		return false;
	put_first(graph, slot, keeper);
	return true;
}

static bool keep_by_link_of(const struct vexfs_graph *graph, u32 of, u32 slot,
			    u32 *tries)
{
	const u32 *row = vexfs_links_at(graph, of);
	u32 i;

	for (i = 0; i < graph->config.width && row[i]; i++)
		if (keep(graph, row[i] - 1, slot, false, tries))
			return true;
	return false;
}

static bool keep_nearby(const struct vexfs_graph *graph, u32 slot)
{
	const u32 *row = vexfs_links_at(graph, slot);
	u32 tries = NEAR_TRIED, i;

	if (keep_by_link_of(graph, slot, slot, &tries))
		return true;
	for (i = 0; i < graph->config.width && row[i]; i++)
		if (is_dying(graph, row[i] - 1) &&
		    keep_by_link_of(graph, row[i] - 1, slot, &tries))
			return true;
	return false;
}

/* Where nothing around a row is left but what it keeps itself: the rest of a
 * cluster that another led to, all of which has died. */
static bool keep_by_entry(const struct vexfs_graph *graph, u32 slot)
{
	const struct vexfs_entries *entries = graph->entries;
	u32 tries = ENTRIES_TRIED, i;

	for (i = 0; i < ENTRIES_TRIED && entries->group_count; i++) {
		const struct vexfs_entry_rows *group =
			&entries->groups[(slot + i) % entries->group_count];

		if (keep(graph,
			 group->slots[(slot + i / entries->group_count) %
				      group->count],
			 slot, true, &tries))
			return true;
	}
	return false;
}

bool vexfs_keep_row(const struct vexfs_graph *graph, u32 slot, u32 keeper)
{
	u32 tries = 1;

	return keeper != VEXFS_NO_SLOT &&
	       keep(graph, keeper, slot, true, &tries);
}

/* The first of all rows: by one of its kin. */
static void keep_by_kin(const struct vexfs_graph *graph, u32 slot)
{
	const u32 *row = vexfs_links_at(graph, slot);
	u32 i;

	for (i = 0; i < graph->config.width && row[i]; i++)
		if (!is_dying(graph, row[i] - 1) &&
		    is_kept_by(graph, row[i] - 1, slot)) {
			put_first(graph, slot, row[i] - 1);
			return;
		}
}

bool vexfs_replace_keeper(const struct vexfs_graph *graph, u32 slot, u32 last)
{
	const u32 first = *vexfs_links_at(graph, slot);

	if (first && !is_dying(graph, first - 1))
		return true;
	if (keep_nearby(graph, slot) || keep_by_entry(graph, slot) ||
	    vexfs_keep_row(graph, slot, last))
		return true;
	keep_by_kin(graph, slot);
	return false;
}
