// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vexfs::bench {

/// The API's metrics. Here always as "smaller is nearer", so that one ranking serves all.
enum class metric : std::uint8_t { cosine, dot, euclid, manhattan };

/// By the API's name, in any case.
[[nodiscard]] std::optional<metric> metric_named(std::string_view name);
[[nodiscard]] std::string_view name_of(metric which);

/// In float32, in vector registers where the processor has them: what a scan ranks by.
[[nodiscard]] float fast_distance(metric which, std::span<const float> a, std::span<const float> b);
/// In float64: what decides between neighbours that float32 cannot tell apart.
[[nodiscard]] double exact_distance(metric which, std::span<const float> a,
                                    std::span<const float> b);

/// Two exact distances that differ by less count as a tie: a float32 server cannot tell them.
[[nodiscard]] double tie_width(double distance);

}  // namespace vexfs::bench
