# SPDX-License-Identifier: Apache-2.0
"""Where io_uring is refused, as in a container with a strict seccomp profile, the server says so and
serves over epoll."""

import ctypes
import errno
import shutil
import struct

import pytest
import requests

from server import Server

IO_URING_SETUP = 425  # on every architecture
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x50000, 0x7FFF0000
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06

LIBC = ctypes.CDLL(None, use_errno=True)


class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def refuse_io_uring(code):
    """A function that makes io_uring_setup fail with `code` in its process, forever."""
    instructions = b"".join(struct.pack("=HBBI", *one) for one in (
        (LOAD_WORD, 0, 0, 0),  # the number of the system call
        (JUMP_IF_EQUAL, 0, 1, IO_URING_SETUP),
        (RETURN, 0, 0, SECCOMP_RET_ERRNO | code),
        (RETURN, 0, 0, SECCOMP_RET_ALLOW)))
    program = Program(4, instructions)

    def install():
        for call in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))):
            if LIBC.prctl(*call) != 0:
                raise OSError(ctypes.get_errno(), "prctl")
    return install


@pytest.fixture
def make():
    """Servers that are ended and removed."""
    made = []

    def one(transport, before=None):
        made.append(Server(environment={"QDRANT__IO__TRANSPORT": transport}, before=before))
        return made[-1]
    yield one
    for server in made:
        if server.process.poll() is None:
            server.kill()
        shutil.rmtree(server.folder, ignore_errors=True)


def warnings(server):
    return [line for line in server.log.read_text().splitlines() if "epoll" in line and "transport:" not in line]


@pytest.mark.parametrize("code, advice", [(errno.EPERM, "seccomp"), (errno.ENOSYS, "Linux 6.1"), (errno.ENOMEM, "ulimit -l")])
def test_a_refused_ring_is_told_once_with_its_remedy_and_epoll_serves(make, code, advice):
    server = make("auto", refuse_io_uring(code)).start()
    assert "transport: epoll" in server.tail()
    assert len(warnings(server)) == 1 and advice in warnings(server)[0], server.tail()
    collection = f"{server.url}/collections/one"
    requests.put(collection, json={"vectors": {"size": 2, "distance": "Dot"}}, timeout=30).raise_for_status()
    body = {"points": [{"id": 1, "vector": [1, 0]}, {"id": 2, "vector": [0, 1]}]}
    requests.put(f"{collection}/points", params={"wait": "true"}, json=body, timeout=30).raise_for_status()
    found = requests.post(f"{collection}/points/query", json={"query": [0, 1], "limit": 1}, timeout=30).json()
    assert [point["id"] for point in found["result"]["points"]] == [2]
    assert server.stop() == 0


def test_a_ring_that_is_asked_for_and_refused_ends_the_start(make):
    server = make("uring", refuse_io_uring(errno.EPERM))
    assert server.launch().wait(60) == 1
    assert "seccomp" in server.tail()


def test_epoll_can_be_asked_for(make):
    server = make("epoll").start()
    assert "transport: epoll" in server.tail()
    assert not warnings(server)
