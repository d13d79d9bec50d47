// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/vexbench/dataset.h"
#include "bench/vexbench/request_source.h"
#include "bench/vexbench/scenario.h"
#include "bench/vexbench/target.h"

namespace vexfs::bench {

/// Writes the API's requests as REST. The only place that knows its paths and bodies: another
/// encoding would be another class of this form, with a channel that speaks its framing.
class rest_encoder {
 public:
  rest_encoder(const target& server, std::string collection, const dataset& data);

  /// The vectors are multiplied by the factor.
  [[nodiscard]] std::string upsert(std::span<const std::uint32_t> rows, bool wait,
                                   float factor = 1) const;
  [[nodiscard]] std::string remove(std::span<const std::uint32_t> rows, bool wait) const;
  /// `count` queries from `first` on, around the end; a batch request where more than one.
  [[nodiscard]] std::string search(const search_spec& how, const row_filter* filter,
                                   std::uint32_t first, std::uint32_t count) const;

 private:
  [[nodiscard]] std::string whole(std::string_view method, std::string_view path,
                                  std::string_view body) const;
  const target& server_;
  std::string path_;
  const dataset& data_;
};

/// One number of a vector, the shortest text that reads back as the same float32.
void append_float(std::string& out, float value);

/// The ids that answer each query of a search's answer, best first.
[[nodiscard]] outcome<std::vector<std::vector<std::uint64_t>>> read_search_answer(
    std::string_view body, bool is_batch);

}  // namespace vexfs::bench
