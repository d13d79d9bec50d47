# SPDX-License-Identifier: Apache-2.0
import json
import os
import socket
import subprocess
import sys

import pytest

from ports import RANGE_FILE, ClaimedPort
from server import ROOT, Server


def test_a_claimed_port_is_no_connections_own():
    low, high = map(int, RANGE_FILE.read_text().split())
    if low <= 10_000:
        pytest.skip("the ephemeral range leaves no ports")
    assert not low <= ClaimedPort().number <= high


def test_two_processes_never_claim_the_same_port():
    ours = [ClaimedPort() for _ in range(20)]
    # The other process begins its search where ours began.
    code = (f"import json, os; os.getpid = lambda: {os.getpid()}\n"
            "from ports import ClaimedPort\n"
            "print(json.dumps([claim.number for claim in [ClaimedPort() for _ in range(20)]]))")
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "tests/clients", check=True,
                             capture_output=True, text=True, timeout=60).stdout
    theirs = set(json.loads(printed))
    numbers = {claim.number for claim in ours}
    assert len(numbers) == len(theirs) == 20
    assert not numbers & theirs


def test_a_server_whose_port_was_taken_while_it_was_down_starts_on_another(server):
    assert server.stop() == 0
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", server.port))
        thief.listen()
        before = server.port
        server.start()
        assert server.port != before
