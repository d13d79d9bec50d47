// SPDX-License-Identifier: Apache-2.0
// The output half of a connection: answers in the order of their requests, one send at a time.
#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "net/http/connection.h"
#include "net/http/connection_set.h"
#include "net/http/content_coding.h"

namespace vexfs::http {
namespace {

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

/// Content that is compressed already gains nothing.
bool is_packable(std::string_view content_type) {
  return content_type.starts_with("application/json") || content_type.starts_with("text/") ||
         content_type.starts_with("application/javascript") ||
         content_type.starts_with("application/openmetrics-text") ||
         content_type.starts_with("image/svg");
}

content_coding answer_coding(const exchange& call) {
  const response& answer = call.answer;
  const std::string_view accepted = call.in.value_of(header::accept_encoding);
  if (accepted.empty() || answer.content().size() < coded_answer_bytes_min ||
      call.in.verb == method::head || !is_packable(answer.content_type) ||
      answer.extra_headers.find("content-encoding:") != std::string::npos)
    return content_coding::identity;
  return negotiate(accepted);
}

}  // namespace

void exchange::finish() {
  owner->finished(*this);
}

bool connection::output_full() const {
  return out_.size() >= set_.limits_.output_bytes_max;
}

void connection::finished(exchange& call) {
  VEXFS_DASSERT(!call.ready);
  set_.behind_.answered(call);
  if (set_.limits_.compress && !closing_ && answer_coding(call) != content_coding::identity) {
    pack_answer(call);
    return;
  }
  call.ready = true;
  queue_flush();
}

// The exchange stays in flight, and with it the connection, until the answer is packed.
io::detached connection::pack_answer(exchange& call) {
  const content_coding coding = answer_coding(call);
  const std::unique_ptr<packer> packing = make_packer(coding);
  std::string_view rest = call.answer.content();
  const std::size_t plain_size = rest.size();
  bool good = true;
  while (good && !rest.empty()) {
    const std::string_view piece = rest.substr(0, coding_piece_bytes);
    rest.remove_prefix(piece.size());
    good = packing->pack(piece, rest.empty(), call.packed);
    if (good && !rest.empty()) co_await io::loop::current().yield();
  }
  if (good && call.packed.size() < plain_size) {
    std::swap(call.answer.body, call.packed);
    call.answer.ready_body = {};
    call.answer.extra_headers.append("content-encoding: ")
        .append(name_of(coding))
        .append("\r\nvary: accept-encoding\r\n");
  }
  call.ready = true;
  queue_flush();
}

void connection::queue_flush() {
  if (flush_queued_) return;
  flush_queued_ = true;
  io::loop::current().at_end_of_turn(flush_work_);
}

void connection::take_answers() {
  while (head_ && head_->ready && (closing_ || !output_full())) {
    exchange& done = *head_;
    head_ = done.next;
    if (!head_) tail_ = nullptr;
    --in_flight_;
    if (!closing_ && !last_answer_taken_) {
      const bool last = !done.in.keep_alive || done.answer.close || (no_more_requests_ && !head_);
      append_response(out_, done.answer, done.in.verb == method::head,
                      last                  ? persistence::close
                      : done.in.is_http_1_0 ? persistence::keep_said
                                            : persistence::keep);
      last_answer_taken_ = last;
      no_more_requests_ = no_more_requests_ || last;
    }
    set_.give_exchange(done);
  }
}

void connection::flush() {
  take_answers();
  if (continue_wanted_ && in_flight_ == 0 && !closing_) {
    continue_wanted_ = false;
    out_.append(continue_line);
  }
  if (!send_in_flight_ && !out_.empty() && !closing_) {
    std::swap(out_, sending_);
    sent_ = 0;
    send_piece();
  }
  if (reading_paused_ && !awaiting_budget_ && !closing_ && !output_full() &&
      in_flight_ <= set_.limits_.exchanges_max / 2)
    resume_reading();
  settle();
}

// In pieces: the send timeout is then one for a piece, and a peer that reads slowly but does read
// is not cut in the middle of a large answer.
void connection::send_piece() {
  const std::string_view rest = std::string_view(sending_).substr(sent_);
  const std::string_view piece = rest.substr(0, send_piece_bytes_max);
  send_in_flight_ = true;
  waiting_ = wait::none;
  io::loop::current().transport().send(
      socket_, std::as_bytes(std::span<const char>(piece.data(), piece.size())), send_);
}

void connection::sent(int result) {
  send_in_flight_ = false;
  if (result < 0) {
    close();
    settle();
    return;
  }
  sent_ += static_cast<std::size_t>(result);
  if (sent_ < sending_.size() && !closing_) {
    send_piece();
    settle();
    return;
  }
  if (sending_.capacity() > connection_buffer_kept_bytes_max)
    std::string().swap(sending_);
  else
    sending_.clear();
  flush();
}

}  // namespace vexfs::http
