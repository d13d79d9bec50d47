# SPDX-License-Identifier: Apache-2.0
"""The server's life as a process: killed, stopped, started twice, started wrongly."""

import random
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

from server import BINARY, Server


def create(server, name="load"):
    body = {"vectors": {"size": 4, "distance": "Dot"}}
    requests.put(f"{server.url}/collections/{name}", json=body, timeout=30).raise_for_status()


def vector_of(point_id, turn):
    """A point's vector tells who wrote it when."""
    return [float(point_id), float(turn), 1.0, 0.0]


class Writer(threading.Thread):
    """Upserts its own ids over and over until the server is gone; remembers what was acknowledged."""

    def __init__(self, server, number, wait):
        super().__init__()
        self.server, self.wait = server, wait
        self.first = number * 100
        self.acknowledged, self.tried = {}, {}

    def run(self):
        session = requests.Session()
        for turn in range(1, 1_000_000):
            ids = random.Random(self.first + turn).sample(range(self.first, self.first + 100), 5)
            points = [{"id": i, "vector": vector_of(i, turn), "payload": {"turn": turn}} for i in ids]
            self.tried.update((i, turn) for i in ids)
            try:
                answer = session.put(f"{self.server.url}/collections/load/points", json={"points": points},
                                     params={"wait": str(self.wait).lower()}, timeout=30)
            except requests.RequestException:
                return
            if answer.status_code == 200:
                self.acknowledged.update((i, turn) for i in ids)


def stored(server):
    body = {"limit": 100_000, "with_payload": True, "with_vector": True}
    answer = requests.post(f"{server.url}/collections/load/points/scroll", json=body, timeout=30)
    answer.raise_for_status()
    return {point["id"]: point for point in answer.json()["result"]["points"]}


def check_nothing_lost(server, writers):
    found = stored(server)
    for writer in writers:
        for point_id, turn in writer.acknowledged.items():
            assert point_id in found, f"point {point_id} of turn {turn} is gone"
            kept = found[point_id]
            # A write in flight may have been applied, never one from before the acknowledged.
            assert turn <= kept["payload"]["turn"] <= writer.tried[point_id]
            assert kept["vector"] == vector_of(point_id, kept["payload"]["turn"])
    assert set(found) <= {i for writer in writers for i in writer.tried}


def load(server, seconds):
    writers = [Writer(server, number, wait=number % 2 == 0) for number in range(4)]
    for writer in writers:
        writer.start()
    # What is acknowledged can be lost: a slow machine takes its time to get there.
    until = time.monotonic() + 60
    while not all(writer.acknowledged for writer in writers):
        assert time.monotonic() < until, "nothing is acknowledged"
        time.sleep(0.01)
    time.sleep(seconds)
    return writers


@pytest.mark.parametrize("times", [3])
def test_everything_acknowledged_is_back_after_kill_9(server, seed, times):
    chosen = random.Random(seed)
    create(server)
    for _ in range(times):
        writers = load(server, chosen.uniform(0.3, 1.0))
        server.kill()
        for writer in writers:
            writer.join(60)
        server.start()
        check_nothing_lost(server, writers)
        requests.delete(f"{server.url}/collections/load", timeout=30).raise_for_status()
        create(server)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_ends_with_0_and_loses_nothing(server, number):
    create(server)
    writers = load(server, 0.3)
    server.signal(number)
    assert server.process.wait(60) == 0, server.tail()
    for writer in writers:
        writer.join(60)
    server.start()
    check_nothing_lost(server, writers)


def test_a_polite_signal_at_any_moment_of_the_start_ends_it_politely(server, seed):
    chosen = random.Random(seed)
    for number in range(4):
        create(server, f"load{number}")
        points = [{"id": i, "vector": vector_of(i, 1)} for i in range(2000)]
        requests.put(f"{server.url}/collections/load{number}/points", json={"points": points}, timeout=30).raise_for_status()
    server.stop()
    began = time.monotonic()
    server.start()
    start_seconds = time.monotonic() - began
    server.stop()
    for _ in range(40):
        moment = chosen.uniform(0, start_seconds)
        process = server.launch()
        time.sleep(moment)
        server.signal(signal.SIGTERM)
        # Before its first line a program is ended by the signal itself.
        assert process.wait(60) in (0, -signal.SIGTERM), f"signal after {moment} s:\n{server.tail()}"


def test_a_second_server_on_the_same_storage_names_the_first(server):
    second = Server(server.folder)
    second.port = Server().port
    process = second.launch()
    assert process.wait(60) != 0
    assert str(server.process.pid) in second.tail()
    requests.get(server.url + "/readyz", timeout=30).raise_for_status()


def test_a_taken_port_ends_the_start_and_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one = Server(port=taken.getsockname()[1])
        assert one.launch().wait(60) != 0
        assert str(one.port) in one.tail()


def run(*arguments, **environment):
    folder = Server().folder
    return subprocess.run([BINARY, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_an_unknown_flag_exits_with_2():
    assert run("--no-such-flag").returncode == 2
    assert run("stray").returncode == 2


def test_version_and_help_exit_with_0():
    assert "vexfs-qdrant" in run("--version").stdout
    assert "--config-path" in run("--help").stdout
    assert run("--version").returncode == run("--help").returncode == 0


@pytest.mark.parametrize("name, value", [
    ("SERVICE__JWT_RBAC", "true"), ("SERVICE__ENABLE_TLS", "true"), ("CLUSTER__ENABLED", "true"),
    ("AUDIT__ENABLED", "true"), ("STORAGE__RECOVERY_MODE", "be careful"),
    ("STORAGE__SNAPSHOTS_CONFIG__SNAPSHOTS_STORAGE", "s3"), ("STORAGE__NODE_TYPE", "Listener"),
    ("SERVICE__VERIFY_HTTPS_CLIENT_CERTIFICATE", "true"),
    ("STORAGE__COLLECTION__STRICT_MODE__ENABLED", "true"),
])
def test_a_key_that_guards_what_is_not_built_refuses_to_start(name, value):
    ended = run(**{f"QDRANT__{name}": value})
    assert ended.returncode not in (0, 2)
    assert f"QDRANT__{name}" in ended.stdout + ended.stderr


def test_a_bad_value_names_file_line_and_key(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("service:\n  host: 127.0.0.1\n  http_port: many\n")
    ended = run("--config-path", str(file))
    assert ended.returncode == 1
    assert "bad.yaml:3: service.http_port" in ended.stdout + ended.stderr
