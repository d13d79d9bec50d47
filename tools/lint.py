#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py [--long] [--only RULE]... [--root FOLDER]: holds the tree against the rules of tools/checks.

Prints what it found, one line a finding, and exits 1 if there was anything. The rules' tables are on
top of their modules; tools/README.md tells what each is for. Exits 2 where a tool that a rule needs
is missing, and names it."""

import argparse
import pathlib
import sys
import time

from checks import builds, chapters, formatting, headers, hot_files, includes, licences, scripts, sizes, tidy, words
from checks.process import MissingTool
from checks.tree import Tree

ROOT = pathlib.Path(__file__).resolve().parents[1]
RULES = {
    "includes": includes.check,
    "licences": licences.check,
    "sizes": sizes.check,
    "words": words.check,
    "chapters": chapters.check,
    "hot-files": hot_files.check,
    "builds": builds.check,
    "format": formatting.check,
    "scripts": scripts.check,
    "headers": headers.check,
    "tidy": tidy.check,
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=RULES, metavar="RULE",
                        help=f"only this rule (may be repeated): {', '.join(RULES)}")
    parser.add_argument("--long", action="store_true", help="clang-tidy over every file, not only the changed ones")
    parser.add_argument("--root", default=ROOT, help="the tree to judge (default: the one this file is in)")
    given = parser.parse_args(arguments)
    tree = Tree(given.root)
    count = 0
    for name in given.only or RULES:
        began = time.monotonic()
        options = {"everything": given.long} if name == "tidy" else {}
        try:
            findings = sorted(RULES[name](tree, **options), key=str)
        except (MissingTool, FileNotFoundError) as missing:
            print(f"lint.py: {name}: {missing}", file=sys.stderr)
            return 2
        for finding in findings:
            print(f"{finding} [{name}]")
        print(f"-- {name}: {len(findings) or 'nothing'} found, {time.monotonic() - began:.1f} s")
        count += len(findings)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
