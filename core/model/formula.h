// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/model/filter.h"
#include "core/payload/path.h"

// A formula over the scores of prefetches and over payload, as a request carries it: trivially
// destructible, all memory in the request's arena, already validated.
namespace vexfs {

struct expression {
  enum class form : std::uint8_t {
    constant,      // number; a datetime's is its seconds since 1970
    score,         // of prefetch `index`
    variable,      // the number at `path`
    truth,         // 1 where `if_true` holds, else 0
    geo_distance,  // metres from `origin` to the point at `path`
    datetime,      // seconds of the date at `path`
    mult,          // of all operands
    sum,
    neg,  // of the one operand, as the following are
    abs,
    sqrt,
    exp,
    log10,
    ln,
    div,        // left, right; `fallback` where right is 0
    pow,        // base, exponent
    lin_decay,  // of x and, where given, a target; `number` is its steepness
    exp_decay,
    gauss_decay,
  };
  form kind = form::constant;
  double number = 0;
  std::uint64_t index = 0;
  payload_path path;
  geo_point origin;
  const filter* if_true = nullptr;
  std::optional<double> fallback;
  std::span<const expression> operands;
};

/// What stands for a score, or for a payload value, that a point does not have.
struct formula_default {
  std::optional<std::uint64_t> score;  // of this prefetch; else of `path`
  payload_path path;
  std::string_view value;  // canonical JSON text
};

struct formula_query {
  const expression* root = nullptr;
  std::span<const formula_default> defaults;
};

}  // namespace vexfs
