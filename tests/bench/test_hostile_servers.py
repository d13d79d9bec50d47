# SPDX-License-Identifier: Apache-2.0
"""vexbench run against servers that do not do what they should: it ends, and says so."""

import signal
import threading

import pytest

from raw_server import http, raw_server
from stub import serving
from test_run import MADE
from vexbench_run import operations, results, run_scenario, start

ASK = "name: hostile\nsteps:\n  - request: {path: /bad, mode: closed, connections: 2, seconds: 0.5}\n"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"


@pytest.mark.parametrize("sent, closes, why", [
    (b"", False, "has not answered anything"),
    (b"", True, "closed the connection"),
    (CUT, False, "has not answered anything"),
    (CUT, True, "closed the connection"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", True, "closed the connection"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", False, "does not speak HTTP"),
    (b"220 mail.example.com\r\n\r\n", False, "does not speak HTTP"),
    (http() + http(), False, "answer to no request"),
], ids=["silence", "nothing", "half", "half-closed", "half-a-chunk", "negative", "mail", "two-for-one"])
def test_what_is_no_answer_ends_the_run_with_a_reason(tmp_path, sent, closes, why):
    with raw_server(lambda path: (sent, closes) if path == "/bad" else (http(), False)) as url:
        result, done = run_scenario(tmp_path, ASK, url, "--patience", "0.4", status=4)
    assert why in done.stderr
    (each,) = result["steps"][0]["operations"]
    assert each["lost"] + each["unanswered"] > 0


@pytest.mark.parametrize("sent", [
    b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + http(),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    http(b"x" * 1_000_000),
], ids=["continue", "chunked", "no-content", "large"])
def test_unusual_answers_are_answers(tmp_path, sent):
    with raw_server(lambda path: (sent if path == "/bad" else http(), False)) as url:
        result, _ = run_scenario(tmp_path, ASK, url)
    (each,) = result["steps"][0]["operations"]
    assert each["answered"] > 0 and each["lost"] == each["unanswered"] == 0


def test_an_upload_that_is_never_answered_does_not_wait_for_ever(tmp_path):
    with raw_server(lambda path: (b"" if "points" in path else http(), False)) as url:
        _, done = run_scenario(tmp_path, MADE + "steps: [upload]\n", url, "--patience", "0.4", status=4)
    assert "has not answered anything for 0.4 s" in done.stderr


def test_ctrl_c_is_heard_while_a_request_waits_for_its_answer(tmp_path):
    file = tmp_path / "index.yaml"
    file.write_text(MADE + "collection: {indexes: {a: integer}}\n"
                           "steps:\n  - request: {path: /, mode: closed, seconds: 0.1}\n  - index\n")
    asked = threading.Event()

    def answer(path):
        if "/index" not in path:
            return http(), False
        asked.set()
        return b"", False

    with raw_server(answer) as url:
        process = start("run", file, "--url", url, "--out", tmp_path / "out")
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert [step["name"] for step in results(tmp_path / "out")["steps"]] == ["request", "index"]


def test_nothing_is_searched_after_an_upload_with_errors(tmp_path):
    """One of a thousand requests: few, but which points are there is not known any more."""
    text = MADE.replace("300", "1000") + "steps:\n  - upload: {batch: 1}\n  - search: {seconds: 0.1}\n"
    with serving(lambda _, limit: range(limit), 1000) as stub:
        answers = stub.respond
        stub.respond = lambda path, body: (500, None) if body and "points" in body and body["points"][0]["id"] == 5 \
            else answers(path, body)
        result, done = run_scenario(tmp_path, text, stub.url, status=5)
    assert "1 of 1000 requests" in done.stderr
    assert [step["name"] for step in result["steps"]] == ["upload"]


def test_an_upload_must_not_leave_a_gap(tmp_path):
    with serving(lambda _, limit: range(limit), 300) as stub:
        _, done = run_scenario(tmp_path, MADE + "steps:\n  - upload: {from: 0.5}\n", stub.url, status=6)
    assert "0 are there, and this upload begins at 150" in done.stderr


def test_points_that_were_acknowledged_without_waiting_are_waited_for(tmp_path):
    with serving(lambda _, limit: range(limit), 0) as stub:
        answers = stub.respond

        def respond(path, body):
            if path.endswith("/count"):
                stub.point_count += 100  # it takes three looks until all are there
            return answers(path, body)
        stub.respond = respond
        result, _ = run_scenario(tmp_path, MADE + "steps:\n  - upload: {batch: 50, wait: false}\n", stub.url)
        assert stub.point_count == 300
    assert any("counted" in name for name in result["steps"][0]["facts"])
    assert operations(result)["upload", "upsert"]["answered"] == 6
