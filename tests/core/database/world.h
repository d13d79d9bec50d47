// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/database/database.h"
#include "core/io/simulated_cores.h"
#include "core/io/simulated_storage.h"
#include "ioctl/embedded/embedded_device.h"

namespace vexfs {

/// A database on a simulated disk and simulated cores. Starting again is a new world on the disk.
class world {
 public:
  world(io::storage& disk, std::uint32_t core_count, std::uint64_t seed,
        std::unique_ptr<device> machine = make_embedded_device())
      : cores_(core_count, seed), core_count_(core_count), device_(std::move(machine)) {
    auto opened = database::open(disk, *device_, {}, core_count);
    if (!opened) {
      failure = opened.error().text;
      return;
    }
    data_ = std::move(*opened);
    for (std::uint32_t core = 0; core < core_count; ++core) {
      result<void> recovered;
      EXPECT_TRUE(cores_.run(core, [&]() -> io::task<void> {
        auto recovering = data_->recover();
        recovered = co_await recovering;
      }));
      if (!recovered) failure = recovered.error().text;
    }
  }

  /// Runs body(database) on a core until it ends.
  template <class Body>
  void run(std::uint32_t core, Body body) {
    EXPECT_TRUE(cores_.run(core % core_count_, [&]() -> io::task<void> {
      auto running = body(*data_);
      co_await running;
    }));
  }

  /// Ends what goes on in the background. Logs may have failed before.
  void close() {
    run(0, [this](database& data) -> io::task<void> {
      for (std::uint32_t core = 0; core < core_count_; ++core) [[maybe_unused]]
        const auto closed = co_await io::call_on(core, [&] { return data.close(); });
    });
  }

  std::string failure;  // of the start

 private:
  io::simulated_cores cores_;
  const std::uint32_t core_count_;
  std::unique_ptr<device> device_;
  std::unique_ptr<database> data_;
};

/// Ends what goes on in the background, where no log has failed.
inline io::task<void> close(database& data, std::uint32_t core_count) {
  for (std::uint32_t core = 0; core < core_count; ++core)
    EXPECT_TRUE(co_await io::call_on(core, [&] { return data.close(); }));
}

/// Points to upsert, with the memory behind them.
struct upsert_builder {
  std::vector<point_struct> points;
  std::vector<std::unique_ptr<std::vector<float>>> values;
  std::vector<std::unique_ptr<named_vector>> vectors;
  std::vector<std::unique_ptr<std::string>> payloads;

  void add(std::uint64_t id, std::vector<float> vector, std::string payload = "") {
    values.push_back(std::make_unique<std::vector<float>>(std::move(vector)));
    vectors.push_back(std::make_unique<named_vector>());
    vectors.back()->value.values = *values.back();
    payloads.push_back(std::make_unique<std::string>(std::move(payload)));
    points.push_back({point_id::from_number(id), {vectors.back().get(), 1}, *payloads.back()});
  }
  [[nodiscard]] update_operation operation() const {
    return upsert_points{points, nullptr, update_mode::upsert};
  }
};

inline collection_config dense_config(std::uint64_t size, distance metric) {
  collection_config config;
  config.vectors.single = true;
  config.vectors.params[""].size = size;
  config.vectors.params[""].metric = metric;
  return config;
}

}  // namespace vexfs
