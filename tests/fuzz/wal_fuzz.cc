// SPDX-License-Identifier: Apache-2.0
// The log. The first byte says what the rest is: a segment as it stands; a list of records that are
// written and then damaged; or one record's operation.
#include <algorithm>
#include <string>
#include <vector>

#include "core/database/log_record.h"
#include "core/database/wal.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace vexfs;
using fuzzing::fuzz_input;
using fuzzing::require;
using fuzzing::require_same;

struct record {
  std::uint64_t collection;
  std::uint64_t sequence;
  std::string bytes;
  bool operator==(const record&) const = default;
};

std::vector<record> records_of(std::string_view segment, segment_content* content = nullptr) {
  std::vector<record> found;
  std::size_t bytes = 0;
  const segment_content read = read_segment(segment, [&](const logged& one) {
    bytes += one.bytes.size();
    found.push_back({one.collection, one.sequence, std::string(one.bytes)});
  });
  require(bytes <= segment.size(), "more was read than there is");
  require(read.whole_bytes <= segment.size(), "the whole part is longer than the segment");
  if (content) *content = read;
  return found;
}

/// An operation that decodes is the same after it was written and read once more, and reading it
/// never takes memory out of proportion.
void check_operation(std::string_view bytes) {
  arena memory;
  decoded_settings settings;
  const auto decoded = decode_update(bytes, settings, memory);
  require(memory.used_bytes() <= 64 * bytes.size() + 4096, "decoding takes too much memory");
  if (!decoded) return;
  std::string once, twice;
  encode_update(*decoded, once);
  arena other;
  decoded_settings other_settings;
  const auto again = decode_update(once, other_settings, other);
  require(again.has_value(), "what was encoded does not decode");
  encode_update(*again, twice);
  require_same(twice, once, "an operation changes when it is written again");
}

void check_segment(std::string_view segment) {
  const auto found = records_of(segment);
  std::string written;
  for (const record& one : found) {
    append_record(written, written.size(), {one.collection, one.sequence, one.bytes});
    check_operation(one.bytes);
  }
  segment_content content;
  require(records_of(written, &content) == found, "records change when they are written again");
  require(!content.torn && !content.damaged && content.whole_bytes == written.size(),
          "a segment that was just written is not whole");
}

/// Records of given sizes, then flipped bytes, an end that is cut off or zeros put in its place.
void check_damage(fuzz_input input) {
  std::vector<record> written;
  std::string segment;
  for (std::size_t count = input.byte() % 12; count > 0; --count) {
    record one{1U + input.byte() % 3, written.size() + 1, {}};
    // Long ones cross the borders of blocks.
    const std::size_t size = input.half() >> (input.byte() % 12);
    one.bytes.assign(size, static_cast<char>('a' + count));
    append_record(segment, segment.size(), {one.collection, one.sequence, one.bytes});
    written.push_back(std::move(one));
  }
  if (segment.empty()) return;
  const std::uint8_t kind = input.byte();
  if (kind % 2 == 1) {
    const std::size_t end = input.half() * (segment.size() + 1) / 0x10000;
    if (kind % 4 == 1) segment.resize(end);
    std::fill(segment.begin() + static_cast<std::ptrdiff_t>(std::min(end, segment.size())),
              segment.end(), '\0');
    const auto kept = records_of(segment);
    require(kept.size() <= written.size() && std::equal(kept.begin(), kept.end(), written.begin()),
            "a log that was cut is no prefix of itself");
    return;
  }
  while (!input.empty()) {
    const std::size_t at = (std::size_t{input.half()} << 8 | input.byte()) % segment.size();
    segment[at] = static_cast<char>(segment[at] ^ input.byte());
  }
  // What is left is in order, and nothing else: every flip is seen.
  segment_content content;
  auto expected = written.begin();
  for (const record& one : records_of(segment, &content)) {
    expected = std::find(expected, written.end(), one);
    require(expected != written.end(), "a damaged log gives a record that was never written");
    ++expected;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzz_input input(bytes, count);
  switch (input.byte() % 3) {
    case 0:
      check_segment(input.rest());
      break;
    case 1:
      check_damage(input);
      break;
    default:
      check_operation(input.rest());
  }
  return 0;
}
