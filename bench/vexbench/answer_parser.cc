// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/answer_parser.h"

#include <algorithm>
#include <charconv>

#include <strings.h>

namespace vexfs::bench {
namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";

bool is_name(std::string_view given, std::string_view wanted) {
  return given.size() == wanted.size() &&
         ::strncasecmp(given.data(), wanted.data(), wanted.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

}  // namespace

void answer_parser::start(bool keep_body) {
  stage_ = stage::head;
  keep_body_ = keep_body;
  closes_ = false;
  is_too_long_ = false;
  status_ = 0;
  left_ = 0;
  body_bytes_ = 0;
  stash_.clear();
  body_.clear();
}

// Called with a whole head, its blank line included. Few headers matter, so a line is looked at
// only where its first letter can be one of theirs.
bool answer_parser::read_head(std::string_view head) {
  if (!head.starts_with("HTTP/1.") || head.size() < 13) return false;
  const auto [end, bad] = std::from_chars(head.data() + 9, head.data() + 12, status_);
  if (bad != std::errc{} || end != head.data() + 12 || status_ < 100) return false;
  closes_ = head[7] == '0';
  bool has_length = false;
  bool is_chunked = false;
  for (std::size_t at = head.find('\n') + 1; at < head.size();) {
    const std::size_t line_end = head.find('\n', at);
    const std::string_view line = head.substr(at, line_end - at);
    at = line_end + 1;
    if (line.empty()) break;
    const int first = line.front() | 0x20;
    if (first != 'c' && first != 't') continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (is_name(name, "content-length")) {
      const auto [stop, wrong] = std::from_chars(value.begin(), value.end(), left_);
      if (wrong != std::errc{} || stop != value.end()) return false;
      has_length = true;
    } else if (is_name(name, "transfer-encoding")) {
      is_chunked = is_name(value, "chunked");
    } else if (is_name(name, "connection")) {
      closes_ = is_name(value, "close");
    }
  }
  const bool has_no_body = status_ < 200 || status_ == 204 || status_ == 304;
  if (has_no_body) {
    left_ = 0;
    stage_ = stage::body;
  } else if (is_chunked) {
    stage_ = stage::chunk_size;
  } else if (has_length) {
    stage_ = stage::body;
  } else {
    stage_ = stage::to_the_end;
    closes_ = true;
  }
  return true;
}

// False: more than may be kept.
bool answer_parser::take(std::string_view bytes) {
  body_bytes_ += bytes.size();
  is_too_long_ = keep_body_ && body_bytes_ > kept_body_bytes_max;
  if (is_too_long_) return false;
  if (keep_body_)
    body_.append(bytes);
  else if (!is_success() && body_.size() < error_body_bytes_max)
    body_.append(bytes.substr(0, error_body_bytes_max - body_.size()));
  return true;
}

bool answer_parser::read_line(std::string_view bytes, std::size_t& at) {
  const std::size_t end = bytes.find('\n', at);
  if (end == std::string_view::npos) {
    stash_.append(bytes.substr(at));
    at = bytes.size();
    return false;
  }
  stash_.append(bytes.substr(at, end - at));
  at = end + 1;
  return true;
}

answer_parser::outcome answer_parser::read_body(std::string_view bytes, std::size_t& used) {
  std::size_t at = used;
  for (;;) {
    switch (stage_) {
      case stage::body:
      case stage::chunk: {
        const std::size_t part = std::min<std::uint64_t>(left_, bytes.size() - at);
        if (!take(bytes.substr(at, part))) return outcome::bad;
        at += part;
        left_ -= part;
        if (left_ > 0) {
          used = at;
          return outcome::more;
        }
        if (stage_ == stage::body) {
          used = at;
          return outcome::complete;
        }
        stage_ = stage::chunk_end;
        break;
      }
      case stage::chunk_end:
      case stage::chunk_size:
      case stage::trailer: {
        if (!read_line(bytes, at)) {
          used = at;
          return stash_.size() > head_bytes_max ? outcome::bad : outcome::more;
        }
        const std::string_view line = trimmed(stash_);
        if (stage_ == stage::chunk_end) {
          if (!line.empty()) return outcome::bad;
          stage_ = stage::chunk_size;
        } else if (stage_ == stage::chunk_size) {
          const auto [end, wrong] = std::from_chars(line.begin(), line.end(), left_, 16);
          if (wrong != std::errc{} || (end != line.end() && *end != ';')) return outcome::bad;
          stage_ = left_ == 0 ? stage::trailer : stage::chunk;
        } else if (line.empty()) {
          stash_.clear();
          used = at;
          return outcome::complete;
        }
        stash_.clear();
        break;
      }
      case stage::to_the_end:
        if (!take(bytes.substr(at))) return outcome::bad;
        used = bytes.size();
        return outcome::more;
      case stage::head:
        return outcome::bad;
    }
  }
}

answer_parser::outcome answer_parser::feed(std::string_view bytes, std::size_t& used) {
  used = 0;
  while (stage_ == stage::head) {
    std::string_view head;
    if (stash_.empty()) {
      const std::size_t end = bytes.find(end_of_head, used);
      if (end != std::string_view::npos) {
        head = bytes.substr(used, end + end_of_head.size() - used);
        used = end + end_of_head.size();
      }
    } else {
      // The blank line may be cut anywhere: look again from where it could begin.
      const std::size_t kept = stash_.size();
      stash_.append(bytes.substr(used));
      const std::size_t from = kept < end_of_head.size() ? 0 : kept - (end_of_head.size() - 1);
      const std::size_t end = stash_.find(end_of_head, from);
      if (end != std::string::npos) {
        const std::size_t head_bytes = end + end_of_head.size();
        used += head_bytes - kept;
        stash_.resize(head_bytes);
        head = stash_;
      } else {
        used = bytes.size();
      }
    }
    if (head.empty()) {
      if (used < bytes.size()) {
        stash_.assign(bytes.substr(used));
        used = bytes.size();
      }
      return stash_.size() > head_bytes_max ? outcome::bad : outcome::more;
    }
    if (!read_head(head)) return outcome::bad;
    stash_.clear();
    // 100 Continue and its like precede the answer.
    if (status_ < 200) stage_ = stage::head;
  }
  return read_body(bytes, used);
}

bool answer_parser::finish() {
  return stage_ == stage::to_the_end;
}

}  // namespace vexfs::bench
