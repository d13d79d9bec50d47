// SPDX-License-Identifier: Apache-2.0
#include "ioctl/embedded/embedded_device.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include "core/base/assert.h"

extern "C" {
#include "kernel/engine/scan.h"
#include "kernel/engine/vector_file.h"
}

namespace vexfs {
namespace {

static_assert(sizeof(candidate) == sizeof(vexfs_candidate));
static_assert(offsetof(candidate, generation) == offsetof(vexfs_candidate, generation));

const vexfs_kernels* kernels_for(simd_level level) {
  switch (level) {
    case simd_level::scalar:
      return &vexfs_kernels_scalar;
    case simd_level::avx2:
      return &vexfs_kernels_avx2;
    case simd_level::avx512:
      return &vexfs_kernels_avx512;
  }
  return &vexfs_kernels_scalar;
}

error insert_error(int status) {
  switch (status) {
    case -EINVAL:
      return {errc::bad_input, "a vector holds a value that is not a finite number"};
    case -ENOMEM:
      return {errc::insufficient_storage, "out of memory for vectors"};
    case -ERANGE:
      return {errc::insufficient_storage, "a collection holds too many points"};
    default:
      return {errc::service, "the slot is in use: errno " + std::to_string(-status)};
  }
}

class embedded_vector_file final : public vector_file {
 public:
  embedded_vector_file(vexfs_vector_file* opened, const vector_file_config& config)
      : file_(opened), config_(config) {}
  ~embedded_vector_file() override { vexfs_vector_file_destroy(file_); }

  result<void> insert(std::span<const slot_index> slots,
                      std::span<const slot_generation> generations,
                      std::span<const std::uint32_t> vector_bits) override {
    VEXFS_ASSERT(slots.size() == generations.size());
    VEXFS_ASSERT(vector_bits.size() == slots.size() * config_.dim);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const int status =
          vexfs_insert(file_, slots[i], generations[i], vector_bits.data() + i * config_.dim);
      if (status == 0) continue;
      remove(slots.first(i));
      return std::unexpected(insert_error(status));
    }
    return {};
  }

  void remove(std::span<const slot_index> slots) override {
    for (const slot_index slot : slots)
      vexfs_remove(file_, slot);
  }

  result<void> scan(const scan_command& command) override {
    if (config_.metric == distance::manhattan) {
      std::ranges::fill(command.overflowed, std::uint8_t{1});
      std::ranges::fill(command.candidate_counts, 0U);
      return {};
    }
    vexfs_scan request{};
    request.k = command.k;
    request.slot_first = command.slot_first;
    request.slot_last = command.slot_last;
    request.query_count = command.query_count;
    request.capacity = command.candidate_capacity;
    request.query_bits = command.query_bits.data();
    request.allowed = command.allowed.empty() ? nullptr : command.allowed.data();
    request.candidates = reinterpret_cast<vexfs_candidate*>(command.candidates.data());
    request.counts = command.candidate_counts.data();
    request.overflowed = command.overflowed.data();
    request.scratch = command.scratch.data();
    VEXFS_ASSERT(command.k > 0 && command.candidate_capacity >= command.k);
    VEXFS_ASSERT(command.scratch.size() >=
                 scan_scratch_bytes(command.query_count, command.k, command.candidate_capacity));
    if (vexfs_run_scan(file_, &request) != 0)
      return fail(errc::bad_input, "a query vector holds a value that is not a finite number");
    return {};
  }

  std::size_t scan_scratch_bytes(std::uint32_t query_count, std::uint32_t k,
                                 std::uint32_t capacity) const override {
    return vexfs_scan_scratch_bytes(file_, query_count, k, capacity);
  }

  std::size_t memory_bytes() const override { return vexfs_memory_bytes(file_); }

 private:
  vexfs_vector_file* const file_;
  const vector_file_config config_;
};

class embedded_device final : public device {
 public:
  explicit embedded_device(simd_level level) : kernels_(kernels_for(level)) {}

  result<std::unique_ptr<vector_file>> create(const vector_file_config& config) override {
    const vexfs_metric metric =
        config.metric == distance::euclid || config.metric == distance::manhattan
            ? VEXFS_METRIC_EUCLID
            : VEXFS_METRIC_DOT;
    vexfs_vector_file* file = vexfs_vector_file_create(config.dim, metric, kernels_);
    if (!file) return fail(errc::insufficient_storage, "out of memory for a vector file");
    return std::make_unique<embedded_vector_file>(file, config);
  }

 private:
  const vexfs_kernels* const kernels_;
};

}  // namespace

std::unique_ptr<device> make_embedded_device(simd_level level) {
  return std::make_unique<embedded_device>(level);
}

}  // namespace vexfs
