// SPDX-License-Identifier: Apache-2.0
#include "core/filter/field_index.h"

#include "core/filter/index_types.h"
#include "core/filter/text_analyzer.h"
#include "core/payload/payload.h"

namespace vexfs {
namespace {

template <class Take>
void each_element(std::string_view payload, std::span<const path_step> key, Take&& take) {
  const auto reach = [&](json_value value) {
    if (value.text.front() == '[') {
      json_cursor cursor(value.text);
      for (std::string_view element; cursor.next_element(element);) {
        if (element.front() != 'n') take(element);
      }
    } else if (value.text.front() != 'n') {
      take(value.text);
    }
    return true;
  };
  walk_payload(payload, key, reach);
}

}  // namespace

result<std::unique_ptr<field_index>> field_index::create(const payload_field_params& params) {
  switch (params.type) {
    case payload_type::keyword:
      return make_keyword_index();
    case payload_type::uuid:
      return make_uuid_index();
    case payload_type::boolean:
      return make_bool_index();
    case payload_type::float_number:
      return make_float_index();
    case payload_type::datetime:
      return make_datetime_index();
    case payload_type::geo:
      return make_geo_index();
    case payload_type::integer:
      if (!params.lookup.value_or(true) && !params.range.value_or(true)) {
        return fail(errc::bad_input,
                    "integer index parameters lookup and range must not both be false");
      }
      return make_integer_index(params);
    case payload_type::text: {
      VEXFS_TRY(auto analyzer, text_analyzer::create(params));
      return make_text_index(std::move(analyzer));
    }
  }
  return fail(errc::unsupported, "unknown payload index type");
}

void field_index::add(std::uint32_t slot, std::string_view payload,
                      std::span<const path_step> key) {
  bool held = false;
  each_element(payload, key, [&](std::string_view value) { held |= add_value(slot, value); });
  points_count_ += held ? 1 : 0;
}

void field_index::remove(std::uint32_t slot, std::string_view payload,
                         std::span<const path_step> key) {
  bool held = false;
  each_element(payload, key, [&](std::string_view value) { held |= remove_value(slot, value); });
  points_count_ -= held ? 1 : 0;
  forget(slot);
}

std::size_t field_index::order(bool, order_position&, std::span<order_entry>) const {
  return 0;
}

bool field_index::facet(std::span<const std::uint64_t>, std::uint32_t, facet_position&,
                        std::vector<facet_value>&) const {
  return true;
}

}  // namespace vexfs
