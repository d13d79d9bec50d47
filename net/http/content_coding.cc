// SPDX-License-Identifier: Apache-2.0
#include "net/http/content_coding.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <span>

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "core/base/limits.h"

namespace vexfs::http {
namespace {

constexpr std::array<std::string_view, 5> names{"br", "zstd", "gzip", "deflate", ""};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

/// "0", "1", "0.5", "0.125": in thousandths; nothing where it is none of these.
std::optional<int> quality_of(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int value = (text[0] - '0') * 1000;
  if (text.size() == 1) return value;
  if (text[1] != '.' || text.size() > 5) return std::nullopt;
  int weight = 100;
  for (const char digit : text.substr(2)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value += (digit - '0') * weight;
    weight /= 10;
  }
  return std::min(value, 1000);
}

std::uint8_t* bytes_of(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}
const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// Lets a library write at the end of `out`: write(first byte, room) gives the bytes written.
template <class Write>
void append_with(std::string& out, std::size_t room, Write&& write) {
  const std::size_t size = out.size();
  out.resize(size + room);
  out.resize(size + write(bytes_of(out) + size, room));
}

// gzip is zlib's format 16 higher; "deflate" in HTTP is the zlib format.
constexpr int zlib_window_bits(content_coding coding) {
  return coding == content_coding::gzip ? 15 + 16 : 15;
}

class zlib_packer final : public packer {
 public:
  explicit zlib_packer(content_coding coding) {
    good_ = deflateInit2(&stream_, 1, Z_DEFLATED, zlib_window_bits(coding), 8,
                         Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~zlib_packer() override { deflateEnd(&stream_); }
  bool pack(std::string_view piece, bool last, std::string& out) override {
    if (!good_) return false;
    stream_.next_in = const_cast<Bytef*>(bytes_of(piece));
    stream_.avail_in = static_cast<uInt>(piece.size());
    int status = Z_OK;
    do {
      append_with(out, piece.size() / 2 + 256, [&](std::uint8_t* first, std::size_t room) {
        stream_.next_out = first;
        stream_.avail_out = static_cast<uInt>(room);
        status = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
        return room - stream_.avail_out;
      });
    } while (status == Z_OK && (stream_.avail_in != 0 || stream_.avail_out == 0 || last));
    return status == Z_STREAM_END || status == Z_OK || status == Z_BUF_ERROR;
  }

 private:
  z_stream stream_{};
  bool good_ = false;
};

class zstd_packer final : public packer {
 public:
  zstd_packer() : context_(ZSTD_createCCtx()) {
    if (context_) ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, 1);
  }
  ~zstd_packer() override { ZSTD_freeCCtx(context_); }
  bool pack(std::string_view piece, bool last, std::string& out) override {
    if (!context_) return false;
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    std::size_t left = 0;
    do {
      append_with(out, piece.size() / 2 + 256, [&](std::uint8_t* first, std::size_t room) {
        ZSTD_outBuffer target{first, room, 0};
        left = ZSTD_compressStream2(context_, &target, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        return target.pos;
      });
      if (ZSTD_isError(left)) return false;
    } while (last ? left != 0 : in.pos != in.size);
    return true;
  }

 private:
  ZSTD_CCtx* context_;
};

class brotli_packer final : public packer {
 public:
  brotli_packer() : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) return;
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, 1);
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, 18);
  }
  ~brotli_packer() override {
    if (state_) BrotliEncoderDestroyInstance(state_);
  }
  bool pack(std::string_view piece, bool last, std::string& out) override {
    if (!state_) return false;
    const std::uint8_t* next_in = bytes_of(piece);
    std::size_t left_in = piece.size();
    do {
      bool good = false;
      append_with(out, piece.size() / 2 + 256, [&](std::uint8_t* first, std::size_t room) {
        std::size_t left_out = room;
        good = BrotliEncoderCompressStream(
            state_, last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS, &left_in, &next_in,
            &left_out, &first, nullptr);
        return room - left_out;
      });
      if (!good) return false;
    } while (left_in != 0 || BrotliEncoderHasMoreOutput(state_) ||
             (last && !BrotliEncoderIsFinished(state_)));
    return true;
  }

 private:
  BrotliEncoderState* state_;
};

class zlib_unpacker final : public unpacker {
 public:
  explicit zlib_unpacker(content_coding coding) {
    good_ = inflateInit2(&stream_, zlib_window_bits(coding)) == Z_OK;
  }
  ~zlib_unpacker() override { inflateEnd(&stream_); }
  outcome unpack(std::string_view& piece, std::string& out) override {
    if (!good_) return outcome::broken;
    // The library counts in 32 bits, a body may be larger.
    const std::string_view given = piece.substr(0, std::numeric_limits<uInt>::max());
    stream_.next_in = const_cast<Bytef*>(bytes_of(given));
    stream_.avail_in = static_cast<uInt>(given.size());
    int status = Z_OK;
    append_with(out, coding_piece_bytes, [&](std::uint8_t* first, std::size_t room) {
      stream_.next_out = first;
      stream_.avail_out = static_cast<uInt>(room);
      status = inflate(&stream_, Z_NO_FLUSH);
      return room - stream_.avail_out;
    });
    piece.remove_prefix(given.size() - stream_.avail_in);
    if (status == Z_STREAM_END) return outcome::complete;
    return status == Z_OK || status == Z_BUF_ERROR ? outcome::more : outcome::broken;
  }

