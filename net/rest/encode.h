// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/database/database.h"
#include "core/model/query.h"
#include "core/model/update.h"

// Results as the contract prints them. Each function appends to `out`.
namespace vexfs::rest {

void append_id(std::string& out, const point_id& id);
/// `scored` prints version and score too.
void append_record(std::string& out, const record& one, bool scored);
void append_records(std::string& out, std::span<const record> records, bool scored);
void append_scroll(std::string& out, const scroll_result& page);
void append_groups(std::string& out, std::span<const point_group> groups);
void append_matrix_pairs(std::string& out, const matrix_result& matrix);
void append_matrix_offsets(std::string& out, const matrix_result& matrix);
void append_facet(std::string& out, std::span<const facet_hit> hits);
void append_update(std::string& out, const update_result& update);
[[nodiscard]] std::string_view word_of_status(collection_status status);
void append_collection_info(std::string& out, const collection_info& info);
void append_aliases(std::string& out, const std::vector<alias_description>& aliases);

}  // namespace vexfs::rest
