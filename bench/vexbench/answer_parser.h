// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vexfs::bench {

/// Cuts the answers of one HTTP/1.1 connection out of its bytes. Of a body it keeps nothing unless
/// told to, or unless the status is an error: then the beginning, for the message.
class answer_parser {
 public:
  enum class outcome : std::uint8_t {
    more,      // all bytes used, the answer goes on
    complete,  // one answer ended; what follows belongs to the next
    bad,       // fault() says why
  };

  static constexpr std::size_t head_bytes_max = 64 * 1024;
  static constexpr std::size_t error_body_bytes_max = 2048;
  static constexpr std::size_t kept_body_bytes_max = 256 << 20;

  /// Before the first byte of each answer: whether its body is wanted.
  void start(bool keep_body);
  /// `used` is how many bytes belong to this answer.
  [[nodiscard]] outcome feed(std::string_view bytes, std::size_t& used);
  /// The peer has closed. True if that is how this answer ends, false if it is cut off.
  [[nodiscard]] bool finish();

  [[nodiscard]] std::string_view fault() const {
    return is_too_long_ ? "the body of an answer is too long to be kept"
                        : "what answers does not speak HTTP/1.1";
  }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] bool is_success() const { return status_ >= 200 && status_ < 300; }
  [[nodiscard]] bool closes() const { return closes_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  enum class stage : std::uint8_t { head, body, chunk_size, chunk, chunk_end, trailer, to_the_end };

  [[nodiscard]] bool read_head(std::string_view head);
  [[nodiscard]] outcome read_body(std::string_view bytes, std::size_t& used);
  [[nodiscard]] bool take(std::string_view bytes);
  // Moves to the end of a line from `at`; its text (without the end) is in stash_.
  [[nodiscard]] bool read_line(std::string_view bytes, std::size_t& at);

  stage stage_ = stage::head;
  bool keep_body_ = false;
  bool closes_ = false;
  bool is_too_long_ = false;
  int status_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::string stash_;  // the beginning of a head or line whose end has not arrived
  std::string body_;
};

}  // namespace vexfs::bench
