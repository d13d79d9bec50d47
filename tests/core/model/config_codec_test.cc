// SPDX-License-Identifier: Apache-2.0
#include "core/model/config_codec.h"

#include <concepts>
#include <random>

#include <gtest/gtest.h>

#include "core/model/describe.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

/// Draws settings of every kind: each optional member is set half of the time.
class settings_maker {
 public:
  explicit settings_maker(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  template <class T>
  void fill(std::optional<T>& value) {
    if (below(2) == 0) fill(value.emplace());
  }
  template <class T>
  void fill(std::map<std::string, T>& values) {
    for (std::uint64_t left = below(3); left > 0; --left)
      fill(values[word()]);
  }
  void fill(std::vector<std::string>& words) {
    for (std::uint64_t left = below(3); left > 0; --left)
      words.push_back(word());
  }
  void fill(quantization_config& value) {
    switch (below(4)) {
      case 0:
        return fill(value.emplace<scalar_quantization>());
      case 1:
        return fill(value.emplace<product_quantization>());
      case 2:
        return fill(value.emplace<binary_quantization>());
      default:
        return fill(value.emplace<turbo_quantization>());
    }
  }
  void fill(stopwords_config& value) {
    fill(value.language);
    fill(value.languages);
    fill(value.custom);
  }
  void fill(stemmer_config& value) { fill(value.snowball_language); }
  void fill(thread_setting& value) { fill(value.count); }
  void fill(multivector_config&) {}
  void fill(std::string& value) { value = word(); }
  template <class T>
  void fill(T& value) {
    if constexpr (std::is_enum_v<T>)
      value = static_cast<T>(below(enum_words<T>::list.size()));
    else if constexpr (std::same_as<T, bool>)
      value = below(2) == 0;
    else if constexpr (std::floating_point<T>)
      value = static_cast<T>(below(1000)) / 7;
    else if constexpr (std::integral<T>)
      value = random_() >> below(64);
    else
      describe(value, [&](std::string_view, auto& member) { fill(member); });
  }

  collection_config config() {
    collection_config made;
    fill(made.vectors.single);
    fill(made.vectors.params);
    fill(made.sparse_vectors);
    fill(made.shard_number);
    fill(made.sharding);
    fill(made.replication_factor);
    fill(made.write_consistency_factor);
    fill(made.read_fan_out_factor);
    fill(made.read_fan_out_delay_ms);
    fill(made.on_disk_payload);
    fill(made.payload);
    fill(made.hnsw_config);
    fill(made.wal_config);
    fill(made.optimizers_config);
    fill(made.quantization);
    fill(made.strict_mode);
    fill(made.metadata);
    return made;
  }
  payload_field_schema schema() {
    payload_field_schema made;
    fill(made.params);
    fill(made.given_as_object);
    return made;
  }

 private:
  std::string word() {
    static constexpr std::string_view words[] = {"", "a", "caf\xc3\xa9", R"({"x":[1.50]})",
                                                 "image"};
    return std::string(words[below(std::size(words))]);
  }

  std::mt19937_64 random_;
};

const std::uint64_t seed = run_seed();

std::string bytes_of(const collection_config& config) {
  std::string bytes;
  byte_writer out(bytes);
  encode_config(config, out);
  return bytes;
}

TEST(config_codec, gives_back_every_setting) {
  settings_maker maker(seed);
  for (int i = 0; i < 500; ++i) {
    const collection_config config = maker.config();
    const std::string bytes = bytes_of(config);
    byte_reader in(bytes);
    EXPECT_EQ(decode_config(in), config) << "seed " << seed << " config " << i;
    EXPECT_FALSE(in.failed());
    EXPECT_TRUE(in.at_end());

    const payload_field_schema schema = maker.schema();
    std::string schema_bytes;
    byte_writer out(schema_bytes);
    encode_schema(schema, out);
    byte_reader schema_in(schema_bytes);
    EXPECT_EQ(decode_schema(schema_in), schema) << "seed " << seed << " schema " << i;
    EXPECT_TRUE(schema_in.at_end());
  }
}

TEST(config_codec, notices_every_cut) {
  settings_maker maker(seed);
  for (int i = 0; i < 5; ++i) {
    const std::string bytes = bytes_of(maker.config());
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      const std::vector<char> own(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
      byte_reader in({own.data(), own.size()});
      (void)decode_config(in);
      EXPECT_TRUE(in.failed()) << cut;
    }
  }
}

TEST(config_codec, survives_any_damage) {
  settings_maker maker(seed);
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes =
        bytes_of(settings_maker(seed + static_cast<std::uint64_t>(i % 50)).config());
    for (std::uint64_t left = 1 + maker.below(3); left > 0; --left)
      bytes[maker.below(bytes.size())] = static_cast<char>(maker.below(256));
    byte_reader in(bytes);
    const collection_config config = decode_config(in);
    refused += in.failed();
    // What is taken is a settings object like any other.
    byte_reader again(bytes);
    EXPECT_EQ(bytes_of(decode_config(again)), bytes_of(config));
  }
  EXPECT_GT(refused, 100U);
}

TEST(config_codec, skips_members_of_a_later_version) {
  std::string bytes;
  byte_writer out(bytes);
  out.count(3);
  for (const std::string_view name : {"size", "colour", "on_disk"}) {
    out.text(name);
    std::string value;
    byte_writer inner(value);
    if (name == "size") inner.number(std::uint64_t{7});
    if (name == "colour") inner.text("green");
    if (name == "on_disk") {
      inner.number(std::uint8_t{1});
      inner.number(std::uint8_t{1});
    }
    out.text(value);
  }
  byte_reader in(bytes);
  const vector_params params = decode_vector_params(in);
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(params.size, 7U);
  EXPECT_EQ(params.on_disk, true);
}

}  // namespace
}  // namespace vexfs