 private:
  z_stream stream_{};
  bool good_ = false;
};

class zstd_unpacker final : public unpacker {
 public:
  zstd_unpacker() : context_(ZSTD_createDCtx()) {
    // A window of 128 MiB, announced by a few bytes, would be allocated at once.
    if (context_) ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, 25);
  }
  ~zstd_unpacker() override { ZSTD_freeDCtx(context_); }
  outcome unpack(std::string_view& piece, std::string& out) override {
    if (!context_) return outcome::broken;
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    std::size_t status = 0;
    append_with(out, coding_piece_bytes, [&](std::uint8_t* first, std::size_t room) {
      ZSTD_outBuffer target{first, room, 0};
      status = ZSTD_decompressStream(context_, &target, &in);
      return target.pos;
    });
    piece.remove_prefix(in.pos);
    if (ZSTD_isError(status)) return outcome::broken;
    return status == 0 ? outcome::complete : outcome::more;
  }

 private:
  ZSTD_DCtx* context_;
};

class brotli_unpacker final : public unpacker {
 public:
  brotli_unpacker() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {}
  ~brotli_unpacker() override {
    if (state_) BrotliDecoderDestroyInstance(state_);
  }
  outcome unpack(std::string_view& piece, std::string& out) override {
    if (!state_) return outcome::broken;
    const std::uint8_t* next_in = bytes_of(piece);
    std::size_t left_in = piece.size();
    BrotliDecoderResult status = BROTLI_DECODER_RESULT_ERROR;
    append_with(out, coding_piece_bytes, [&](std::uint8_t* first, std::size_t room) {
      std::size_t left_out = room;
      status =
          BrotliDecoderDecompressStream(state_, &left_in, &next_in, &left_out, &first, nullptr);
      return room - left_out;
    });
    piece.remove_prefix(piece.size() - left_in);
    if (status == BROTLI_DECODER_RESULT_SUCCESS) return outcome::complete;
    return status == BROTLI_DECODER_RESULT_ERROR ? outcome::broken : outcome::more;
  }

 private:
  BrotliDecoderState* state_;
};

}  // namespace

std::string_view name_of(content_coding coding) {
  return names[static_cast<std::size_t>(coding)];
}

std::optional<content_coding> coding_of(std::string_view content_encoding) {
  const std::string_view text = trimmed(content_encoding);
  if (text.empty() || equals_ignoring_case(text, "identity")) return content_coding::identity;
  if (equals_ignoring_case(text, "x-gzip")) return content_coding::gzip;
  for (std::size_t i = 0; i + 1 < names.size(); ++i)
    if (equals_ignoring_case(text, names[i])) return static_cast<content_coding>(i);
  return std::nullopt;
}

content_coding negotiate(std::string_view accept_encoding) {
  // Not named: -1. "*" stands for every one that is not.
  std::array<int, names.size()> quality;
  quality.fill(-1);
  int others = -1;
  while (!accept_encoding.empty()) {
    const auto comma = accept_encoding.find(',');
    std::string_view part = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(comma == std::string_view::npos ? accept_encoding.size()
                                                                  : comma + 1);
    int value = 1000;
    if (const auto semicolon = part.find(';'); semicolon != std::string_view::npos) {
      const std::string_view parameter = trimmed(part.substr(semicolon + 1));
      part = part.substr(0, semicolon);
      if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
      const auto given = quality_of(trimmed(parameter.substr(2)));
      if (!given) continue;
      value = *given;
    }
    part = trimmed(part);
    if (part == "*") {
      others = value;
    } else if (const auto known = part.empty() ? std::nullopt : coding_of(part)) {
      quality[static_cast<std::size_t>(*known)] = value;
    }
  }
  content_coding best = content_coding::identity;
  // Unnamed, identity is acceptable but valued less than anything that is named.
  int best_quality = std::max(0, quality[static_cast<std::size_t>(content_coding::identity)]);
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    const int value = quality[i] >= 0 ? quality[i] : others;
    const bool wins = best == content_coding::identity ? value > 0 && value >= best_quality
                                                       : value > best_quality;
    if (!wins) continue;
    best = static_cast<content_coding>(i);
    best_quality = value;
  }
  return best;
}

std::unique_ptr<packer> make_packer(content_coding coding) {
  switch (coding) {
    case content_coding::br:
      return std::make_unique<brotli_packer>();
    case content_coding::zstd:
      return std::make_unique<zstd_packer>();
    case content_coding::gzip:
    case content_coding::deflate:
      return std::make_unique<zlib_packer>(coding);
    case content_coding::identity:
      return nullptr;
  }
  return nullptr;
}

std::unique_ptr<unpacker> make_unpacker(content_coding coding) {
  switch (coding) {
    case content_coding::br:
      return std::make_unique<brotli_unpacker>();
    case content_coding::zstd:
      return std::make_unique<zstd_unpacker>();
    case content_coding::gzip:
    case content_coding::deflate:
      return std::make_unique<zlib_unpacker>(coding);
    case content_coding::identity:
      return nullptr;
  }
  return nullptr;
}

}  // namespace vexfs::http
