// SPDX-License-Identifier: Apache-2.0
#include "bench/engine/data_set.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "core/database/rescore.h"

namespace vexfs::bench {
namespace {

struct float_file {
  std::uint32_t count = 0;
  std::uint32_t dim = 0;
  floats values;
};

[[noreturn]] void give_up(const std::string& path, const char* what) {
  std::fprintf(stderr, "engine_bench: %s: %s\n", path.c_str(), what);
  std::exit(2);
}

float_file read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  float_file read;
  std::uint32_t head[2] = {0, 0};
  if (!file.read(reinterpret_cast<char*>(head), sizeof head)) give_up(path, "cannot be read");
  read.count = head[0];
  read.dim = head[1];
  if (read.count == 0 || read.dim == 0 || read.dim > 65536) give_up(path, "has no vectors");
  read.values.resize(std::size_t{read.count} * read.dim);
  const auto bytes = static_cast<std::streamsize>(read.values.size() * sizeof(float));
  if (!file.read(reinterpret_cast<char*>(read.values.data()), bytes)) give_up(path, "is too short");
  return read;
}

/// Exact, with the arithmetic that searches are judged by.
void find_truth(data_set& data) {
  data.truth.resize(std::size_t{data.query_count} * truth_depth);
  const similarity_fn similarity = similarity_for(data.metric, datatype::float32);
  const auto rank = [&](std::uint32_t first, std::uint32_t last) {
    std::vector<std::pair<float, std::uint32_t>> scored(data.row_count);
    for (std::uint32_t q = first; q < last; ++q) {
      for (std::uint32_t r = 0; r < data.row_count; ++r)
        scored[r] = {
            -similarity(data.query(q), reinterpret_cast<const std::byte*>(data.row(r)), data.dim),
            r};
      std::partial_sort(scored.begin(), scored.begin() + truth_depth, scored.end());
      for (std::uint32_t i = 0; i < truth_depth; ++i)
        data.truth[std::size_t{q} * truth_depth + i] = scored[i].second;
    }
  };
  std::thread other(rank, 0, data.query_count / 2);
  rank(data.query_count / 2, data.query_count);
  other.join();
}

void write_floats(const std::string& path, std::uint32_t count, std::uint32_t dim,
                  const floats& values) {
  std::ofstream file(path, std::ios::binary);
  const std::uint32_t head[2] = {count, dim};
  file.write(reinterpret_cast<const char*>(head), sizeof head);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
  if (!file.flush()) give_up(path, "cannot be written");
}

}  // namespace

data_set read_data_set(const std::string& base, const std::string& queries, distance metric) {
  float_file rows = read_floats(base);
  float_file asked = read_floats(queries);
  if (rows.dim != asked.dim) give_up(queries, "has another dimension than the base");
  if (rows.count < truth_depth) give_up(base, "has fewer vectors than are looked for");
  data_set data{base,
                metric,
                rows.dim,
                rows.count,
                asked.count,
                std::move(rows.values),
                std::move(asked.values),
                {},
                {}};
  find_truth(data);
  return data;
}

data_set make_clusters(std::uint32_t row_count, std::uint32_t query_count, std::uint32_t dim,
                       std::uint32_t cluster_count, distance metric, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(std::size_t{cluster_count} * dim);
  for (float& value : centres)
    value = normal(random);
  constexpr float spread = 0.5F;
  const auto draw = [&](floats& into, std::uint32_t count, std::vector<std::uint32_t>& clusters) {
    into.resize(std::size_t{count} * dim);
    for (std::uint32_t i = 0; i < count; ++i) {
      clusters.push_back(static_cast<std::uint32_t>(random() % cluster_count));
      const std::size_t centre = std::size_t{clusters.back()} * dim;
      for (std::uint32_t d = 0; d < dim; ++d)
        into[std::size_t{i} * dim + d] = centres[centre + d] + spread * normal(random);
    }
  };
  data_set data;
  data.name = "clusters " + std::to_string(row_count) + " x " + std::to_string(dim);
  data.metric = metric;
  data.dim = dim;
  data.row_count = row_count;
  data.query_count = query_count;
  std::vector<std::uint32_t> of_queries;
  draw(data.rows, row_count, data.clusters);
  draw(data.queries, query_count, of_queries);
  find_truth(data);
  return data;
}

void write_data_set(const data_set& data, const std::string& folder) {
  write_floats(folder + "/base.fbin", data.row_count, data.dim, data.rows);
  write_floats(folder + "/queries.fbin", data.query_count, data.dim, data.queries);
}

}  // namespace vexfs::bench
