# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, so that an include is all that its user needs."""

import json
import re

from .includes import INCLUDE
from .process import digest, for_all, run
from .tree import Finding

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]
# Path prefix, and the compilers that must take its headers. The first prefix that fits decides.
COMPILERS = [
    ("kernel/uapi/", [["gcc", "-x", "c", "-std=gnu11"], ["g++", "-x", "c++", "-std=c++23"]]),
    ("kernel/engine/level_", []),  # parts of a SIMD level's files, over what these define
    ("kernel/engine/", [["gcc", "-x", "c", "-std=gnu11", "-ffreestanding"]]),
    ("kernel/module/", []),  # needs the kernel's own headers: Kbuild compiles it
    ("", [["g++", "-x", "c++", "-std=c++23"]]),
]
# Which headers were fine, with a digest of all they include; nothing else is remembered.
CACHE = "build/lint/headers.json"


def with_includes(tree, path, seen):
    """The path and all of ours that it includes."""
    if path in seen or path not in tree.files:
        return seen
    seen.add(path)
    for found in INCLUDE.finditer(tree.text(path)):
        if found[1]:
            with_includes(tree, found[1] if "/" in found[1] else path.rsplit("/", 1)[0] + "/" + found[1], seen)
    return seen


def judge(tree, path, compilers):
    for compiler in compilers:
        status, output = run([*compiler, *WARNINGS, "-fsyntax-only", "-I", ".", "-"], cwd=tree.root,
                             input=f'#include "{path}"\n')
        if status:
            place = re.search(r"^([^:\n]+):(\d+):.*?error: (.*)$", output, re.MULTILINE)
            where = f"{place[1]}:{place[2]}: {place[3]}" if place else output.strip()
            return Finding(path, 0, f"does not compile alone with {compiler[0]}: {where}")
    return None


def check(tree):
    cache = tree.root / CACHE
    fine = json.loads(cache.read_text()) if cache.exists() else {}
    jobs, keys = [], {}
    versions = "".join(run([name, "--version"])[1] for name in ("gcc", "g++"))
    for path in tree.sources(".h"):
        compilers = next(found for prefix, found in COMPILERS if path.startswith(prefix))
        texts = [tree.text(included) for included in sorted(with_includes(tree, path, set()))]
        keys[path] = digest(versions, json.dumps([compilers, WARNINGS]), *texts)
        if fine.get(path) != keys[path]:
            jobs.append((path, compilers))
    findings = [found for found in for_all(lambda job: judge(tree, *job), jobs) if found]
    wrong = {finding.path for finding in findings}
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text(json.dumps({path: key for path, key in keys.items() if path not in wrong}, indent=0))
    return findings
