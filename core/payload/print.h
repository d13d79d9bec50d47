// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// JSON as the contract prints it. Each function appends to `out`.
namespace vexfs {

/// With the quotes. \" \\ \b \f \n \r \t, \u00xx for other control characters, the rest as it is.
void append_json_string(std::string& out, std::string_view text);

void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
/// The shortest digits that read back as the same number; whole numbers end in ".0", large and
/// small ones have an exponent (from 1e16 and below 1e-5; floats from 1e13 and below 1e-6).
/// NaN and infinities are null.
void append_json_number(std::string& out, double number);
void append_json_number(std::string& out, float number);

}  // namespace vexfs
