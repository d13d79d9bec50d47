// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/filter/field_index.h"

namespace vexfs {

[[nodiscard]] std::unique_ptr<field_index> make_integer_index(const payload_field_params& params);
[[nodiscard]] std::unique_ptr<field_index> make_float_index();
[[nodiscard]] std::unique_ptr<field_index> make_datetime_index();
[[nodiscard]] std::unique_ptr<field_index> make_geo_index();
[[nodiscard]] std::unique_ptr<field_index> make_bool_index();
[[nodiscard]] std::unique_ptr<field_index> make_keyword_index();
[[nodiscard]] std::unique_ptr<field_index> make_uuid_index();
[[nodiscard]] std::unique_ptr<field_index> make_text_index(
    std::unique_ptr<const text_analyzer> analyzer);

}  // namespace vexfs
