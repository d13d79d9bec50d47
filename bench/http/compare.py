#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rates of a server against the bare ring, in one run on this machine.

wrk runs against both in turn, several rounds, once unpipelined and once with 16 requests in each
send. Rates of a shared machine wander: judge the ratio, taken round by round, and its spread.
Where wrk is the bottleneck the rates are equal, and the CPU time of a request tells more.

    compare.py --build build/release                    hello_server against bare_ring
    compare.py --server './vexfs --port {port}' --path /collections/test
"""

import argparse
import os
import pathlib
import re
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PIPELINE = """
init = function(args)
  local one = wrk.format("GET", args[1])
  local all = {}
  for i = 1, tonumber(args[2]) do all[i] = one end
  whole = table.concat(all)
end
request = function() return whole end
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command):
    process = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL)
    return process


def wait_until_up(port, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not listen")


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(url, path, depth, connections, threads, seconds, script):
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s"]
    if depth > 1:
        command += ["-s", script]
    command.append(url + path)
    if depth > 1:
        command += ["--", path, str(depth)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"wrong answers from {url}:\n{text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--build", default="build/release")
    options.add_argument("--server", help="command of the server, {port} in it; default: hello_server")
    options.add_argument("--bare", help="command of the bare ring, {port} and {bytes} in it")
    options.add_argument("--path", default="/collections/benchmark")
    options.add_argument("--cores", type=int, default=1, help="of hello_server; the bare ring has one")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--least", type=float, default=0.0, help="fail below this median ratio")
    given = options.parse_args()

    build = pathlib.Path(given.build)
    server_port, bare_port = free_port(), free_port()
    server = (given.server or f"{build}/hello_server {{port}} {given.cores}").format(port=server_port)
    running = [start(server)]
    try:
        wait_until_up(server_port, running[0])
        # The yardstick answers with as many bytes as the server does.
        address = f"http://127.0.0.1:{server_port}"
        answer = urllib.request.urlopen(address + given.path).read()
        bare = given.bare or f"{build}/bare_ring {{port}} {{bytes}}"
        running.append(start(bare.format(port=bare_port, bytes=len(answer))))
        wait_until_up(bare_port, running[1])

        failed = False
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(PIPELINE)
            script.flush()
            for depth in (1, 16):
                rates = {"server": [], "bare": []}
                costs = {"server": [], "bare": []}
                for turn in range(given.rounds + 1):
                    for name, port, process in (("server", server_port, running[0]),
                                                ("bare", bare_port, running[1])):
                        before = cpu_seconds(process)
                        rate = measure(f"http://127.0.0.1:{port}", given.path, depth,
                                       given.connections, given.threads, given.seconds, script.name)
                        if turn > 0:  # the first round warms both up
                            rates[name].append(rate)
                            costs[name].append((cpu_seconds(process) - before) * 1e6 /
                                               (rate * given.seconds))
                ratios = [s / b for s, b in zip(rates["server"], rates["bare"])]
                for name, values in rates.items():
                    print(f"x{depth:<3} {name:7} median {statistics.median(values):10.0f} /s  "
                          f"({min(values):.0f} .. {max(values):.0f})  "
                          f"{statistics.median(costs[name]):.2f} us of CPU each")
                ratio = statistics.median(ratios)
                print(f"x{depth:<3} ratio   median {ratio:10.3f}     "
                      f"({min(ratios):.3f} .. {max(ratios):.3f})", flush=True)
                failed = failed or ratio < given.least
        return 1 if failed else 0
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
