# SPDX-License-Identifier: Apache-2.0
"""API keys: what is open, what a read-only key may do, and that nothing else answers without one."""

import http.client
import shutil

import pytest

from server import Server

KEY, OTHER_KEY, READ_ONLY_KEY = "full", "alternative", "reader"

OPEN = [("GET", path) for path in ("/", "/healthz", "/livez", "/readyz", "/dashboard", "/dashboard/any/file.js")]
READS = [("GET", path) for path in (
    "/collections", "/collections/c", "/collections/c/exists", "/collections/c/aliases", "/aliases", "/cluster",
    "/collections/c/cluster", "/collections/c/points/1", "/collections/c/optimizations", "/metrics", "/telemetry",
    "/issues", "/quotas", "/snapshots")
] + [("POST", f"/collections/c/{path}") for path in (
    "points", "points/query", "points/query/batch", "points/query/groups", "points/search", "points/search/batch",
    "points/search/groups", "points/recommend", "points/recommend/batch", "points/recommend/groups", "points/discover",
    "points/discover/batch", "points/search/matrix/pairs", "points/search/matrix/offsets", "points/scroll",
    "points/count", "facet")]
WRITES = [
    ("PUT", "/collections/c"), ("PATCH", "/collections/c"), ("DELETE", "/collections/c"),
    ("POST", "/collections/aliases"), ("DELETE", "/issues"), ("PUT", "/quotas"), ("POST", "/snapshots"),
    ("PUT", "/collections/c/points"), ("POST", "/collections/c/points/delete"), ("PUT", "/collections/c/points/vectors"),
    ("POST", "/collections/c/points/vectors/delete"), ("POST", "/collections/c/points/payload"),
    ("PUT", "/collections/c/points/payload"), ("POST", "/collections/c/points/payload/delete"),
    ("POST", "/collections/c/points/payload/clear"), ("POST", "/collections/c/points/batch"),
    ("PUT", "/collections/c/index"), ("DELETE", "/collections/c/index/field"), ("PUT", "/collections/c/vectors/v"),
    ("DELETE", "/collections/c/vectors/v"), ("POST", "/collections/c/snapshots"), ("POST", "/collections/c/cluster"),
]
UNKNOWN = [("GET", "/nothing"), ("GET", "/dashboardx"), ("GET", "/healthz/more"), ("PATCH", "/collections/c/points"),
           ("DELETE", "/"), ("GET", "/collections/%zz")]


@pytest.fixture(scope="module")
def guarded():
    one = Server(environment={"QDRANT__SERVICE__API_KEY": KEY, "QDRANT__SERVICE__ALT_API_KEY": OTHER_KEY,
                              "QDRANT__SERVICE__READ_ONLY_API_KEY": READ_ONLY_KEY}).start()
    yield one
    one.stop()
    shutil.rmtree(one.folder, ignore_errors=True)


def ask(server, method, path, **headers):
    # Not through a library that would tidy the path up.
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    got = answer.status, answer.read().decode()
    connection.close()
    return got


@pytest.mark.parametrize("method, path", OPEN)
def test_what_tells_of_life_asks_for_no_key(guarded, method, path):
    assert ask(guarded, method, path)[0] in (200, 404)
    assert ask(guarded, method, path, api_key="wrong")[0] in (200, 404)


@pytest.mark.parametrize("method, path", READS + WRITES + UNKNOWN)
def test_everything_else_asks_for_a_key_before_it_says_anything(guarded, method, path):
    missing = (401, "Must provide an API key or an Authorization bearer token")
    wrong = (403, "Invalid API key or JWT")
    assert ask(guarded, method, path) == missing
    assert ask(guarded, method, path, authorization="Basic " + KEY) == missing
    assert ask(guarded, method, path, api_key=KEY + "x") == wrong
    assert ask(guarded, method, path, api_key="f") == wrong
    assert ask(guarded, method, path, authorization="Bearer wrong") == wrong


@pytest.mark.parametrize("method, path", READS)
def test_a_read_only_key_reads(guarded, method, path):
    for headers in ({"api_key": READ_ONLY_KEY}, {"authorization": "Bearer " + READ_ONLY_KEY}):
        assert ask(guarded, method, path, **headers)[0] in (200, 400, 404, 422, 501)
    if method == "GET":
        assert ask(guarded, "HEAD", path, api_key=READ_ONLY_KEY)[0] in (200, 404, 501)


@pytest.mark.parametrize("method, path", WRITES)
def test_a_read_only_key_writes_nothing(guarded, method, path):
    status, text = ask(guarded, method, path, api_key=READ_ONLY_KEY)
    assert status == 403 and "Forbidden: Global manage access is required" in text


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_both_full_keys_write(guarded, key):
    for method, path in WRITES:
        assert ask(guarded, method, path, api_key=key)[0] not in (401, 403), (method, path)
    assert ask(guarded, "DELETE", "/issues", authorization="Bearer " + key)[0] == 200


def test_a_browser_asks_what_it_may_without_a_key(guarded):
    asked = {"origin": "http://page", "access_control_request_method": "PUT"}
    assert ask(guarded, "OPTIONS", "/collections/c", **asked)[0] == 200
