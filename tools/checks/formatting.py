# SPDX-License-Identifier: Apache-2.0
"""C and C++ are laid out by clang-format 19, with .clang-format of the nearest folder above."""

import re

from .process import for_all, run
from .tree import Finding

PROGRAM = "clang-format-19"
COUNT_AT_ONCE = 32
PLACE = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+):\d+: error:", re.MULTILINE)


def check(tree):
    paths = tree.sources()
    groups = [paths[i:i + COUNT_AT_ONCE] for i in range(0, len(paths), COUNT_AT_ONCE)]
    for _, output in for_all(lambda group: run([PROGRAM, "--dry-run", "-Werror", *group], cwd=tree.root), groups):
        first = {}
        for found in PLACE.finditer(output):
            first.setdefault(found["path"], int(found["line"]))
        for path, line in first.items():
            yield Finding(path, line, f"not as {PROGRAM} lays it out: run {PROGRAM} -i {path}")
