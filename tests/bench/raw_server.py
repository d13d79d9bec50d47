# SPDX-License-Identifier: Apache-2.0
"""A server that answers with whatever bytes a test gives, to see what becomes of those that are no answers."""

import contextlib
import re
import socket
import threading


def http(body=b'{"result":{}}', status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@contextlib.contextmanager
def raw_server(answer):
    """answer(path) gives the bytes, and whether the connection is closed after them. Yields the URL."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    open_sockets = []

    def serve(connection):
        held = b""
        with contextlib.suppress(OSError), connection:
            while True:
                while b"\r\n\r\n" not in held:
                    received = connection.recv(65_536)
                    if not received:
                        return
                    held += received
                head, held = held.split(b"\r\n\r\n", 1)
                length = re.search(rb"Content-Length: (\d+)", head)
                wanted = int(length.group(1)) if length else 0
                while len(held) < wanted:
                    held += connection.recv(65_536) or b" " * wanted
                held = held[wanted:]
                sent, closes = answer(head.split(b" ", 2)[1].decode())
                connection.sendall(sent)
                if closes:
                    return

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                open_sockets.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()
        for connection in open_sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
