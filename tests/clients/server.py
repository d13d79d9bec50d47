# SPDX-License-Identifier: Apache-2.0
"""Our server as a child process, on a port and in a folder of its own. Ended by its process id."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VEXFS_SERVER", ROOT / "build/release/vexfs-qdrant"))
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder=None, port=None, environment=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="vexfs-test-"))
        self.port = port or free_port()
        self.environment = environment or {}
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.folder / "server.log"

    def launch(self, *arguments):
        """Starts the process without waiting for it to serve."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QDRANT__")}
        environment |= {"QDRANT__SERVICE__HOST": "127.0.0.1", "QDRANT__SERVICE__HTTP_PORT": str(self.port),
                        "QDRANT__STORAGE__STORAGE_PATH": str(self.folder / "storage")}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BINARY, *arguments], cwd=self.folder, stdout=log, stderr=log,
                                            env=environment | self.environment)
        return self.process

    def start(self):
        self.launch()
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=5).close()
                return self
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline:
                    raise AssertionError(f"the server does not answer:\n{self.tail()}") from None
                time.sleep(0.02)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """The polite way; the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS_MAX)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS_MAX)

    def restart(self):
        status = self.stop()
        assert status == 0, f"the server ended with {status}:\n{self.tail()}"
        return self.start()

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:]
