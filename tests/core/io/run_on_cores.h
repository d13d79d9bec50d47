// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include <gtest/gtest.h>

#include "core/io/loop.h"

namespace vexfs::io {

/// Runs a coroutine on core 0 of a group of `core_count` cores and stops them when it ends.
inline void run_on_cores(std::uint32_t core_count, const std::function<task<void>()>& body,
                         transport_kind kind = transport_kind::uring) {
  auto group = loop_group::create(core_count, kind);
  ASSERT_TRUE(group) << group.error().text;
  struct scenario {
    const std::function<task<void>()>& body;
    detached go() const {
      auto running = body();
      co_await running;
      loop::current().group().stop();
    }
  } context{body};
  const auto outcome = (*group)->run(
      [](loop& core, void* given) -> result<void> {
        if (core.core_index() == 0) static_cast<scenario*>(given)->go();
        return {};
      },
      &context);
  EXPECT_TRUE(outcome) << outcome.error().text;
}

}  // namespace vexfs::io
