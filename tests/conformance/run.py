#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py --upstream DIR [--update] [PYTEST ARGUMENTS]

Runs the REST suite of a qdrant/qdrant 1.19 checkout (its folders tests/openapi and docs/redoc) against
our server, and compares with passing.txt: the ids of the cases that pass, a list that may only grow.
Exits 1 where a listed case does not pass any more. --update adds those that pass now.

Nothing of upstream's is kept in this repository. The suite's own packages (README.md beside this file)
have to be importable: run it with the Python of a virtual environment that has them."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

from server import Server  # noqa: E402

LIST = HERE / "passing.txt"


def run_suite(upstream, url, more):
    """{id: passed} of every case that was collected."""
    with tempfile.TemporaryDirectory() as folder:
        results = pathlib.Path(folder) / "results.xml"
        environment = dict(os.environ, QDRANT_HOST=url, PYTHONPATH=str(upstream / "tests"))
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "--timeout", "60", "-p", "no:cacheprovider",
                        "--tb", "no", "--junitxml", str(results), *(more or ["."])],
                       cwd=upstream / "tests/openapi", env=environment)
        outcomes = {}
        for case in ElementTree.parse(results).getroot().iter("testcase"):
            bad = [case.find(kind) for kind in ("failure", "error", "skipped")]
            name = f"{case.get('classname').split('.')[-1]}::{case.get('name')}"
            name = re.sub(r" at 0x[0-9a-f]+", "", name)
            outcomes[name] = outcomes.get(name, True) and all(one is None for one in bad)
        return outcomes


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--upstream", type=pathlib.Path, required=True)
    options.add_argument("--update", action="store_true")
    given, more = options.parse_known_args()

    server = Server().start()
    try:
        outcomes = run_suite(given.upstream.resolve(), server.url, more)
    finally:
        server.stop()

    listed = set(LIST.read_text().splitlines()) if LIST.exists() else set()
    passing = {name for name, passed in outcomes.items() if passed}
    lost = sorted(name for name in listed - passing if not more or name in outcomes)
    for name in lost:
        print(f"does not pass any more: {name}")
    fresh = passing - listed
    print(f"{len(passing)} of {len(outcomes)} pass; {len(fresh)} are not listed, {len(lost)} are lost")
    if given.update:
        LIST.write_text("".join(f"{name}\n" for name in sorted(listed | passing)))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
