// SPDX-License-Identifier: Apache-2.0
// Every bound of the server in one place, with the relations between them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vexfs {

// Memory of one request.
inline constexpr std::size_t arena_block_bytes_min = 16 * 1024;
inline constexpr std::size_t arena_block_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t arena_kept_bytes_max = 1024 * 1024;

// The contract's own limits.
inline constexpr std::uint32_t vector_dim_max = 65'536;
inline constexpr std::size_t collection_name_chars_max = 255;
inline constexpr std::size_t vector_name_bytes_max = 200;
// Ours: each costs a megabyte of tables before it holds anything.
inline constexpr std::size_t vector_names_max = 1024;
inline constexpr std::uint32_t prefetch_depth_max = 64;
inline constexpr std::uint64_t mmr_candidates_max = 16'384;
inline constexpr std::size_t multivector_floats_max = 1'048'576;

// Nesting of JSON documents that are accepted from clients.
inline constexpr std::uint32_t json_depth_max = 128;
// What a core keeps of the stacks of its JSON parser after a large document.
inline constexpr std::size_t json_scratch_kept_values_max = 16 * 1024;

// Cores, and the queues between each pair of them.
inline constexpr std::uint32_t core_count_max = 256;
inline constexpr std::uint32_t mailbox_capacity = 256;

// One core's ring. A completion entry for every operation that can be in flight.
inline constexpr std::uint32_t ring_sq_entries = 2048;
inline constexpr std::uint32_t ring_cq_entries = 16384;
inline constexpr std::uint32_t receive_buffer_count = 1024;
inline constexpr std::uint32_t receive_buffer_bytes = 16 * 1024;

// Reads of a file that one request has under way; and the bytes of rows that it reads before it
// goes on with them, in memory that it takes in blocks of at least the last size.
inline constexpr std::uint32_t file_reads_max = 64;
inline constexpr std::size_t row_reads_bytes_max = 1024 * 1024;
inline constexpr std::size_t row_reads_block_bytes = 16 * 1024;
// Rows that a file is made longer by beyond those that are needed.
inline constexpr std::uint64_t rows_reserved_max = 4096;

// One client. Its requests in flight, its head, the answers that wait to be sent, and how much goes
// into one send: a peer that does not take that much within the send timeout is cut.
inline constexpr std::uint32_t connection_exchanges_max = 64;
inline constexpr std::uint32_t request_head_bytes_max = 64 * 1024;
inline constexpr std::size_t connection_output_bytes_max = 1024 * 1024;
inline constexpr std::size_t send_piece_bytes_max = 256 * 1024;

// All clients. New ones beyond the first number are answered 429; the others are what a core keeps
// for the next ones. Four large requests may leave their memory, and many small ones.
inline constexpr std::uint32_t connection_count_max = 32'768;
inline constexpr std::uint32_t connections_kept_max = 256;
inline constexpr std::uint32_t exchanges_kept_max = 1024;
inline constexpr std::size_t exchanges_kept_bytes_max = 4 * arena_kept_bytes_max;

// Bodies: above the first size they take from a core's budget; from the second on they are received
// in place, a piece at a time, instead of being copied from the shared receive buffers. (Leaving
// multishot and coming back costs more than the copy of 150 KB; at 1 MB they are even.) Of a body
// at least the last number of bytes has to arrive within the request timeout.
inline constexpr std::size_t inline_body_bytes_max = 64 * 1024;
inline constexpr std::size_t in_place_body_bytes_min = 1024 * 1024;
inline constexpr std::size_t in_place_piece_bytes_max = 1024 * 1024;
inline constexpr std::uint64_t core_body_bytes_max = 1ULL << 30;
inline constexpr std::uint64_t body_progress_bytes_min = 1024;

// Bodies are packed and unpacked in pieces of this size, a turn each; smaller answers stay as they
// are.
inline constexpr std::size_t coding_piece_bytes = 64 * 1024;
inline constexpr std::size_t coded_answer_bytes_min = 1024;

// Points of an upsert are read in pieces of about this size, a turn each: some 100 us.
inline constexpr std::size_t decode_piece_bytes = 64 * 1024;

// After a refused request its rest is read and dropped, so that the peer gets the answer: at most
// this.
inline constexpr std::uint64_t linger_bytes_max = 64ULL << 20;

// Files of the web interface, held in memory.
inline constexpr std::uint64_t static_files_bytes_max = 256ULL << 20;

// What a connection or an exchange keeps of a buffer that one large request has grown.
inline constexpr std::size_t connection_buffer_kept_bytes_max = 256 * 1024;

