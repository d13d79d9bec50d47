# SPDX-License-Identifier: Apache-2.0
"""Our server as a child process, on a port and in a folder of its own. Ended by its process id."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.request

from ports import ClaimedPort

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VEXFS_SERVER", ROOT / "build/release/vexfs-qdrant"))
TRANSPORT = os.environ.get("VEXFS_TRANSPORT", "auto")
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
PORTS_MAX = 5  # that are tried in one start


class Server:
    def __init__(self, folder=None, port=None, environment=None, before=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="vexfs-test-"))
        self.claim = None if port else ClaimedPort()
        self.port = port or self.claim.number
        self.environment = environment or {}
        self.before = before  # is called in the new process before it becomes the server
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
                        "QDRANT__STORAGE__STORAGE_PATH": str(self.folder / "storage"),
                        "QDRANT__IO__TRANSPORT": TRANSPORT}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BINARY, *arguments], cwd=self.folder, stdout=log, stderr=log,
                                            env=environment | self.environment, preexec_fn=self.before)
        return self.process

    def start(self):
        """Starts the process and waits until it serves: on another port where its own is taken by a
        process that knows no claims."""
        for _ in range(PORTS_MAX):
            logged_bytes = self.log.stat().st_size if self.log.exists() else 0
            self.launch()
            if self.serves():
                return self
            ended = f"the server ended with {self.process.returncode}:\n{self.tail()}"
            if not self.claim or b"the port is taken" not in self.log.read_bytes()[logged_bytes:]:
                break
            self.claim = ClaimedPort()
            self.port = self.claim.number
        raise AssertionError(ended)

    def serves(self):
        """Waits; False if the process ends instead."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=5).close()
                return True
            except OSError:
                if time.monotonic() > deadline:
                    raise AssertionError(f"the server does not answer:\n{self.tail()}") from None
                time.sleep(0.02)
        return False

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
