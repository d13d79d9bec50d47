// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/epoch.h"
#include "core/io/loop.h"

namespace vexfs {

/// Keeps slots from being reused while their vectors are read without the guard.
class slot_reading {
 public:
  explicit slot_reading(io::epochs& readers) : readers_(readers) {
    readers_.enter(io::loop::current().core_index(), entered_);
  }
  slot_reading(const slot_reading&) = delete;
  ~slot_reading() { readers_.leave(io::loop::current().core_index(), entered_); }

 private:
  io::epochs& readers_;
  io::epochs::reader entered_;
};

}  // namespace vexfs
