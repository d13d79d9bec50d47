// SPDX-License-Identifier: Apache-2.0
#include "core/database/wal.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/crc32c.h"
#include "core/base/limits.h"

namespace vexfs {
namespace {

// A record is cut into fragments so that none crosses a block border; a reader that meets damage
// goes on at the next block. Fragment: crc (4, of everything behind it), length (2), kind (1).
constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t fragment_head_bytes = 7;
enum class fragment : std::uint8_t { whole = 1, first = 2, middle = 3, last = 4 };

// In front of a record's bytes: collection number and sequence.
constexpr std::size_t record_head_bytes = 16;

// A record of this collection is a mark: its sequence is the segment's size that a sync has
// covered. It tells a flipped bit, which must be reported, from bytes that a power cut may have
// lost.
constexpr std::uint64_t mark_collection = 0;

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

void append_fragment(std::string& out, fragment kind, std::string_view head,
                     std::string_view rest) {
  const auto length = static_cast<std::uint16_t>(head.size() + rest.size());
  const std::size_t start = out.size();
  out.resize(start + 4);
  out.append(reinterpret_cast<const char*>(&length), sizeof(length));
  out.push_back(static_cast<char>(kind));
  out.append(head);
  out.append(rest);
  const std::uint32_t crc = crc32c(bytes_of(std::string_view(out).substr(start + 4)));
  std::memcpy(out.data() + start, &crc, sizeof(crc));
}

/// The highest mark in bytes of which it is not known where records begin.
std::uint64_t find_mark(std::string_view bytes) {
  constexpr std::size_t mark_bytes = fragment_head_bytes + record_head_bytes;
  std::string head("\x10\0\x01", 3);  // length, kind
  head.append(8, '\0');               // the collection
  std::uint64_t highest = 0;
  for (std::size_t at = 4; (at = bytes.find(head, at)) != std::string_view::npos; ++at) {
    const std::string_view found = bytes.substr(at - 4);
    if (found.size() < mark_bytes) break;
    std::uint32_t crc = 0;
    std::uint64_t size_bytes = 0;
    std::memcpy(&crc, found.data(), 4);
    std::memcpy(&size_bytes, found.data() + mark_bytes - 8, 8);
    if (crc32c(bytes_of(found.substr(4, mark_bytes - 4))) == crc)
      highest = std::max(highest, size_bytes);
  }
  return highest;
}

std::string segment_name(std::uint32_t core_index, std::uint64_t number) {
  std::string digits = std::to_string(number);
  return "wal/" + std::to_string(core_index) + "-" + std::string(20 - digits.size(), '0') + digits +
         ".log";
}

}  // namespace

void append_record(std::string& out, std::uint64_t offset, const logged& record) {
  char head_bytes[record_head_bytes];
  std::memcpy(head_bytes, &record.collection, 8);
  std::memcpy(head_bytes + 8, &record.sequence, 8);
  std::string_view head(head_bytes, record_head_bytes);
  std::string_view rest = record.bytes;
  const std::size_t origin = out.size();
  bool is_first = true;
  do {
    const std::size_t in_block = (offset + (out.size() - origin)) % block_bytes;
    const std::size_t room = block_bytes - in_block;
    if (room < fragment_head_bytes + record_head_bytes) {
      out.append(room, '\0');
      continue;
    }
    const std::size_t part = std::min(rest.size(), room - fragment_head_bytes - head.size());
    const bool is_last = part == rest.size();
    const fragment kind = is_first ? (is_last ? fragment::whole : fragment::first)
                                   : (is_last ? fragment::last : fragment::middle);
    append_fragment(out, kind, head, rest.substr(0, part));
    head = {};
    rest.remove_prefix(part);
    if (is_last) return;
    is_first = false;
  } while (true);
}

segment_content read_segment(std::string_view bytes,
                             const std::function<void(const logged&)>& visit) {
  segment_content content;
  std::string assembled;
  bool assembling = false;
  bool broken = false;  // since the last valid record there was something that is none
  bool ended = false;   // there was room for a record, and zeros
  bool whole = true;    // neither, so far
  const auto deliver = [&](std::string_view record, std::uint64_t end) {
    if (record.size() < record_head_bytes) {
      broken = true;
      return;
    }
    whole = whole && !broken && !ended;
    if (whole) content.whole_bytes = end;
    logged found;
    std::memcpy(&found.collection, record.data(), 8);
    std::memcpy(&found.sequence, record.data() + 8, 8);
    found.bytes = record.substr(record_head_bytes);
    content.damaged = content.damaged || broken || ended;
    broken = false;
    ended = false;
    if (found.collection == mark_collection)
      content.synced_bytes = std::max(content.synced_bytes, found.sequence);
    else
      visit(found);
  };
  // What is left of a block is lost, but for what it tells of syncs.
  const auto skip = [&](std::string_view rest) {
    content.synced_bytes = std::max(content.synced_bytes, find_mark(rest));
    assembling = false;
  };
  for (std::size_t block = 0; block < bytes.size(); block += block_bytes) {
    std::string_view rest = bytes.substr(block, block_bytes);
    const std::size_t here_bytes = rest.size();
    while (rest.size() >= fragment_head_bytes) {
      std::uint32_t crc = 0;
      std::uint16_t length = 0;
      std::memcpy(&crc, rest.data(), 4);
      std::memcpy(&length, rest.data() + 4, 2);
      const auto kind = static_cast<fragment>(rest[6]);
      const std::size_t position = here_bytes - rest.size();
      if (crc == 0 && length == 0 && rest[6] == 0) {
        // Padding up to the block's end, where no record fits.
        ended = ended || block_bytes - position >= fragment_head_bytes + record_head_bytes;
        // A record that goes on in the next block fills this one.
        broken = broken || assembling;
        skip(rest);
        break;
      }
      const std::size_t size = fragment_head_bytes + length;
      if (size > rest.size() || crc32c(bytes_of(rest.substr(4, size - 4))) != crc) {
        broken = true;
        skip(rest);
        break;
      }
      const std::string_view part = rest.substr(fragment_head_bytes, length);
      rest.remove_prefix(size);
      const std::uint64_t end = block + position + size;
      switch (kind) {
        case fragment::whole:
          if (assembling) broken = true;
          assembling = false;
          deliver(part, end);
          break;
        case fragment::first:
          if (assembling) broken = true;
          assembling = true;
          assembled.assign(part);
          break;
        case fragment::middle:
        case fragment::last:
          if (!assembling) {
            broken = true;
            break;
          }
          assembled.append(part);
          if (kind == fragment::last) {
            assembling = false;
            deliver(assembled, end);
          }
          break;
        default:
          broken = true;
      }
    }
    if (!rest.empty() && rest.size() < fragment_head_bytes &&
        rest.find_first_not_of('\0') != std::string_view::npos)
      broken = true;
  }
  content.torn = broken || assembling;
  return content;
}

result<void> seal_segment(io::storage& disk, std::string_view path, std::uint64_t size_bytes_max) {
  VEXFS_TRY(const auto content, io::read_file(disk, path, size_bytes_max));
  const auto state = read_segment({reinterpret_cast<const char*>(content.data()), content.size()},
                                  [](const logged&) {});
  VEXFS_TRY(const auto segment, disk.open(path, io::open_mode::read_write));
  if (state.whole_bytes < content.size() && state.whole_bytes >= state.synced_bytes)
    VEXFS_CHECK(segment->truncate(state.whole_bytes));
  return segment->sync_now();
}

wal::wal(io::storage& disk, std::uint32_t core_index, std::uint64_t segment_number)
    : disk_(disk), core_index_(core_index), segment_number_(segment_number) {
  turn_work_.owner = this;
  turn_work_.run = [](io::runnable& work) {
    wal& self = *static_cast<end_of_turn&>(work).owner;
    self.turn_queued_ = false;
    self.write_turn();
  };
  sync_timer_.owner = this;
  sync_timer_.run = [](io::runnable& work) {
    wal& self = *static_cast<sync_timer&>(work).owner;
    if (self.synced_ >= self.written_ || !self.failure_.empty()) return;
    self.sync_due_ = true;
    if (!self.syncing_) self.sync_until_idle();
  };
}

wal::~wal() {
  VEXFS_ASSERT(batch_waiting_.empty() && sync_waiting_.empty() && !syncing_);
}

result<std::unique_ptr<wal>> wal::open(io::storage& disk, std::uint32_t core_index,
                                       std::uint64_t segment_number) {
  auto opened = std::unique_ptr<wal>(new wal(disk, core_index, segment_number));
  VEXFS_CHECK(opened->open_segment());
  return opened;
}

result<void> wal::open_segment() {
  VEXFS_TRY(auto opened,
            disk_.open(segment_name(core_index_, segment_number_), io::open_mode::create));
  VEXFS_CHECK(disk_.sync_directory("wal"));
  segment_ = std::move(opened);
  offset_ = 0;
  return {};
}

void wal::put(const logged& record) {
  if (batch_.empty() && synced_ > marked_) {
    append_record(batch_, offset_, {mark_collection, synced_, {}});
    marked_ = synced_;
  }
  append_record(batch_, offset_ + batch_.size(), record);
  if (!std::exchange(turn_queued_, true)) io::loop::current().at_end_of_turn(turn_work_);
}

io::task<result<void>> wal::written() {
  result<void> outcome;
  struct awaiter : waiting_append {
    wal& log;
    explicit awaiter(wal& given) : log(given) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
      waiting = caller;
      log.batch_waiting_.push_back(this);
    }
    void await_resume() const noexcept {}
  } wait(*this);
  wait.outcome = &outcome;
  co_await wait;
  co_return outcome;
}

