# SPDX-License-Identifier: Apache-2.0
"""Runs the built vexbench and reads what it wrote."""

import base64
import json
import os
import pathlib
import struct
import subprocess
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VEXBENCH", ROOT / "build/release/vexbench"))


def start(*arguments, **options):
    return subprocess.Popen([BINARY, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)


def run(*arguments, status=0):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status, f"ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def run_scenario(folder, text, url, *arguments, status=0):
    """The JSON result, what was printed and the histogram log; None where nothing was written."""
    file = folder / "scenario.yaml"
    file.write_text(text)
    return run_file(folder, file, url, *arguments, status=status)


def run_file(folder, file, url, *arguments, status=0):
    out = folder / "out"
    done = run("run", file, "--url", url, "--out", out, "--cache", folder / "cache", *arguments, status=status)
    return results(out), done


def results(out):
    files = sorted(out.glob("*.json")) if out.exists() else []
    return json.loads(files[-1].read_text()) if files else None


def operations(result):
    """By (step, operation)."""
    return {(step["name"], each["name"]): each for step in result["steps"] for each in step["operations"]}


def read_histogram_log(text):
    """HdrHistogram's log, read after its description: [(tag, {lowest value of a count: how many})]."""
    read = []
    for line in text.splitlines():
        if line.startswith("#") or line.startswith('"'):
            continue
        tag, _, _, _, packed = line.split(",")
        raw = base64.b64decode(packed)
        cookie, length = struct.unpack(">II", raw[:8])
        assert cookie == 0x1C849314 and length == len(raw) - 8
        plain = zlib.decompress(raw[8:])
        cookie, length, _, digits, lowest, highest, ratio = struct.unpack(">IIIIQQd", plain[:40])
        assert (cookie, digits, lowest, highest, ratio) == (0x1C849313, 3, 1, 3_600_000_000_000, 1.0)
        assert length == len(plain) - 40
        counts, index, at = {}, 0, 40
        while at < len(plain):
            number = shift = 0
            for place in range(9):
                byte = plain[at]
                at += 1
                number |= (byte if place == 8 else byte & 0x7F) << shift
                shift += 7
                if place == 8 or byte < 0x80:
                    break
            value = (number >> 1) ^ -(number & 1)
            if value < 0:
                index -= value
                continue
            counts[lowest_of(index)] = value
            index += 1
        read.append((tag.removeprefix("Tag="), counts))
    return read


def lowest_of(index):
    """A bucket of 2048 counts of one, then of 1024 counts for each doubling."""
    bucket = (index >> 10) - 1
    sub = (index & 1023) + 1024
    return index if bucket < 0 else sub << bucket
