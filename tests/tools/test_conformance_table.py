# SPDX-License-Identifier: Apache-2.0
"""README's table of what is served says what passing.txt says."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/conformance"))

import table  # noqa: E402


def test_readme_says_what_the_list_says(capsys):
    assert table.main(["--check"]) == 0, capsys.readouterr().out


def test_no_file_is_in_two_areas_and_no_area_passes_more_than_it_has():
    files = [file for _, names in table.AREAS.values() for file in names.split()]
    assert len(files) == len(set(files))
    passing, _ = table.count(table.LIST.read_text().splitlines())
    assert all(passing[area] <= total for area, (total, _) in table.AREAS.items())


def test_a_case_of_an_unknown_file_is_told():
    passing, lost = table.count(["test_filter::a[True]", "test_filter::b", "test_none::c"])
    assert passing == {"Filters": 2}
    assert lost == ["test_none::c"]


def test_only_what_stands_between_the_marks_is_replaced():
    readme = f"before\n{table.BEGIN}\nold\n{table.END}\nafter"
    assert table.replaced(readme, "new") == f"before\n{table.BEGIN}\nnew\n{table.END}\nafter"
    assert table.replaced("no marks", "new") is None
    assert table.replaced(f"{table.END}\n{table.BEGIN}", "new") is None
