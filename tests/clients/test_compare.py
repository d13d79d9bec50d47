# SPDX-License-Identifier: Apache-2.0
"""When the comparison of the differential test lets two answers differ, and when it does not."""
from compare import difference


def hits(*scores, first=1):
    return [{"id": first + at, "payload": None, "vector": None, "score": score} for at, score in enumerate(scores)]


def swapped(found, one, other):
    again = [dict(hit) for hit in found]
    again[one]["id"], again[other]["id"] = again[other]["id"], again[one]["id"]
    return again


def test_a_score_at_the_threshold_may_be_on_either_side_of_it():
    asked = {"limit": 10, "score_threshold": 0.5}
    assert difference("query", asked, hits(0.9, 0.5000001), hits(0.9)) is None
    assert difference("query", asked, hits(0.9), hits(0.9, 0.5000001)) is None
    assert difference("query", {"limit": 2, "score_threshold": 0.5}, hits(0.9, 0.5), hits(0.9)) is None
    assert difference("query_batch", {"requests": [asked]}, [hits(0.9, 0.5)], [hits(0.9)]) is None


def test_a_score_that_is_clearly_beyond_the_threshold_has_to_be_there():
    asked = {"limit": 10, "score_threshold": 0.5}
    assert difference("query", asked, hits(0.9, 0.51), hits(0.9))
    assert difference("query", {"limit": 10}, hits(0.9, 0.5), hits(0.9))


def test_a_page_may_begin_and_end_with_other_equals():
    found = hits(0.9, 0.9, 0.7, 0.5, 0.5)
    others = [found[0], {**found[1], "id": 77}, *found[2:4], {**found[4], "id": 78}]
    assert difference("query", {"limit": 5, "offset": 3}, found, others) is None
    assert difference("query", {"limit": 5}, found, others)
    assert difference("query", {"limit": 6, "offset": 3}, found, others)


def test_equals_come_in_any_order_and_others_in_theirs():
    found = hits(0.9, 0.7, 0.7, 0.5)
    assert difference("query", {"limit": 10, "offset": 3}, found, swapped(found, 1, 2)) is None
    assert difference("query", {"limit": 10}, found, swapped(found, 0, 1))
    assert difference("query", {"limit": 10, "offset": 3}, found, swapped(found, 1, 3))
