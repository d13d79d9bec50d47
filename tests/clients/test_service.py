# SPDX-License-Identifier: Apache-2.0
"""What the server says of itself, and that it keeps who it is."""

import http.client
import json
import urllib.error
import urllib.request

import pytest


def call(server, method, path, body=None):
    request = urllib.request.Request(server.url + path, method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def result(server, method, path, body=None):
    status, text = call(server, method, path, body)
    assert status == 200, text
    return json.loads(text)["result"]


@pytest.fixture
def served(server):
    result(server, "PUT", "/collections/c", {"vectors": {"a": {"size": 2, "distance": "Dot"}}})
    result(server, "PUT", "/collections/c/points?wait=true",
           {"points": [{"id": 1, "vector": {"a": [1, 2]}, "payload": {"k": 1}}, {"id": 2, "vector": {}}]})
    return server


def test_telemetry_counts_requests_on_all_cores_and_describes_collections(served):
    for _ in range(20):  # on as many connections
        result(served, "POST", "/collections/c/points/scroll", {})
    told = result(served, "GET", "/telemetry?details_level=4&per_collection=true")
    endpoint = "POST /collections/{collection_name}/points/scroll"
    assert told["requests"]["rest"]["responses"][endpoint]["200"]["count"] == 20
    assert told["requests"]["rest"]["per_collection_responses"]["c"][endpoint]["200"]["count"] == 20
    shard = told["collections"]["collections"][0]["shards"][0]["local"]
    assert shard["num_points"] == 2
    assert shard["num_vectors_by_name"] == {"a": 1}
    assert shard["payloads_size_bytes"] == len('{"k":1}')
    assert shard["update_queue"]["op_num"] == 1
    result(served, "POST", "/collections/c/points/payload/clear?wait=true", {"points": [1]})
    shard = result(served, "GET", "/telemetry?details_level=3")["collections"]["collections"][0]["shards"][0]["local"]
    assert shard["payloads_size_bytes"] == 0
    assert call(served, "GET", "/telemetry?details_level=high")[0] == 400


def test_metrics_agree_with_what_was_done(served):
    status, text = call(served, "GET", "/metrics")
    assert status == 200
    lines = text.splitlines()
    assert 'collection_points{id="c"} 2' in lines
    assert "collections_vector_total 1" in lines
    put = 'method="PUT",endpoint="/collections/{collection_name}/points",status="200"'
    assert f"rest_responses_total{{{put}}} 1" in lines
    resident = next(line for line in lines if line.startswith("memory_resident_bytes "))
    assert int(resident.split()[1]) > 1_000_000


def test_quotas_are_off_and_cannot_be_set(served):
    assert result(served, "GET", "/quotas")["config"] == {"enabled": False}
    status, text = call(served, "PUT", "/quotas", {"enabled": True, "max_disk_usage_percent": 80})
    assert status == 501 and "/quotas is not served" in text


def test_the_peer_id_stays_through_a_restart(served):
    before = result(served, "GET", "/collections/c/cluster")["peer_id"]
    assert 0 < before < 2**53
    served.restart()
    assert result(served, "GET", "/collections/c/cluster")["peer_id"] == before


def test_names_that_are_too_long_are_refused_on_every_path(served):
    for method, path in [("GET", ""), ("GET", "/points/1"), ("POST", "/points/scroll"), ("DELETE", "")]:
        status, text = call(served, method, f"/collections/{'n' * 256}{path}", {} if method == "POST" else None)
        assert status == 422 and "must be from 1 to 255 characters" in text, (method, path, text)
    # Characters, not bytes.
    assert call(served, "GET", f"/collections/{'%C3%A9' * 255}/points/1")[0] == 404


def test_vectors_of_one_point_in_several_items_are_all_taken(served):
    result(served, "PUT", "/collections/c/points/vectors?wait=true",
           {"points": [{"id": 2, "vector": {"a": [5, 6]}}, {"id": 1, "vector": {"a": [3, 4]}}, {"id": 2, "vector": {"a": [7, 8]}}]})
    assert result(served, "GET", "/collections/c/points/2")["vector"] == {"a": [7, 8]}
    assert result(served, "GET", "/collections/c/points/1")["vector"] == {"a": [3, 4]}


def test_settings_without_effect_are_warned_about(server):
    result(server, "PUT", "/collections/w", {"vectors": {
        "plain": {"size": 2, "distance": "Dot", "hnsw_config": {"inline_storage": True}},
        "multi": {"size": 2, "distance": "Dot", "hnsw_config": {"inline_storage": True},
                  "multivector_config": {"comparator": "max_sim"}},
        "fine": {"size": 2, "distance": "Dot", "hnsw_config": {"inline_storage": True},
                 "quantization_config": {"scalar": {"type": "int8"}}}}})
    told = [one["message"] for one in result(server, "GET", "/collections/w")["warnings"]]
    assert len(told) == 2 and "'multi'" in told[0] and "'plain'" in told[1]
    assert call(server, "PATCH", "/collections/w", {"vectors": {"plain": {"memory": "pinned"}}})[0] == 422


def test_unknown_vectors_are_refused_where_points_are_retrieved(served):
    status, text = call(served, "POST", "/collections/c/points", {"ids": [1], "with_vector": ["a", "none"]})
    assert status == 400 and "Not existing vector name error: none" in text


def test_a_page_of_another_origin_may_read_every_answer_also_one_that_no_handler_gave(served):
    refused = [("GET", "/nothing", b"", {}), ("PUT", "/collections/c/points", b"x", {"content-encoding": "gzip"}),
               ("PUT", "/collections/c/points", b"x", {"content-length": str(1 << 40)})]
    for method, path, body, headers in refused:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        connection.request(method, path, body, {"origin": "http://page"} | headers)
        answer = connection.getresponse()
        assert answer.status in (400, 404)
        assert answer.headers["access-control-allow-origin"] == "http://page", (method, path, headers)
        connection.close()


def test_the_info_of_a_collection_shows_every_acknowledged_write_on_every_connection(served):
    for i in range(3, 40):
        result(served, "PUT", "/collections/c/points", {"points": [{"id": i, "vector": {"a": [1, i]}}]})
        for _ in range(3):  # each connects anew, so that both cores are asked
            assert result(served, "GET", "/collections/c")["points_count"] == i
    result(served, "PUT", "/collections/c/index", {"field_name": "k", "field_schema": "integer"})
    assert "k" in result(served, "GET", "/collections/c")["payload_schema"]
    result(served, "POST", "/collections/c/points/delete", {"points": [1, 2, 3]})
    assert result(served, "GET", "/collections/c")["points_count"] == 36
    result(served, "DELETE", "/collections/c")
    result(served, "PUT", "/collections/c", {"vectors": {"size": 4, "distance": "Cosine"}})
    assert result(served, "GET", "/collections/c")["points_count"] == 0
