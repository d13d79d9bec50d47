// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/file_bytes.h"
#include "bench/vexbench/locality.h"
#include "bench/vexbench/matrix.h"
#include "bench/vexbench/scenario.h"
#include "bench/vexbench/truth.h"

namespace vexfs::bench {

/// A filter as it is sent, and which rows pass it: the same for all queries, or for each query
/// those in a stretch of the order of places.
class row_filter {
 public:
  struct stretch {
    std::uint32_t begin;
    std::uint32_t end;
  };
  row_filter(std::string json, std::vector<bool> passing);
  row_filter(const std::string& field, const locality& places, std::vector<stretch> by_query);

  [[nodiscard]] const std::string& json(std::uint32_t query) const {
    return json_[json_.size() == 1 ? 0 : query];
  }
  [[nodiscard]] bool passes(std::uint32_t query, std::uint32_t row) const {
    if (!places_) return passing_[row];
    const std::uint32_t place = places_->place_of(row);
    return place >= by_query_[query].begin && place < by_query_[query].end;
  }
  /// Of the rows, for each query.
  [[nodiscard]] std::uint32_t pass_count() const { return pass_count_; }

 private:
  std::vector<std::string> json_;
  std::vector<bool> passing_;
  const locality* places_ = nullptr;
  std::vector<stretch> by_query_;
  std::uint32_t pass_count_ = 0;
};

/// What a scenario works on: the points, which are rows numbered from 0 (their ids), the queries,
/// and what is nearest to what.
class dataset {
 public:
  [[nodiscard]] static outcome<std::unique_ptr<dataset>> load(const data_spec& from,
                                                              std::uint64_t seed,
                                                              std::uint32_t threads,
                                                              const std::string& cache_folder);

  [[nodiscard]] const matrix& base() const { return base_; }
  [[nodiscard]] const matrix& queries() const { return queries_; }
  [[nodiscard]] const exact_search& search() const { return *search_; }
  [[nodiscard]] std::uint32_t dim() const { return base_.columns; }
  [[nodiscard]] bool has_payload() const {
    return !lines_.empty() || payload_bytes_ > 0 || has_fields_;
  }
  /// A JSON object: the file's line, the made text and the filter fields together.
  void append_payload(std::uint32_t row, std::string& out) const;
  [[nodiscard]] outcome<row_filter> compile(const filter_spec& filter) const;
  /// Made when it is asked for first.
  [[nodiscard]] const locality& order();
  /// At least `count` neighbours of every query among all points, or the data set's own truth.
  [[nodiscard]] outcome<const index_matrix*> neighbours(std::uint32_t count);
  /// One line: what it is, where from, its hash.
  [[nodiscard]] const std::string& description() const { return description_; }
  [[nodiscard]] const std::string& truth_source() const { return truth_source_; }

 private:
  dataset() = default;
  [[nodiscard]] outcome<void> load_payload(const std::string& file);
  void make_filter_fields();
  [[nodiscard]] row_filter compile_stretches(filter_place where, std::uint32_t count) const;

  data_spec spec_;
  std::uint64_t seed_ = 0;
  std::uint32_t threads_ = 1;
  std::string cache_folder_;
  matrix base_;
  matrix queries_;
  std::unique_ptr<exact_search> search_;
  std::unique_ptr<file_bytes> payload_file_;
  std::vector<std::string_view> lines_;
  std::uint32_t payload_bytes_ = 0;
  bool has_fields_ = false;
  std::vector<std::uint32_t> uniform_;  // by row: its place in a random order
  std::unique_ptr<locality> order_;     // `correlated` is the place in it
  index_matrix truth_;
  std::string truth_source_;
  std::string description_;
};

}  // namespace vexfs::bench
