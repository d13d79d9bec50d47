// SPDX-License-Identifier: Apache-2.0
#include "core/database/rescore.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <immintrin.h>

#include "core/database/half.h"

namespace vexfs {
namespace {

struct float32_row {
  static float at(const std::byte* row, std::uint32_t i) {
    float value = 0;
    std::memcpy(&value, row + i * sizeof(value), sizeof(value));
    return value;
  }
};
struct float16_row {
  static float at(const std::byte* row, std::uint32_t i) {
    std::uint16_t half = 0;
    std::memcpy(&half, row + i * sizeof(half), sizeof(half));
    return half_to_float(half);
  }
};
struct uint8_row {
  static float at(const std::byte* row, std::uint32_t i) {
    return static_cast<float>(std::to_integer<std::uint8_t>(row[i]));
  }
};

template <class Row>
float dot(const float* query, const std::byte* row, std::uint32_t dim) {
  float sum = 0;
  for (std::uint32_t i = 0; i < dim; ++i)
    sum += query[i] * Row::at(row, i);
  return sum;
}

template <class Row>
float minus_squared_euclid(const float* query, const std::byte* row, std::uint32_t dim) {
  float sum = 0;
  for (std::uint32_t i = 0; i < dim; ++i) {
    const float difference = query[i] - Row::at(row, i);
    sum += difference * difference;
  }
  return -sum;
}

template <class Row>
float minus_manhattan(const float* query, const std::byte* row, std::uint32_t dim) {
  float sum = 0;
  for (std::uint32_t i = 0; i < dim; ++i)
    sum += std::abs(query[i] - Row::at(row, i));
  return -sum;
}

float cosine_of_bytes(const float* query, const std::byte* row, std::uint32_t dim) {
  float product = 0;
  float query_squared = 0;
  float row_squared = 0;
  for (std::uint32_t i = 0; i < dim; ++i) {
    const float value = uint8_row::at(row, i);
    product += query[i] * value;
    query_squared += query[i] * query[i];
    row_squared += value * value;
  }
  const float lengths = std::sqrt(query_squared) * std::sqrt(row_squared);
  return lengths == 0 ? 0.0F : product / lengths;
}

template <class Row>
similarity_fn plain(distance metric) {
  switch (metric) {
    case distance::cosine:
    case distance::dot:
      return dot<Row>;
    case distance::euclid:
      return minus_squared_euclid<Row>;
    case distance::manhattan:
      return minus_manhattan<Row>;
  }
  return dot<Row>;
}

// AVX2 and FMA, float32 rows: two sums cover the latency of vfmadd (4 cycles, two a cycle); the
// loads are the limit.
namespace haswell {
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

inline float sum_lanes(__m256 sums) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  half = _mm_add_ss(half, _mm_movehdup_ps(half));
  return _mm_cvtss_f32(half);
}

struct product {
  static __m256 add(__m256 sum, __m256 query, __m256 row) {
    return _mm256_fmadd_ps(query, row, sum);
  }
  static float add(float sum, float query, float row) { return sum + query * row; }
  static constexpr float sign = 1;
};
struct square {
  static __m256 add(__m256 sum, __m256 query, __m256 row) {
    const __m256 difference = _mm256_sub_ps(query, row);
    return _mm256_fmadd_ps(difference, difference, sum);
  }
  static float add(float sum, float query, float row) {
    return sum + (query - row) * (query - row);
  }
  static constexpr float sign = -1;
};
struct magnitude {
  static __m256 add(__m256 sum, __m256 query, __m256 row) {
    const __m256 no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fff'ffff));
    return _mm256_add_ps(sum, _mm256_and_ps(no_sign, _mm256_sub_ps(query, row)));
  }
  static float add(float sum, float query, float row) { return sum + std::abs(query - row); }
  static constexpr float sign = -1;
};

template <class Term>
float reduce(const float* query, const std::byte* row_bytes, std::uint32_t dim) {
  const auto* row = reinterpret_cast<const float*>(row_bytes);
  __m256 first = _mm256_setzero_ps();
  __m256 second = _mm256_setzero_ps();
  std::uint32_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    first = Term::add(first, _mm256_loadu_ps(query + i), _mm256_loadu_ps(row + i));
    second = Term::add(second, _mm256_loadu_ps(query + i + 8), _mm256_loadu_ps(row + i + 8));
  }
  if (i + 8 <= dim) {
    first = Term::add(first, _mm256_loadu_ps(query + i), _mm256_loadu_ps(row + i));
    i += 8;
  }
  float sum = sum_lanes(_mm256_add_ps(first, second));
  for (; i < dim; ++i)
    sum = Term::add(sum, query[i], row[i]);
  return sum * Term::sign;
}

similarity_fn fast(distance metric) {
  switch (metric) {
    case distance::cosine:
    case distance::dot:
      return reduce<product>;
    case distance::euclid:
      return reduce<square>;
    case distance::manhattan:
      return reduce<magnitude>;
  }
  return reduce<product>;
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
}  // namespace haswell

bool use_avx2() {
  static const bool use = [] {
    const char* wanted = std::getenv("VEXFS_SIMD");
    if (wanted && std::string_view(wanted) == "scalar") return false;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }();
  return use;
}

}  // namespace

similarity_fn similarity_for(distance metric, datatype type) {
  switch (type) {
    case datatype::float16:
      return plain<float16_row>(metric);
    case datatype::uint8:
      return metric == distance::cosine ? cosine_of_bytes : plain<uint8_row>(metric);
    case datatype::float32:
    case datatype::turbo4:
      return use_avx2() ? haswell::fast(metric) : plain<float32_row>(metric);
  }
  return plain<float32_row>(metric);
}

float score_of(distance metric, float similarity) {
  switch (metric) {
    case distance::cosine:
    case distance::dot:
      return similarity;
    case distance::euclid:
      return std::sqrt(-similarity);
    case distance::manhattan:
      return -similarity;
  }
  return similarity;
}

}  // namespace vexfs
