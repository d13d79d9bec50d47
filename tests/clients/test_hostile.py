# SPDX-License-Identifier: Apache-2.0
"""Requests that no honest client sends: every one has the contract's answer, nothing of it is
applied, and the server goes on. A row is (method, path, body, status, text that the answer holds)."""

import gzip
import http.client
import json
import shutil
import socket

import pytest

HOSTILE = "/collections/hostile"
POINTS = HOSTILE + "/points"
WAIT = POINTS + "?wait=true"
QUERY = POINTS + "/query"
BODY_BYTES_MAX = 32 * 1024 * 1024
U64_MAX = 2**64 - 1


def point(vector="[1,2,3,4]", id="1", more=""):
    return f'{{"points":[{{"id":{id},"vector":{vector}{more}}}]}}'


def filtered(condition):
    return f'{{"filter":{{"must":[{condition}]}}}}'


def query(more, vector="[1,2,3,4]"):
    return f'{{"query":{vector},{more}}}'


def nested(depth, opening, closing, inner="1"):
    return opening * depth + inner + closing * depth


BAD_ID = "is not a valid point ID, valid values are either an unsigned integer or a UUID"
ROWS = [
    # Wrong types.
    ("PUT", WAIT, "null", 400, "Format error in JSON body: invalid type: null"),
    ("PUT", WAIT, "[]", 400, "Format error in JSON body: invalid type: sequence"),
    ("PUT", WAIT, '{"points":{}}', 400, "Format error in JSON body: invalid type: map"),
    ("PUT", WAIT, point(id="-1"), 400, BAD_ID),
    ("PUT", WAIT, point(id="1.5"), 400, BAD_ID),
    ("PUT", WAIT, point(id='"x"'), 400, BAD_ID),
    ("PUT", WAIT, point(id=str(U64_MAX + 1)), 400, BAD_ID),
    ("PUT", WAIT, '{"points":[{"vector":[1,2,3,4]}]}', 400, "missing field `id`"),
    ("PUT", WAIT, '{"points":[{"id":1}]}', 400, "missing field `vector`"),
    ("PUT", WAIT, point('"x"'), 400, "Format error in JSON body"),
    ("PUT", WAIT, point('[1,2,3,"4"]'), 400, "Format error in JSON body"),
    ("PUT", WAIT, point("[1,2,3,null]"), 400, "Format error in JSON body"),
    ("PUT", WAIT, point(more=',"payload":[]'), 400, "Format error in JSON body: invalid type: sequence"),
    ("POST", QUERY, '{"query":[1,2,3,4],"limit":-1}', 400, "Format error in JSON body: invalid value: integer `-1`"),
    ("POST", QUERY, query('"limit":1.5'), 400, "Format error in JSON body: invalid value: floating point `1.5`"),
    ("POST", QUERY, query('"with_payload":5'), 400, "Format error in JSON body"),
    ("POST", QUERY, query('"filter":[]'), 400, "Format error in JSON body"),
    ("POST", QUERY, filtered('{"key":"a","match":{"value":1.5}}'), 400, "Format error in JSON body"),
    ("POST", QUERY, filtered('{"has_id":["x"]}'), 400, BAD_ID),
    ("POST", POINTS + "/delete", '{"points":1}', 400, "Format error in JSON body"),
    ("POST", POINTS + "/payload", '{"payload":5,"points":[1]}', 400, "Format error in JSON body"),
    ("POST", POINTS + "/count", '{"exact":"x"}', 400, "Format error in JSON body"),
    ("PATCH", HOSTILE, '{"hnsw_config":5}', 400, "Format error in JSON body"),
    ("PUT", "/collections/new", '{"vectors":{"size":"4","distance":"Dot"}}', 400, "Format error in JSON body"),
    ("POST", "/collections/aliases", '{"actions":[{}]}', 400, "Format error in JSON body"),
    # Unknown fields: refused in filters and selections, ignored elsewhere.
    ("POST", QUERY, '{"filter":{"mustt":[]}}', 400, "unknown field `mustt`"),
    ("POST", QUERY, '{"with_payload":{"incl":[]}}', 400, "Format error in JSON body"),
    ("POST", QUERY, filtered('{"kei":"a","match":{"value":1}}'), 400, "Format error in JSON body"),
    ("POST", QUERY, query('"unknown":{"a":[1]},"limit":1'), 200, '"points":['),
    # NaN, infinities, numbers beyond their type.
    ("PUT", WAIT, point("[1,2,3,NaN]"), 400, "Format error in JSON body: expected value at line 1 column"),
    ("PUT", WAIT, point("[1,2,3,Infinity]"), 400, "Format error in JSON body: expected value at line 1 column"),
    ("PUT", WAIT, point("[1,2,3,1e999]"), 400, "Format error in JSON body: number out of range at line 1"),
    ("PUT", WAIT, point("[1,2,3,1e39]"), 400, "Wrong input: "),
    ("POST", QUERY, '{"query":[1,2,3,1e39]}', 400, "Wrong input: "),
    ("POST", QUERY, query('"score_threshold":1e400'), 400, "number out of range"),
    # Dimensions and names.
    ("PUT", WAIT, point("[1,2,3]"), 400, "Wrong input: Vector dimension error: expected dim: 4, got 3"),
    ("PUT", WAIT, point("[]"), 422, "dense vector must not be empty"),
    ("PUT", WAIT, point('{"x":[1]}'), 400, "Wrong input: Not existing vector name error: x"),
    ("POST", QUERY, '{"query":[1,2,3]}', 400, "Wrong input: Vector dimension error: expected dim: 4, got 3"),
    ("POST", QUERY, query('"using":"nope"'), 400, "Wrong input: Not existing vector name error: nope"),
    # Limits: none, and as large as they come.
    ("POST", QUERY, query('"limit":0'), 422, "internal.limit: value 0 invalid, must be 1 or larger"),
    ("POST", QUERY, query(f'"limit":{U64_MAX}'), 200, '"points":['),
    ("POST", QUERY, query(f'"limit":{U64_MAX + 1}'), 400, "Format error in JSON body"),
    ("POST", QUERY, query(f'"limit":{U64_MAX},"offset":{U64_MAX}'), 200, '"points":[]'),
    ("POST", QUERY, query(f'"params":{{"hnsw_ef":{U64_MAX}}}'), 200, '"points":['),
    ("POST", QUERY + "/groups", query(f'"group_by":"a","group_size":{U64_MAX},"limit":{U64_MAX}'), 200, '"groups":['),
    ("POST", POINTS + "/scroll", '{"limit":0}', 422, "limit: value 0 invalid, must be 1 or larger"),
    ("POST", POINTS + "/scroll", f'{{"limit":{U64_MAX}}}', 200, '"next_page_offset":null'),
    ("PUT", POINTS + "?timeout=0", point(), 422, "timeout: value 0 invalid, must be 1 or larger"),
    ("PUT", "/collections/new", f'{{"vectors":{{"size":{U64_MAX},"distance":"Dot"}}}}', 422,
     f"vectors.size: value {U64_MAX} invalid, must be from 1 to 65536"),
    ("PUT", "/collections/new", json.dumps(
        {"vectors": {f"v{i}": {"size": 65536, "distance": "Dot"} for i in range(1025)}}), 400,
     "Bad request: A collection may have at most 1024 vectors"),
    ("POST", QUERY, '{"filter":{"should":[' + ",".join(['{"has_vector":""}'] * 65_537) + "]}}", 400,
     "Bad request: A filter may have at most 65536 conditions"),
    # Deep nesting.
    ("PUT", WAIT, point(more=',"payload":' + nested(200, '{"a":', "}")), 400, "recursion limit exceeded at line 1"),
    ("POST", QUERY, nested(1_000_000, "[", "]", ""), 400, "recursion limit exceeded at line 1 column"),
    ("POST", QUERY, '{"filter":' + nested(100, '{"must":[', "]}", "{}") + "}", 400, "recursion limit exceeded"),
    ("POST", QUERY, query('"ignored":' + nested(200, "[", "]")), 400, "recursion limit exceeded"),
    # Text that is not UTF-8, in bodies, paths and query strings.
    ("PUT", WAIT, b'{"points":[{"id":1,"vector":[1,2,3,4],"payload":{"a":"\xff"}}]}', 400, "invalid unicode code point"),
    ("PUT", WAIT, point(more=',"payload":{"a":"\\ud800"}'), 400, "Format error in JSON body"),
    ("PUT", "/collections/%ff", "{}", 400, "Deserialize error in path parameters: invalid utf-8 sequence"),
    ("PUT", "/collections/a%c3", "{}", 400, "Deserialize error in path parameters: invalid utf-8 sequence"),
    ("PUT", POINTS + "?ordering=%ff", point(), 400, "Deserialize error in query parameters: ordering"),
    ("GET", POINTS + "/%ff", None, 400, "Deserialize error in path parameters: invalid utf-8 sequence"),
    # Names and paths.
    ("PUT", "/collections/a%2Fb", "{}", 422, "collection name cannot contain"),
    ("PUT", "/collections/a%00b", "{}", 422, "collection name cannot contain"),
    ("PUT", "/collections/" + "x" * 256, "{}", 422, "must be from 1 to 255 characters"),
    ("GET", "/collections/" + "x" * 70_000, None, 431, ""),
    ("GET", "/collections/%zz", None, 400, ""),
    ("GET", POINTS + "/%00", None, 400, "Can not recognize"),
    ("GET", POINTS + "/-1", None, 400, 'Can not recognize \\"-1\\" as point id'),
    ("GET", "/nowhere", None, 404, ""),
    ("TRACE", "/", None, 405, ""),
    ("DELETE", POINTS, None, 405, ""),
    ("POST", QUERY, filtered('{"key":"a[","match":{"value":1}}'), 400, "Format error in JSON body"),
    ("PUT", HOSTILE + "/index", '{"field_name":"a[","field_schema":"keyword"}', 400, "Format error in JSON body"),
    # Bodies that are empty, cut or followed by something.
    ("PUT", WAIT, "", 400, "EOF while parsing a value at line 1 column 0"),
    ("POST", QUERY, "nul", 400, "EOF while parsing a value"),
    ("POST", QUERY, '{"limit":1}x', 400, "trailing characters at line 1 column 12"),
    ("PUT", WAIT, '{"points":[]}', 400, "Empty update request"),
    ("PUT", WAIT, '{"batch":{"ids":[1,2],"vectors":[[1,2,3,4]]}}', 422, "number of ids and vectors must be equal"),
    ("POST", POINTS + "/delete", "{}", 400, "Format error in JSON body"),
    ("POST", POINTS + "/payload", '{"payload":{"a":1}}', 400, "No filter or points provided"),
]


