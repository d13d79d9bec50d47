# SPDX-License-Identifier: Apache-2.0
"""Are two answers the same? Numbers of vectors and scores within TOLERANCE, everything else exactly;
where scores tie, hits are compared as sets, and the ties that a page cuts by their size alone. Hits at a
score threshold may be there or not."""

import math

TOLERANCE = 1e-5


def near(a, b):
    return a == b or math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def same_json(a, b):
    """Equal, telling 1 from 1.0 and from True."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_json(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same_json, a, b))
    return a == b


def same_vectors(a, b):
    if a is None or b is None:
        return a is b
    return a.keys() == b.keys() and all(
        len(a[name]) == len(b[name]) and all(map(near, a[name], b[name])) for name in a)


def same_point(a, b):
    if a["id"] != b["id"]:
        return f"ids {a['id']} and {b['id']}"
    if not same_json(a["payload"], b["payload"]):
        return f"payloads of {a['id']}: {a['payload']} and {b['payload']}"
    if not same_vectors(a["vector"], b["vector"]):
        return f"vectors of {a['id']}: {a['vector']} and {b['vector']}"
    if "score" in a and not near(a["score"], b["score"]):
        return f"scores of {a['id']}: {a['score']} and {b['score']}"
    if a.get("order_value") != b.get("order_value"):
        return f"order values of {a['id']}: {a.get('order_value')} and {b.get('order_value')}"
    return None


def same_points(a, b):
    if len(a) != len(b):
        return f"{len(a)} and {len(b)} points: {[p['id'] for p in a]} and {[p['id'] for p in b]}"
    return next((why for why in map(same_point, a, b) if why), None)


def same_hits(a, b, limit, offset=0, threshold=None):
    if threshold is not None:
        a, b = ([hit for hit in hits if not near(hit["score"], threshold)] for hits in (a, b))
    if len(a) != len(b):
        return f"{len(a)} and {len(b)} hits: {[p['id'] for p in a]} and {[p['id'] for p in b]}"
    for one, other in zip(a, b):
        if not near(one["score"], other["score"]):
            return f"scores {one['score']} of {one['id']} and {other['score']} of {other['id']}"
    start = 0
    for end in range(1, len(a) + 1):
        if end < len(a) and near(a[end]["score"], a[end - 1]["score"]):
            continue
        by_id = lambda point: str(point["id"])
        if end == len(a) == limit and set(map(by_id, a[start:])) != set(map(by_id, b[start:])):
            return None  # which of equals made the page is nobody's promise
        one, other = (sorted(hits[start:end], key=by_id) for hits in (a, b))
        if start > 0 or offset == 0 or list(map(by_id, one)) == list(map(by_id, other)):
            why = same_points(one, other)
            if why:
                return why
        start = end
    return None


def same_page(a, b, arguments):
    return same_hits(a, b, arguments["limit"], arguments.get("offset", 0), arguments.get("score_threshold"))


def difference(name, arguments, a, b):
    """Nothing where the answers are the same, else what is not."""
    if isinstance(a, Exception) or isinstance(b, Exception):
        if isinstance(a, Exception) and isinstance(b, Exception):
            return None
        return f"{a!r} and {b!r}"
    if name == "retrieve":
        by_id = lambda point: str(point["id"])
        return same_points(sorted(a, key=by_id), sorted(b, key=by_id))
    if name == "scroll":
        return same_points(a[0], b[0]) or (None if a[1] == b[1] else f"next {a[1]} and {b[1]}")
    if name == "scroll_ordered":
        by_value = lambda point: (point["order_value"], str(point["id"]))
        return same_points(sorted(a, key=by_value), sorted(b, key=by_value)) or (
            None if [p["order_value"] for p in a] == [p["order_value"] for p in b] else "order")
    if name in ("query", "query_by_id", "query_tree"):
        return same_page(a, b, arguments)
    if name == "query_batch":
        answers = zip(a, b, arguments["requests"])
        return next((why for why in (same_page(x, y, one) for x, y, one in answers) if why), None)
    if name == "query_groups":
        if a.keys() != b.keys():
            return f"groups {sorted(a)} and {sorted(b)}"
        return next((f"group {key}: {why}" for key in a
                     if (why := same_hits(a[key], b[key], arguments["group_size"]))), None)
    return None if same_json(a, b) else f"{a} and {b}"
