// SPDX-License-Identifier: Apache-2.0
#include "net/http/connection_set.h"

#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "net/http/buffers.h"

namespace vexfs::http {
connection_set::~connection_set() {
  VEXFS_ASSERT(open_ == nullptr);
  while (free_connections_)
    delete std::exchange(free_connections_, free_connections_->next);
}

void connection_set::open(int socket) {
  if (stopping_) {
    io::loop::current().transport().close(socket);
    count_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  connection& opened = take_connection();
  opened.previous = nullptr;
  opened.next = open_;
  if (open_) open_->previous = &opened;
  open_ = &opened;
  opened.open(socket);
}

connection& connection_set::take_connection() {
  if (!free_connections_) return *new connection(*this);
  --free_connection_count_;
  return *std::exchange(free_connections_, free_connections_->next);
}

void connection_set::give_connection(connection& gone) {
  io::loop& here = io::loop::current();
  here.cancel_timer(gone.timer_);
  if (gone.parsing_) give_exchange(*std::exchange(gone.parsing_, nullptr));
  here.transport().close(std::exchange(gone.socket_, -1));
  (gone.previous ? gone.previous->next : open_) = gone.next;
  if (gone.next) gone.next->previous = gone.previous;
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (free_connection_count_ < connections_kept_max) {
    shrink(gone.pending_, receive_buffer_bytes);
    shrink(gone.out_, receive_buffer_bytes);
    shrink(gone.sending_, receive_buffer_bytes);
    gone.next = free_connections_;
    free_connections_ = &gone;
    ++free_connection_count_;
  } else {
    delete &gone;
  }
  if (!open_ && emptied_.waiting) here.defer(emptied_);
}

void connection_set::give_exchange(exchange& used) {
  const std::uint64_t body_bytes = std::exchange(used.body_bytes_taken, 0);
  exchanges_.give(used);
  if (body_bytes != 0) give_body_bytes(body_bytes);
}

bool connection_set::take_body_bytes(std::uint64_t bytes) {
  // First come, first served; alone, a body of any allowed size has room.
  const bool fits = body_bytes_ == 0 || (body_bytes_ < limits_.body_budget_bytes &&
                                         bytes <= limits_.body_budget_bytes - body_bytes_);
  if (!fits || (waiting_first_ && !granting_)) return false;
  body_bytes_ += bytes;
  return true;
}

void connection_set::wait_for_body_bytes(connection& waiting) {
  waiting.next_waiting_ = nullptr;
  (waiting_last_ ? waiting_last_->next_waiting_ : waiting_first_) = &waiting;
  waiting_last_ = &waiting;
}

void connection_set::forget_waiting(connection& gone) {
  connection* before = nullptr;
  for (connection* at = waiting_first_; at != &gone; at = at->next_waiting_)
    before = at;
  (before ? before->next_waiting_ : waiting_first_) = gone.next_waiting_;
  if (waiting_last_ == &gone) waiting_last_ = before;
  grant_waiting();
}

void connection_set::give_body_bytes(std::uint64_t bytes) {
  VEXFS_DASSERT(bytes <= body_bytes_);
  body_bytes_ -= bytes;
  grant_waiting();
}

void connection_set::grant_waiting() {
  granting_ = true;
  while (waiting_first_) {
    connection& first = *waiting_first_;
    if (!take_body_bytes(first.parser_.body_bytes_wanted())) break;
    waiting_first_ = first.next_waiting_;
    if (!waiting_first_) waiting_last_ = nullptr;
    first.body_granted();
  }
  granting_ = false;
}

io::task<void> connection_set::stop() {
  stopping_ = true;
  for (connection* open = open_; open != nullptr; open = open->next)
    open->drain();
  struct until_empty {
    connection_set& set;
    bool await_ready() const { return set.open_ == nullptr; }
    void await_suspend(std::coroutine_handle<> caller) { set.emptied_.waiting = caller; }
    void await_resume() const { set.emptied_.waiting = nullptr; }
  };
  co_await until_empty{*this};
}

}  // namespace vexfs::http
