# SPDX-License-Identifier: Apache-2.0
"""What the log tells of requests, by level, and under which id."""

import json

import pytest
import requests

from server import Server


@pytest.fixture
def serve():
    running = []

    def start(**settings):
        running.append(Server(environment={f"QDRANT__{name.upper()}": value for name, value in settings.items()}).start())
        return running[-1]

    yield start
    for server in running:
        server.stop()


def request_lines(server):
    server.stop()
    return [line for line in server.log.read_text().splitlines() if " request " in line]


def test_every_request_is_a_line_with_its_id_where_the_level_is_debug(serve):
    server = serve(log_level="DEBUG")
    requests.get(f"{server.url}/collections/missing", headers={"x-request-id": "a-7"}, timeout=5)
    lines = [line for line in request_lines(server) if " request a-7: GET /collections/missing 404, " in line]
    assert len(lines) == 1 and " debug " in lines[0]


def test_usual_requests_are_no_lines_at_the_default_level(serve):
    server = serve()
    requests.get(f"{server.url}/collections", timeout=5)
    assert request_lines(server) == []


def test_slow_requests_are_warnings(serve):
    server = serve(service__slow_query_secs="0")
    requests.get(f"{server.url}/collections", timeout=5)
    assert any(" warning request " in line and " GET /collections 200, " in line for line in request_lines(server))


def test_what_a_client_sends_cannot_look_like_another_line(serve):
    server = serve(log_level="DEBUG")
    requests.get(f"{server.url}/{'x' * 5000}", headers={"x-request-id": "i" * 5000}, timeout=5)
    lines = [line for line in request_lines(server) if "iii" in line]
    assert len(lines) == 1 and len(lines[0]) < 600


def test_a_line_is_json_whatever_bytes_a_client_sends(serve):
    server = serve(log_level="DEBUG", logger__format="json")
    ids = [b"cut-\xc3", b"lone-\xff", b"control-\xc2\x9b31m", b"quote-\"\\"]
    for given in ids:
        requests.get(f"{server.url}/collections", headers={"x-request-id": given}, timeout=5)
    server.stop()
    told = [json.loads(line)["message"] for line in server.log.read_bytes().splitlines()]
    for given in ids:
        shown = "".join(chr(byte) if 0x20 <= byte <= 0x7e else "?" for byte in given)
        assert sum(f" {shown}: GET /collections 200, " in message for message in told) == 1, told
