# SPDX-License-Identifier: Apache-2.0
"""Ports that stay ours while a server of a test is down: no connection of another process is given one
(they lie outside of the ephemeral range), and no other test process claims it."""

import os
import pathlib
import socket

FIRST = 10_000  # below are other servers' usual ports
RANGE_FILE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")

# Every process begins elsewhere, and uses a port again only after all others.
_position = os.getpid() * 97


def candidates():
    low, high = map(int, RANGE_FILE.read_text().split())
    outside = [port for port in range(FIRST, 65_536) if not low <= port <= high]
    return outside or list(range(FIRST, 65_536))  # a range of all ports leaves no better ones


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


class ClaimedPort:
    """A free port; claimed until this object is gone or its process has ended.

    The claim is a name in the abstract namespace of Unix sockets: like the port itself it exists once a
    network namespace, whoever the user is, and it leaves no file behind."""

    def __init__(self):
        global _position
        ports = candidates()
        for _ in ports:
            _position = (_position + 1) % len(ports)
            self.number = ports[_position]
            self._claim = socket.socket(socket.AF_UNIX)
            try:
                self._claim.bind(f"\0vexfs-test-port-{self.number}")
            except OSError:
                self._claim.close()
                continue
            if is_free(self.number):
                return
            self._claim.close()
        raise AssertionError("no free port")
