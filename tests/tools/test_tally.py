# SPDX-License-Identifier: Apache-2.0
"""The closing line of tools/test: nothing that failed goes missing, nothing counts twice."""

import subprocess
import sys

import pytest
import tally

PASSED = '<testcase classname="a" name="good"/>'
FAILED = '<testcase classname="a" name="bad"><failure message="no"/></testcase>'
SKIPPED = '<testcase classname="a" name="later"><skipped/></testcase>'


@pytest.fixture
def results(tmp_path):
    """results({path: cases}, stages): a folder as tools/test leaves it."""
    def make(files, stages):
        for path, cases in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
        (tmp_path / "stages").write_text("".join(f"{name} {outcome}\n" for name, outcome in stages.items()))
        return tmp_path
    return make


def test_cases_and_stages_that_passed_are_counted_and_skipped_ones_are_not(results):
    folder = results({"clients.junit": PASSED * 3 + SKIPPED}, {"clients": "ok", "lint": "ok"})
    assert tally.tally(folder) == (5, [])


def test_a_failed_case_is_named_once(results):
    folder = results({"clients.junit": PASSED + FAILED}, {"clients": "FAILED"})
    assert tally.tally(folder) == (1, ["a.bad"])


def test_a_stage_that_failed_without_a_failed_case_counts(results):
    folder = results({"clients.junit": PASSED}, {"clients": "FAILED", "lint": "FAILED"})
    assert tally.tally(folder) == (1, ["stage clients", "stage lint"])


def test_a_program_that_died_counts_though_its_file_is_cut(results):
    folder = results({"release-results/ctest.junit": '<testcase name="core_io_test"><failure/></testcase>'},
                     {"unit": "FAILED"})
    (folder / "release-results/core_io_test.xml").write_text("<testsuites><testsuite><testc")
    assert tally.tally(folder) == (0, ["unit: core_io_test (ended without a result)"])


def test_a_program_with_a_failed_case_is_not_counted_again(results):
    folder = results({"asan-results/core_io_test.xml": PASSED + FAILED,
                      "asan-results/ctest.junit": '<testcase name="core_io_test"><failure/></testcase>'},
                     {"asan": "FAILED"})
    assert tally.tally(folder) == (1, ["asan: a.bad"])


@pytest.mark.parametrize("outcome, code", [("ok", 0), ("FAILED", 1)])
def test_the_last_line_and_the_exit_status_say_it(results, root, outcome, code):
    folder = results({"clients.junit": PASSED}, {"lint": outcome})
    done = subprocess.run([sys.executable, root / "tools/tally.py", folder], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stdout.splitlines()[-1] == ("2 passed, 0 failed" if outcome == "ok" else "1 passed, 1 failed")
