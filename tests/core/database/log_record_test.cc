// SPDX-License-Identifier: Apache-2.0
#include "core/database/log_record.h"

#include <random>

#include <gtest/gtest.h>

namespace vexfs {
namespace {

std::vector<std::string> samples() {
  std::vector<std::string> encoded;
  const auto add = [&](const update_operation& operation) {
    encode_update(operation, encoded.emplace_back());
  };
  arena memory;
  const point_id ids[] = {point_id::from_number(7),
                          *point_id::from_uuid("00000000-0000-0000-0000-0000000000ff")};
  const float values[] = {1, -2.5F, 3};
  const std::uint32_t indices[] = {4, 9, 70000};
  named_vector vectors[2];
  vectors[0].value.values = values;
  vectors[1].name = "sparse";
  vectors[1].value = {vector_kind::sparse, 1, values, indices};
  const point_struct points[] = {{ids[0], vectors, R"({"a":1})"}, {ids[1], {}, ""}};
  const point_vectors moved[] = {{ids[1], vectors}};
  const std::string_view names[] = {"", "sparse"};
  const payload_path paths[] = {*parse_payload_path("a.b[]", memory),
                                *parse_payload_path("c", memory)};
  add(upsert_points{points, nullptr, update_mode::upsert});
  add(delete_points{{ids, nullptr}});
  add(update_vectors{moved, nullptr});
  add(delete_vectors{{ids, nullptr}, names});
  add(set_payload{{ids, nullptr}, R"({"x":null})", paths[0]});
  add(overwrite_payload{{ids, nullptr}, R"({"x":[1,2]})"});
  add(delete_payload{{ids, nullptr}, paths});
  add(clear_payload{{ids, nullptr}});
  payload_field_schema schema;
  schema.params.type = payload_type::text;
  schema.params.min_token_len = 2;
  schema.given_as_object = true;
  add(create_field_index{paths[0], &schema});
  add(delete_field_index{paths[1]});
  vector_params dense;
  dense.size = 12;
  dense.metric = distance::manhattan;
  dense.quantization = turbo_quantization{turbo_quantization::width::bits2, std::nullopt, {}};
  sparse_vector_params sparse;
  sparse.modifier = sparse_vector_params::weighting::idf;
  add(create_vector_name{"dense", &dense, nullptr});
  add(create_vector_name{"sparse", nullptr, &sparse});
  add(delete_vector_name{"dense"});
  return encoded;
}

TEST(log_record_test, every_operation_encodes_to_the_same_bytes_after_decoding) {
  const auto encoded = samples();
  EXPECT_EQ(encoded.size(), std::variant_size_v<update_operation> + 1);
  for (const std::string& bytes : encoded) {
    arena memory;
    decoded_settings settings;
    const auto decoded = decode_update(bytes, settings, memory);
    ASSERT_TRUE(decoded);
    std::string again;
    encode_update(*decoded, again);
    EXPECT_EQ(again, bytes);
  }
}

TEST(log_record_test, cut_and_changed_bytes_give_an_error_or_an_operation_and_never_a_crash) {
  std::mt19937_64 random(31);
  for (const std::string& bytes : samples()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      arena memory;
      decoded_settings settings;
      EXPECT_FALSE(decode_update(std::string_view(bytes).substr(0, size), settings, memory));
    }
    for (int round = 0; round < 500; ++round) {
      std::string changed = bytes;
      for (std::uint64_t flips = random() % 3 + 1; flips > 0; --flips)
        changed[random() % changed.size()] = static_cast<char>(random());
      arena memory;
      decoded_settings settings;
      if (const auto decoded = decode_update(changed, settings, memory)) {
        std::string again;
        encode_update(*decoded, again);
        EXPECT_FALSE(again.empty());
      }
    }
  }
}

}  // namespace
}  // namespace vexfs
