# SPDX-License-Identifier: Apache-2.0
"""Shell scripts parse, and shellcheck has nothing to say about them."""

import re

from .process import for_all, run
from .tree import Finding

SHELLCHECK = ["shellcheck", "--format=gcc", "--external-sources", "--shell=bash"]


def judge(tree, path):
    status, output = run(["bash", "-n", path], cwd=tree.root)
    if status:
        place = re.search(r"line (\d+): (.*)", output)
        return [Finding(path, int(place[1]), place[2])] if place else [Finding(path, 0, output.strip())]
    _, output = run([*SHELLCHECK, path], cwd=tree.root)
    return [Finding(found[1], int(found[2]), found[3])
            for found in re.finditer(r"^([^:\n]+):(\d+):\d+: (.*)$", output, re.MULTILINE)]


def check(tree):
    for findings in for_all(lambda path: judge(tree, path), tree.scripts()):
        yield from findings