@pytest.fixture(scope="module")
def hostile():
    from server import Server
    one = Server().start()
    assert ask(one, "PUT", HOSTILE, '{"vectors":{"size":4,"distance":"Dot"}}')[0] == 200
    assert ask(one, "PUT", WAIT, point(more=',"payload":{"a":1}'))[0] == 200
    yield one
    if one.process.poll() is None:
        one.kill()
    shutil.rmtree(one.folder, ignore_errors=True)


def ask(server, method, path, body=None, headers=None):
    """(status, text) of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = body.encode() if isinstance(body, str) else body
    connection.request(method, path, body, {"Content-Type": "application/json"} | (headers or {}))
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def state(server):
    """All that a refused request could have changed."""
    return [ask(server, "GET", "/collections")[1].split('"time"')[0],
            ask(server, "GET", HOSTILE)[1].split('"time"')[0],
            ask(server, "POST", POINTS + "/scroll", '{"limit":1000,"with_vector":true}')[1].split('"time"')[0]]


@pytest.mark.parametrize("method, path, body, status, text", ROWS,
                         ids=[f"{i}-{row[0]}-{row[3]}" for i, row in enumerate(ROWS)])
def test_a_bad_request_has_the_contracts_answer(hostile, method, path, body, status, text):
    got, answer = ask(hostile, method, path, body)
    assert (got, text in answer) == (status, True), f"{method} {path[:100]} {str(body)[:200]}: {got} {answer[:500]}"
    if got >= 400 and answer:
        assert set(json.loads(answer)) == {"status", "time"}


def test_nothing_of_a_refused_request_is_applied(hostile):
    before = state(hostile)
    refused = [row for row in ROWS if row[3] >= 400]
    for method, path, body, status, _ in refused:
        assert ask(hostile, method, path, body)[0] == status
    half = '{"points":[{"id":7,"vector":[1,2,3,4]},{"id":8,"vector":[1]}]}'
    assert ask(hostile, "PUT", WAIT, half)[0] == 400
    assert state(hostile) == before


def test_a_name_given_twice_counts_as_its_last_value(hostile):
    body = '{"points":[{"id":50,"id":51,"vector":[1],"vector":[1,2,3,4],"payload":{"a":1,"b":2,"a":3}}]}'
    assert ask(hostile, "PUT", WAIT, body)[0] == 200
    assert ask(hostile, "GET", POINTS + "/50")[0] == 404
    payload = json.loads(ask(hostile, "GET", POINTS + "/51")[1])["result"]["payload"]
    assert payload == {"a": 3, "b": 2}
    assert ask(hostile, "POST", POINTS + "/delete?wait=true", '{"points":[51]}')[0] == 200


def test_a_body_beyond_the_limit_is_refused_however_it_comes(hostile):
    text = f"limit: {BODY_BYTES_MAX} bytes"
    status, answer = ask(hostile, "PUT", WAIT, b" " * (BODY_BYTES_MAX + 1))
    assert status == 400 and text in answer
    packed = gzip.compress(b" " * (4 * BODY_BYTES_MAX), 1)
    status, answer = ask(hostile, "PUT", WAIT, packed, {"Content-Encoding": "gzip"})
    assert status == 400 and "limit" in answer
    head = b"PUT " + WAIT.encode() + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for chunk in (b"ffffffffffffffff\r\n ", b"2000001\r\n "):
        assert raw(hostile, head + chunk).startswith(b"HTTP/1.1 400 ")
    assert ask(hostile, "PUT", WAIT, b"\x1f\x8b not gzip", {"Content-Encoding": "gzip"})[0] == 400


def raw(server, *pieces, half_close=False):
    """What comes back for these bytes until the server closes or the answer is whole."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire:
        for piece in pieces:
            wire.sendall(piece)
        if half_close:
            wire.shutdown(socket.SHUT_WR)
        answer = b""
        while b"\r\n\r\n" not in answer or half_close:
            more = wire.recv(65536)
            if not more:
                break
            answer += more
        return answer


