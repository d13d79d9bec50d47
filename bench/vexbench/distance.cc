// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/distance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <strings.h>

namespace vexfs::bench {
namespace {

// Sixteen sums in parallel, which the compiler keeps in registers of whatever width there is. The
// clones are chosen when the program starts.
constexpr std::size_t lanes = 16;

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__clang__)
#define VEXBENCH_CLONES [[gnu::target_clones("default", "avx2", "avx512f")]]
#else
#define VEXBENCH_CLONES
#endif

VEXBENCH_CLONES float sum_of_products(const float* a, const float* b, std::size_t count) {
  std::array<float, lanes> sums{};
  std::size_t at = 0;
  for (; at + lanes <= count; at += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane)
      sums[lane] += a[at + lane] * b[at + lane];
  float sum = 0;
  for (; at < count; ++at)
    sum += a[at] * b[at];
  for (const float each : sums)
    sum += each;
  return sum;
}

VEXBENCH_CLONES float sum_of_squares(const float* a, const float* b, std::size_t count) {
  std::array<float, lanes> sums{};
  std::size_t at = 0;
  for (; at + lanes <= count; at += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const float apart = a[at + lane] - b[at + lane];
      sums[lane] += apart * apart;
    }
  float sum = 0;
  for (; at < count; ++at)
    sum += (a[at] - b[at]) * (a[at] - b[at]);
  for (const float each : sums)
    sum += each;
  return sum;
}

VEXBENCH_CLONES float sum_of_steps(const float* a, const float* b, std::size_t count) {
  std::array<float, lanes> sums{};
  std::size_t at = 0;
  for (; at + lanes <= count; at += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane)
      sums[lane] += std::abs(a[at + lane] - b[at + lane]);
  float sum = 0;
  for (; at < count; ++at)
    sum += std::abs(a[at] - b[at]);
  for (const float each : sums)
    sum += each;
  return sum;
}

constexpr std::array<std::string_view, 4> names{"Cosine", "Dot", "Euclid", "Manhattan"};

}  // namespace

std::optional<metric> metric_named(std::string_view name) {
  for (std::size_t index = 0; index < names.size(); ++index)
    if (name.size() == names[index].size() &&
        ::strncasecmp(name.data(), names[index].data(), name.size()) == 0)
      return static_cast<metric>(index);
  return std::nullopt;
}

std::string_view name_of(metric which) {
  return names[static_cast<std::size_t>(which)];
}

// Cosine's rows are brought to unit length by the caller, so that it is a dot product here.
float fast_distance(metric which, std::span<const float> a, std::span<const float> b) {
  switch (which) {
    case metric::cosine:
    case metric::dot:
      return -sum_of_products(a.data(), b.data(), a.size());
    case metric::euclid:
      return sum_of_squares(a.data(), b.data(), a.size());
    case metric::manhattan:
      return sum_of_steps(a.data(), b.data(), a.size());
  }
  return 0;
}

double exact_distance(metric which, std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  double a_squares = 0;
  double b_squares = 0;
  for (std::size_t at = 0; at < a.size(); ++at) {
    const double left = a[at];
    const double right = b[at];
    switch (which) {
      case metric::cosine:
        a_squares += left * left;
        b_squares += right * right;
        [[fallthrough]];
      case metric::dot:
        sum -= left * right;
        break;
      case metric::euclid:
        sum += (left - right) * (left - right);
        break;
      case metric::manhattan:
        sum += std::abs(left - right);
        break;
    }
  }
  if (which != metric::cosine) return sum;
  // A vector of zeros is as far from all others as they are from it.
  const double lengths = std::sqrt(a_squares) * std::sqrt(b_squares);
  return lengths > 0 ? sum / lengths : 0;
}

double tie_width(double distance) {
  return 1e-6 * std::max(1.0, std::abs(distance));
}

}  // namespace vexfs::bench