// Points applied in one exclusive section, and the values of their vectors (8 ns each to code); and
// payloads looked at in one shared section (0.2 us each).
inline constexpr std::size_t apply_group_points = 64;
inline constexpr std::size_t apply_group_values = 16'384;
inline constexpr std::uint32_t filter_step_points = 256;

// A slice of a scan: about 200 us of products of codes, or of memory traffic; and the queries that
// walk the rows together: their values have to stay in the first cache (64 of them took 1.6 times
// as long at 128-d, 2.3 times at 384-d).
inline constexpr std::uint64_t scan_slice_products = 10'000'000;
inline constexpr std::uint64_t scan_slice_bytes = 4 << 20;
inline constexpr std::uint32_t scan_slice_rows_min = 256;
inline constexpr std::uint32_t scan_group_queries = 8;
inline constexpr std::uint32_t scan_candidates_min = 256;
// Collections whose codes take less are scanned, if nobody asks for something else.
inline constexpr std::uint64_t scan_code_bytes_max = 512 << 10;

// The tail of a graph is looked at by every search: bytes of codes that take 0.3 to 0.5 ms, and so
// many rows at least. Below 128 dimensions the rows themselves take it. Writes wait while it is
// full.
inline constexpr std::uint64_t tail_code_bytes_max = 8 << 20;
inline constexpr std::uint32_t tail_rows_min = 1024;
inline constexpr std::uint32_t tail_rows_max = tail_code_bytes_max / 128;
// Linking: what a slice does, about 200 us (an item is ef_construct times dim + 256 of it: 43 us at
// 128 dimensions and ef_construct 100, 71 us at 384); slices a core in a round, rows of before the
// graph that join in one step, and how long a full tail is waited for that does not get shorter.
inline constexpr std::uint64_t link_slice_work = 180'000;
inline constexpr std::uint64_t link_slice_items_max = 16;
inline constexpr std::uint32_t link_round_slices = 4;
inline constexpr std::uint32_t adopt_step_rows = 256;
inline constexpr std::int64_t link_patience_seconds = 10;
inline constexpr std::uint32_t link_rounds_in_vain_max = 1000;  // a millisecond each
// The time that a reported pace of linking is taken over, and the points that are searched by graph
// and by scan for a reported recall.
inline constexpr std::uint64_t link_pace_micros_max = 4'000'000;
inline constexpr std::uint64_t recall_sample_points = 32;

// Searches of a graph: queries of a slice at the default ef (about 200 us), and of shorter walks at
// the most, since a slice has fewer under way at its end; and how many candidates are ranked
// exactly beside those that are wanted: so many, and one for each so many. Where the request gives
// no ef, a walk keeps that many candidates and ends where the next is farther than the last one
// wanted by more than a share of it, in 65536ths: settings that gave recall .986 at 10 on a half of
// the queries to 25,000 texts in 384 dimensions, and .987 on the other half.
inline constexpr std::uint32_t graph_slice_queries = 8;
inline constexpr std::uint32_t graph_slice_queries_max = 16;
inline constexpr std::uint32_t rescored_more = 5;
inline constexpr std::uint32_t rescored_margin = 4;
inline constexpr std::uint32_t rescored_more_one_in = 10;
inline constexpr std::uint32_t search_ef_default = 200;
inline constexpr std::uint32_t search_stop_share_default = 8000;
// A walk whose candidates the codes did not tell apart is repeated with so many times as many; or
// everything is scanned, where that is at most so many rows a candidate: as many as a row has
// links.
inline constexpr std::uint32_t search_widening = 4;
inline constexpr std::uint32_t rows_walked_per_candidate = 32;

// Codes around a centre (Euclid, Manhattan): it is looked where the vectors of a column lie when it
// has taken so many since the last time, and as many as so large a share of those that it has: it
// has grown to four times as many, or others have taken their place. The values and rows of a
// sample, which is worked through in one turn: 16 of the longest vectors are a million values, 4 ms
// of a core. Rows lie far from zero where their mean square is so many times that around
// their mean. Another centre must make it so many times less; or so many where a column has more
// rows than are linked in a few seconds.
inline constexpr std::uint64_t centre_new_min = 256;
inline constexpr double centre_new_share = 0.75;
inline constexpr std::uint64_t centre_sample_values = 128 * 1024;
inline constexpr std::uint64_t centre_sample_rows_min = 16;
inline constexpr std::uint64_t centre_sample_rows_max = 256;
inline constexpr double centre_far_min = 2;
inline constexpr double centre_gain_min = 1.1;
inline constexpr double centre_gain_min_long = 8;
inline constexpr std::uint64_t centre_long_rows = 64 * 1024;
// No value of a centre is above this: the largest float and the next one would be 2^104 apart, so
// the difference of a float and such a value is never rounded to infinity.
inline constexpr float centre_value_max = 0x1p100F;

