#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""table.py [--check]

Writes README's table of what is served, between its two marker lines: per area of the API how many of
upstream's cases pass, counted from passing.txt. --check writes nothing and exits 1 where README says
something else, or where a listed case belongs to no area."""

import collections
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parents[1] / "README.md"
LIST = HERE / "passing.txt"
BEGIN = "<!-- begin: tests/conformance/table.py -->"
END = "<!-- end: tests/conformance/table.py -->"

# Area: its cases in the suite, and the files that they are in (without test_ and .py).
AREAS = {
    "Query API": (268, "query query_full query_indexes"),
    "Named, optional and multivectors": (
        135, "optional_vectors vector_config basic_retrieve_multivec_api multi_vector multi_vector_unnamed "
             "recommendation_multivector collection_update_multivec named_vector_crud multi_vector_uint8 "
             "batch_update_multivec vector_dimension_validation"),
    "Quantization and turbo settings": (132, "turbo4_storage turboquant"),
    "Filters": (
        81, "match_except_empty match_any_empty filter_min_should geo_filter prefix_match filter filter_slice "
            "nested_payload_query nesting_nested_payload_query filter_has_vector filter_is_empty "
            "filter_values_count filter_values_count_missing_field"),
    "Points": (
        71, "basic_retrieve_api validation batch_update update_mode conditional_update count wait_timeout "
            "delete_points filtered_delete uuid_ops update_queue deferred_points limits timeout"),
    "Order by a value": (48, "order_by"),
    "Payload, field indexes, full text, facets": (
        48, "phrase_matching fts facets payload_indexing payload_operations payload_selector "
            "nested_payload_indexing geo_payload_index stopwords"),
    "Strict mode": (47, "strictmode strict_mode_nested"),
    "Recommend, discover, formula, feedback, matrix": (
        42, "discover recommend distance_matrix query_formula relevance_feedback"),
    "Groups and lookup": (42, "group multicollection_reco"),
    "Collections and aliases": (
        29, "collection_update alias memory_placement collection_exists optimizations collection_metadata "
            "shard_key validate_schema"),
    "Snapshots": (26, "shard_snapshot snapshot"),
    "Service, telemetry, metrics": (26, "service k8s_health cluster root_api"),
    "Sparse vectors, idf, bm25": (
        17, "sparse_idf_corpus sparse_vector_validations sparse_vector_persistence sparse_dense_batch_update "
            "sparse_idf sparse_update sparse_vector_config_update sparse_vector_large bm25"),
    "Distances, thresholds": (6, "euclid_dist manhattan_dist score_threshold"),
}


def count(cases):
    """{area: passing}, and the cases that are in no area."""
    area_of = {f"test_{file}": area for area, (_, files) in AREAS.items() for file in files.split()}
    passing, lost = collections.Counter(), []
    for case in cases:
        area = area_of.get(case.split("::")[0])
        if area:
            passing[area] += 1
        else:
            lost.append(case)
    return passing, lost


def table(passing):
    lines = ["| area | upstream's cases | pass |", "|---|---|---|"]
    lines += [f"| {area} | {total} | {passing[area]} |" for area, (total, _) in AREAS.items()]
    total = sum(cases for cases, _ in AREAS.values())
    return "\n".join([*lines, f"| **all** | **{total}** | **{sum(passing.values())}** |"])


def replaced(readme, text):
    """README with the table; nothing where it has no place for one."""
    begin, end = readme.find(BEGIN), readme.find(END)
    if begin < 0 or end < begin:
        return None
    return readme[:begin + len(BEGIN)] + "\n" + text + "\n" + readme[end:]


def main(arguments):
    passing, lost = count(LIST.read_text().splitlines())
    for case in lost:
        print(f"{LIST.name}: {case} belongs to no area of {pathlib.Path(__file__).name}")
    now = README.read_text()
    wanted = replaced(now, table(passing))
    if wanted is None:
        print(f"{README.name}: has not the lines {BEGIN} and {END}")
    elif "--check" not in arguments:
        README.write_text(wanted)
    elif wanted != now:
        print(f"{README.name}: its table is not that of {LIST.name}: run {pathlib.Path(__file__).name}")
    return 1 if lost or wanted is None or ("--check" in arguments and wanted != now) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
