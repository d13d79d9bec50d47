# SPDX-License-Identifier: Apache-2.0
"""The measurement of the generator itself, as short as it can be: it must run, its figures are not judged."""

import re
import subprocess
import sys

from vexbench_run import BINARY, ROOT


def test_the_generator_is_measured_against_wrk():
    command = [sys.executable, ROOT / "bench/vexbench/generator.py", "--build", BINARY.parent, "--rounds", "1",
               "--seconds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for form in (r"x1  wrk +[\d,]+ \(", r"x16 vexbench +[\d,]+ \(", r"x16 ratio +[\d.]+ \(", "pacing error.*constant: ",
                 "pacing error.*poisson: ", r"over the server's.*: 0\.\d+ \("):
        assert re.search(form, done.stdout), done.stdout
