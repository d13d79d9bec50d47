# SPDX-License-Identifier: Apache-2.0
"""clang-tidy 19 with the checks of .clang-tidy, all of them errors: over every file with --long,
else over the files that differ from where the branch left main."""

import json
import re
import subprocess

from .process import for_all, run
from .tree import Finding

PROGRAM = "clang-tidy-19"
COMMANDS = "build/release/compile_commands.json"
# Judged where git cannot say what changed: small, and each of another layer.
SAMPLE = ["core/base/arena.cc", "kernel/engine/dot_scalar.c", "net/http/request.cc"]
CHANGED_MAX = 6  # of many changed files the first ones; --long has the rest
PLACE = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+):\d+: (?:error|warning): (?P<text>.*)$", re.MULTILINE)


def compiled(tree):
    """The files that the release build compiles, by their path from the root."""
    commands = tree.root / COMMANDS
    if not commands.exists():
        raise FileNotFoundError(f"there is no {COMMANDS}: run tools/build --configure release")
    root = str(tree.root.resolve()) + "/"
    return [entry["file"].removeprefix(root) for entry in json.loads(commands.read_text())
            if entry["file"].startswith(root)]


def changed(tree):
    """Files that differ from the merge base with main; on main itself, from the commit before."""
    def git(*arguments):
        done = subprocess.run(["git", "-C", tree.root, *arguments], capture_output=True, text=True, check=False)
        return done.stdout.split() if done.returncode == 0 else []
    head = git("rev-parse", "HEAD")
    base = git("merge-base", "HEAD", "main") or git("merge-base", "HEAD", "origin/main")
    if base == head:
        base = git("rev-parse", "HEAD~1")
    return git("diff", "--name-only", *base, "--") if base else SAMPLE


def judge(tree, path):
    status, output = run([PROGRAM, "--quiet", "--extra-arg=-Wno-deprecated-declarations", "-p", str((tree.root / COMMANDS).parent), path], cwd=tree.root)
    if not status:
        return []
    root = str(tree.root.resolve()) + "/"
    places = [Finding(found["path"], int(found["line"]), found["text"])
              for found in PLACE.finditer(output.replace(root, ""))]
    return places or [Finding(path, 0, output.strip()[-500:])]


def check(tree, everything=False):
    paths = compiled(tree)
    if not everything:
        asked = set(changed(tree))
        paths = [path for path in paths if path in asked][:CHANGED_MAX]
    for findings in for_all(lambda path: judge(tree, path), sorted(set(paths))):
        yield from findings
