# SPDX-License-Identifier: Apache-2.0
"""tally.py FOLDER: adds up the results that tools/test left in FOLDER, prints the failed ones and
the closing line, "N passed, N failed", and exits 1 if anything failed.

FOLDER/stages has a line "STAGE ok|FAILED" each. *.junit of pytest and the XML files of GoogleTest
count case by case; a program that ctest calls failed without a failed case of its own (a crash, a
hang) counts as one, and so does a stage that failed without any failed case."""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def cases_of(path):
    """(passed, names of failed) of a JUnit file, or of a GoogleTest one, which is nearly that."""
    passed, failed = 0, []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is None and case.get("status") not in ("notrun", "disabled"):
            passed += 1
    return passed, failed


def tally(folder):
    passed, failed = 0, []
    failed_in = {}
    for path in sorted(folder.glob("*.junit")):
        good, bad = cases_of(path)
        passed += good
        failed += bad
        failed_in[path.stem] = len(bad)
    for results in sorted(folder.glob("*-results")):
        preset = results.name.removesuffix("-results")
        stage = "unit" if preset == "release" else preset
        for path in sorted(results.glob("*.xml")):
            try:
                good, bad = cases_of(path)
            except ElementTree.ParseError:
                good, bad = 0, []  # the program died while it wrote; ctest says so
            passed += good
            failed += [f"{stage}: {name}" for name in bad]
            failed_in[stage, path.stem] = len(bad)
            failed_in[stage] = failed_in.get(stage, 0) + len(bad)
        junit = results / "ctest.junit"
        if junit.exists():
            for program in cases_of(junit)[1]:
                name = program.split(".")[-1]
                if not failed_in.get((stage, name)):
                    failed.append(f"{stage}: {name} (ended without a result)")
                    failed_in[stage] = failed_in.get(stage, 0) + 1
    for line in (folder / "stages").read_text().splitlines():
        stage, outcome = line.split()
        if outcome == "ok":
            passed += 1
        elif not failed_in.get(stage):
            failed.append(f"stage {stage}")
    return passed, failed


def main():
    passed, failed = tally(pathlib.Path(sys.argv[1]))
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