void wal::write_turn() {
  // Everybody of the turn shares the outcome of its one write. A write that failed may have left
  // whole records, which were refused: they are cut off, for nobody may find them later.
  result<void> outcome =
      failure_.empty() ? segment_->write(offset_, bytes_of(batch_)) : fail(errc::service, failure_);
  if (outcome) {
    offset_ += batch_.size();
    written_ += batch_.size();
    sync_later();
  } else if (failure_.empty()) {
    const auto cut = segment_->truncate(offset_);
    marked_ = 0;  // the mark that went with them, if there was one
    if (!cut || outcome.error().code != errc::insufficient_storage)
      failure_ = "the log cannot be written: " + outcome.error().text;
  }
  batch_.clear();
  std::vector<waiting_append*> served;
  std::swap(served, batch_waiting_);
  for (waiting_append* waiting : served) {
    *waiting->outcome = outcome;
    io::loop::current().defer(*waiting);
  }
}

void wal::sync_later() {
  io::loop& here = io::loop::current();
  if (!sync_timer_.is_set()) here.set_timer(sync_timer_, here.now() + log_sync_delay);
}

struct wal::sync_awaiter : waiting_sync {
  wal& log;
  sync_awaiter(wal& given, std::uint64_t covered) : log(given) { target = covered; }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    waiting = caller;
    log.sync_waiting_.push_back(this);
    if (!log.syncing_) log.sync_until_idle();
  }
  void await_resume() const noexcept {}
};

