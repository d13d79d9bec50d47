// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vexfs::http {
class router;
}

namespace vexfs::rest {

class rest_service;

// Each registers the routes of one part of the API.
void add_service_routes(http::router& router, rest_service& service);
void add_collection_routes(http::router& router, rest_service& service);
void add_point_routes(http::router& router, rest_service& service);
void add_query_routes(http::router& router, rest_service& service);
/// What this server has and the contract does not: under /vexfs.
void add_vexfs_routes(http::router& router, rest_service& service);

}  // namespace vexfs::rest