// Slots of one slice where rows are compared one by one.
inline constexpr std::uint32_t variable_slice_rows = 1024;
inline constexpr std::uint32_t variable_slice_rows_min = 32;
// And so many are looked up, or read, before these are compared.
inline constexpr std::uint32_t variable_round_rows = 16 * variable_slice_rows;
// Scores in one answer of a distance matrix.
inline constexpr std::uint64_t matrix_cells_max = 1 << 24;
// Candidates of one slice where diverse answers are chosen.
inline constexpr std::uint32_t mmr_slice_candidates = 256;
// Up to so many allowed points are ranked one by one, without the device.
inline constexpr std::uint64_t direct_scan_points_max = 20;

// How often a search begins again whose candidates went away while it ran.
inline constexpr std::uint32_t search_attempts_max = 4;

// How often a turn looks again at what is to be done at its end: a log write answers requests,
// whose connections then send.
inline constexpr std::uint32_t end_of_turn_rounds_max = 4;
// Collections whose requests each core counts apart.
inline constexpr std::size_t counted_collections_max = 1000;
// Printed answers of GET /collections/{name} that each core keeps.
inline constexpr std::size_t info_cache_entries_max = 64;

// Hits that a search for groups starts with at most; it goes on from there.
inline constexpr std::uint64_t group_hits_max = 1'000'000;

// How long slices for idle turns wait for one.
inline constexpr std::int64_t idle_slice_gap_us = 2000;

// A core's thread and the others of the machine: how long it asks to run at a time while slices
// keep it busy, and how often it lets others run between two of them; the time over which it is
// judged whether they do.
inline constexpr std::uint64_t sliced_run_us = 100;
inline constexpr std::int64_t give_way_gap_us = 250;
inline constexpr std::int64_t slice_load_window_us = 10'000;

// Ranges of memory that wait to be touched before a core does; what finds no place is left to it.
inline constexpr std::size_t wanted_pages_max = 64;

// Long scans that are open to all cores at the same time.
inline constexpr std::uint32_t slice_jobs_max = 64;

// A payload path. No step past the depth of a document can select anything.
inline constexpr std::size_t payload_path_bytes_max = 64 * 1024;
inline constexpr std::size_t payload_path_steps_max = 4 * json_depth_max;

// Conditions of one filter, and bytes of a text that one matches: they cost at every point that is
// looked at. Then the bitmaps that one plan takes for conditions with an index, all together.
inline constexpr std::size_t filter_conditions_max = 65'536;
inline constexpr std::size_t match_text_bytes_max = 64 * 1024;
inline constexpr std::uint64_t filter_bitmap_bytes_max = 64ULL << 20;

// Bitmaps of filters that each core keeps for each collection, and the longest description of a
// filter that is worth it.
inline constexpr std::size_t selection_cache_bytes_max = 8 << 20;
inline constexpr std::size_t filter_key_bytes_max = 4096;

// Changed points that a plan in construction can look at again; past it the plan starts over, and
// after so many starts it takes the whole of what is left in one step.
inline constexpr std::uint32_t filter_change_window = 4096;
inline constexpr std::uint32_t filter_plan_starts_max = 8;

// Slots that came free, of which so many are looked at for a new point, in either of two queues.
inline constexpr std::uint32_t slot_looks_max = 4;
// Slots beyond the most points that there have been: one for each so many of these, and so many
// more. A point that would need another one waits until a graph has given back what has died.
inline constexpr std::uint64_t slot_spare_one_in = 48;
inline constexpr std::uint64_t slot_spare_min = 1024;
// A repair is worth its pass over the graph where one in so many has died.
inline constexpr std::uint64_t repair_one_in = 64;

// A slot is 32 bits wide; the last value means "none".
inline constexpr std::uint32_t slot_count_max = 0xffff'fffe;

static_assert(arena_block_bytes_min <= arena_kept_bytes_max);
static_assert(arena_kept_bytes_max + 3 * connection_buffer_kept_bytes_max <=
              exchanges_kept_bytes_max);
static_assert(receive_buffer_count <= 32768 &&
              (receive_buffer_count & (receive_buffer_count - 1)) == 0);
static_assert(send_piece_bytes_max <= connection_output_bytes_max);
static_assert((mailbox_capacity & (mailbox_capacity - 1)) == 0, "ring indices are masked");

}  // namespace vexfs