def test_what_is_not_http_is_refused_and_the_connection_closed(hostile):
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 client hello\r\n\r\n", b"GET\r\n\r\n",
                    b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"\0" * 1000 + b"\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        assert raw(hostile, garbage, half_close=True).startswith(b"HTTP/1.1 400 "), garbage
    # Whole requests in front of garbage are answered first.
    got = raw(hostile, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"garbage\r\n\r\n", half_close=True)
    assert got.count(b"HTTP/1.1 200 ") == 3 and got.count(b"HTTP/1.1 400 ") == 1


def test_a_peer_that_has_stopped_sending_still_gets_its_answers(hostile):
    request = b"GET /collections HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw(hostile, request * 20, half_close=True).count(b"HTTP/1.1 200 ") == 20


def test_an_empty_chunked_body_may_come_byte_by_byte(hostile):
    head = b"POST " + QUERY.encode() + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", hostile.port), timeout=30) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in head + b"0\r\n\r\n":
            wire.sendall(bytes([byte]))
        assert b"400" in wire.recv(65536).split(b"\r\n")[0]


def test_storage_that_was_deleted_is_the_servers_fault_not_the_clients(server):
    shutil.rmtree(server.folder / "storage")
    status, answer = ask(server, "PUT", "/collections/new", '{"vectors":{"size":4,"distance":"Dot"}}')
    assert status == 500 and "Service internal error: storage: " in answer
    assert ask(server, "GET", "/collections")[0] == 200
