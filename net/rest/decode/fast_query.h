// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/model/query.h"

// Nearly all of a search is its vector. These cut the plain vectors of one search, or of a batch of
// them, out of a body, and leave a short body with the vector [0] in each place. The decoder of all
// forms reads that one, with everything that a search can have, and then the vectors go to where
// its [0]s have gone. One body at a time on a thread.
namespace vexfs::rest {

/// Where a search keeps its vector: `outer`, an array of numbers, or an object that has the array
/// as its member `inner`.
struct vector_place {
  std::string_view outer;
  std::string_view inner;
};

/// The short body, valid until the next cut; nothing where this body is not of the usual form or is
/// wrong: then all of it has to be decoded, to the same value or to an error. A body that is short
/// after the cut and fails to decode has to be decoded whole as well: messages name places.
[[nodiscard]] std::optional<std::string_view> cut_search(std::string_view body, arena& memory,
                                                         vector_place where);
/// The same for {"searches": [...]}.
[[nodiscard]] std::optional<std::string_view> cut_batch(std::string_view body, arena& memory,
                                                        vector_place where);

/// Gives the searches of the last short body their vectors; false where one of them did not read
/// its [0] as the vector to look for.
[[nodiscard]] bool put_back_vectors(std::span<query_request> requests);

}  // namespace vexfs::rest
