// SPDX-License-Identifier: Apache-2.0
// A vector file and its graphs where one allocation fails, whichever it is: what asked for it says
// so, does it when it is asked again, and nothing is lost or leaked.
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <new>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ioctl/embedded/embedded_device.h"
#include "tests/kernel/engine/counted_memory.h"

// The scratch's.
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (vexfs::engine::memory.refuses()) return nullptr;
  return std::aligned_alloc(static_cast<std::size_t>(alignment), (bytes + 63) & ~std::size_t{63});
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}

namespace vexfs {
namespace {

using engine::memory;

constexpr std::uint32_t dim = 8;
constexpr std::uint32_t k = 5;
constexpr slot_index second_chunk = 4096;
constexpr std::uint32_t tail_max = 128;

std::vector<std::uint32_t> row_of(slot_index slot) {
  std::vector<std::uint32_t> bits(dim);
  for (std::uint32_t i = 0; i < dim; ++i)
    bits[i] = std::bit_cast<std::uint32_t>(static_cast<float>((slot * (i + 7)) % 101) - 50);
  return bits;
}

/// Tries until it succeeds. Only one allocation fails, so the second time is enough.
template <class Try>
void insist(Try&& once) {
  const auto first = once();
  if (first) return;
  EXPECT_EQ(first.error().code, errc::insufficient_storage) << first.error().text;
  EXPECT_GT(memory.asked, memory.refused_first) << "it failed, and no allocation did";
  const auto second = once();
  EXPECT_TRUE(second) << second.error().text;
}

class life {
 public:
  life() {
    const auto machine = make_embedded_device(simd_level::scalar);
    insist([&]() -> result<void> {
      auto made = machine->create({dim, distance::euclid});
      if (!made) return std::unexpected(made.error());
      file_ = std::move(*made);
      return {};
    });
  }

  void insert(slot_index first, slot_index last) {
    std::vector<slot_index> added(last - first);
    std::iota(added.begin(), added.end(), first);
    const std::vector<slot_generation> generations(added.size(), 0);
    std::vector<std::uint32_t> bits;
    for (const slot_index slot : added)
      std::ranges::copy(row_of(slot), std::back_inserter(bits));
    insist([&] { return file_->insert(added, generations, bits); });
    slots_.insert(slots_.end(), added.begin(), added.end());
  }

  void remove(slot_index first, slot_index last) {
    for (slot_index slot = first; slot < last; ++slot) {
      file_->remove({&slot, 1});
      std::erase(slots_, slot);
    }
  }

  void start_graph(std::uint32_t m) {
    insist([&] { return file_->start_graph({m, 16, tail_max}); });
  }

  /// Until the graph of this m is the one that is searched, and holds all. It may have been given
  /// up.
  void link_all(std::uint32_t m) {
    for (int round = 0;; ++round) {
      ASSERT_LT(round, 1000) << "linking does not end";
      const bool has_joined = file_->adopt(50, tail_max / 2);
      const auto next = file_->next_graph();
      if (!next && file_->graph()->config.m != m) start_graph(m);
      if (file_->link(50, link_order::usual) > 0 || !has_joined) continue;
      const auto state = file_->graph();
      if (state->config.m == m && state->tail_count == 0 && state->dead_count == 0) return;
    }
  }

  /// By graph and by scan.
  void expect_all_are_found() const {
    for (const slot_index slot : slots_) {
      const auto query = row_of(slot);
      expect_found(slot, [&](std::span<candidate> found, std::uint32_t& count) {
        search_command command;
        command.wanted = k;
        command.ef = 64;
        command.slot_limit = 2 * second_chunk;
        command.query_count = 1;
        command.query_bits = query;
        command.candidates = found;
        command.candidate_counts = {&count, 1};
        return file_->search(command);
      });
      std::uint8_t overflowed = 0;
      expect_found(slot, [&](std::span<candidate> found, std::uint32_t& count) {
        scan_command command;
        command.k = k;
        command.slot_last = 2 * second_chunk;
        command.query_count = 1;
        command.query_bits = query;
        command.candidate_capacity = static_cast<std::uint32_t>(found.size());
        command.candidates = found;
        command.candidate_counts = {&count, 1};
        command.overflowed = {&overflowed, 1};
        return file_->scan(command);
      });
      EXPECT_EQ(overflowed, 0);
    }
  }

 private:
  template <class Search>
  static void expect_found(slot_index slot, Search&& search) {
    std::vector<candidate> found(64);
    std::uint32_t count = 0;
    insist([&] { return search(std::span(found), count); });
    found.resize(count);
    EXPECT_TRUE(std::ranges::any_of(found, [&](const candidate& c) { return c.slot == slot; }))
        << "slot " << slot;
  }

  std::unique_ptr<vector_file> file_;
  std::vector<slot_index> slots_;
};

void live() {
  life one;
  one.insert(0, 100);
  one.start_graph(4);
  one.insert(100, 150);
  one.link_all(4);
  one.insert(second_chunk, second_chunk + 40);
  one.remove(20, 60);
  one.link_all(4);
  one.start_graph(8);
  one.insert(150, 180);
  one.insert(2 * second_chunk - 10, 2 * second_chunk);
  one.link_all(8);
  one.expect_all_are_found();
}

TEST(memory_test, what_needs_memory_that_is_not_there_says_so_and_works_when_it_is) {
  std::uint64_t failures = 0;
  for (std::uint64_t failing = 0;; ++failing, ++failures) {
    SCOPED_TRACE("allocation " + std::to_string(failing));
    memory.refused_first = failing;
    memory.refused_last = failing + 1;
    memory.asked = 0;
    // The scratch is a thread's.
    std::jthread(live).join();
    ASSERT_EQ(memory.held_bytes, 0U);
    if (testing::Test::HasFailure() || memory.asked <= failing) break;
  }
  EXPECT_GT(failures, 30U);
}

}  // namespace
}  // namespace vexfs
