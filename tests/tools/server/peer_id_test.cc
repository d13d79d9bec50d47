// SPDX-License-Identifier: Apache-2.0
#include "tools/server/peer_id.h"

#include <set>
#include <span>

#include <gtest/gtest.h>

#include "core/io/simulated_storage.h"

namespace vexfs {
namespace {

TEST(peer_id_test, is_drawn_once_and_kept_through_a_power_cut) {
  io::simulated_storage disk(1);
  const auto first = load_peer_id(disk);
  ASSERT_TRUE(first);
  EXPECT_GT(*first, 0U);
  EXPECT_LE(*first, peer_id_max);
  disk.crash(7);
  EXPECT_EQ(*load_peer_id(disk), *first);
}

TEST(peer_id_test, two_storages_have_two_ids) {
  std::set<std::uint64_t> drawn;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    io::simulated_storage disk(seed);
    drawn.insert(*load_peer_id(disk));
  }
  EXPECT_EQ(drawn.size(), 20U);
}

TEST(peer_id_test, a_file_without_a_peer_id_is_an_error) {
  for (const std::string_view content : {"", "0\n", "12", "12 \n", "x\n", "9007199254740992\n"}) {
    io::simulated_storage disk(1);
    ASSERT_TRUE(io::replace_file(disk, "peer_id", std::as_bytes(std::span(content))));
    EXPECT_FALSE(load_peer_id(disk)) << content;
  }
}

}  // namespace
}  // namespace vexfs