io::task<result<void>> wal::sync() {
  if (!failure_.empty()) co_return fail(errc::service, failure_);
  if (synced_ >= written_) co_return result<void>{};
  sync_awaiter wait(*this, written_);
  co_await wait;
  if (!failure_.empty()) co_return fail(errc::service, failure_);
  co_return result<void>{};
}

io::detached wal::sync_until_idle() {
  syncing_ = true;
  while (!sync_waiting_.empty() || sync_due_) {
    sync_due_ = false;
    const std::uint64_t covered = written_;
    auto syncing = segment_->sync();
    const auto outcome = co_await syncing;
    if (!outcome) failure_ = "the log cannot be synced: " + outcome.error().text;
    synced_ = covered;
    while (!sync_waiting_.empty() &&
           (sync_waiting_.front()->target <= covered || !failure_.empty())) {
      io::loop::current().defer(*sync_waiting_.front());
      sync_waiting_.pop_front();
    }
  }
  syncing_ = false;
}

io::task<result<void>> wal::close() {
  auto syncing = sync();
  const auto synced = co_await syncing;
  io::loop::current().cancel_timer(sync_timer_);
  // The timer may have begun another meanwhile, and after a failure one may be under way.
  while (syncing_) {
    sync_awaiter wait(*this, 0);
    co_await wait;
  }
  co_return synced;
}

}  // namespace vexfs
