// SPDX-License-Identifier: Apache-2.0
#include "core/database/fusion.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/database/id_map.h"

namespace vexfs {
namespace {

/// What one place in a list counts: weights stretch the list.
float rank_score(std::size_t place, std::uint64_t k, float weight) {
  if (weight <= 0) return 0;
  return 1.0F / (static_cast<float>(place + 1) / weight + static_cast<float>(k) - 1.0F);
}

/// Scores of one list as shares of the range of three standard deviations around their mean.
class spread {
 public:
  explicit spread(ranking list) {
    if (list.size() < 2) return;
    float mean = 0;
    float squares = 0;
    float count = 0;
    for (const ranked_point& point : list) {
      const float before = point.score - mean;
      count += 1;
      mean += before / count;
      squares += before * (point.score - mean);
    }
    const float deviation = std::sqrt(squares / (count - 1));
    low_ = mean - 3 * deviation;
    high_ = mean + 3 * deviation;
  }
  [[nodiscard]] float share(float score) const {
    // No number where all scores are equal, and where some are infinite.
    const float share = (score - low_) / (high_ - low_);
    return std::isfinite(share) ? share : 0.5F;
  }

 private:
  float low_ = 0;
  float high_ = 0;
};

}  // namespace

result<std::vector<ranked_point>> fuse(const fusion_query& how, std::span<const ranking> lists) {
  if (!how.weights.empty() && how.weights.size() != lists.size())
    return fail(errc::bad_input,
                "Validation failed: Number of weights in RRF should match number of pre-fetches: "
                "got " +
                    std::to_string(how.weights.size()) + ", expected " +
                    std::to_string(lists.size()));
  std::vector<ranked_point> fused;
  point_map<std::size_t> places;
  for (std::size_t l = 0; l < lists.size(); ++l) {
    const spread scores(how.how == fusion_query::method::dbsf ? lists[l] : ranking{});
    const float weight = how.weights.empty() ? 1.0F : how.weights[l];
    for (std::size_t i = 0; i < lists[l].size(); ++i) {
      const ranked_point& point = lists[l][i];
      const float score = how.how == fusion_query::method::dbsf ? scores.share(point.score)
                                                                : rank_score(i, how.k, weight);
      const auto [place, added] = places.emplace(point.id, fused.size());
      if (added) {
        fused.push_back(point);
        fused.back().score = score;
      } else {
        fused[place->second].score += score;
      }
    }
  }
  std::ranges::sort(fused, [](const ranked_point& left, const ranked_point& right) {
    if (left.score != right.score) return left.score > right.score;
    return left.id < right.id;
  });
  return fused;
}

}  // namespace vexfs
