// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vexfs::http {

/// Content codings, in the order in which the contract prefers them.
enum class content_coding : std::uint8_t { br, zstd, gzip, deflate, identity };

/// As in content-encoding headers; empty for identity.
[[nodiscard]] std::string_view name_of(content_coding coding);

/// The coding of a body; nothing where it is one that we do not know, or several.
[[nodiscard]] std::optional<content_coding> coding_of(std::string_view content_encoding);

/// What to answer a client with this accept-encoding in: the coding it values most, of equal ones
/// the first of the list above.
[[nodiscard]] content_coding negotiate(std::string_view accept_encoding);

/// One content of any of the codings but identity, piece by piece. Levels are the fast ones: this
/// runs on a core that has searches to do.
class packer {
 public:
  virtual ~packer() = default;
  /// Appends what is ready to `out`; `last` ends the content. False: the library is out of memory.
  [[nodiscard]] virtual bool pack(std::string_view piece, bool last, std::string& out) = 0;
};
[[nodiscard]] std::unique_ptr<packer> make_packer(content_coding coding);

class unpacker {
 public:
  virtual ~unpacker() = default;
  enum class outcome : std::uint8_t {
    more,      // `piece` is used up, or out has grown by about coding_piece_bytes: call again
    complete,  // the content's end was seen
    broken,
  };
  /// Removes from `piece` what was used and appends to `out` at most coding_piece_bytes.
  [[nodiscard]] virtual outcome unpack(std::string_view& piece, std::string& out) = 0;
};
[[nodiscard]] std::unique_ptr<unpacker> make_unpacker(content_coding coding);

}  // namespace vexfs::http
