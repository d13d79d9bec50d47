// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace vexfs::rest {

/// Puts a comma before every item but the first.
class separator {
 public:
  explicit separator(std::string& out) : out_(out) {}
  void next() {
    if (!std::exchange(first_, false)) out_ += ',';
  }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace vexfs::rest
