# SPDX-License-Identifier: Apache-2.0
"""Random operations as plain values, in the words of the REST API: a pair (name, arguments) that
prints as it is and runs on any backend. Nothing here knows a client.

The generator remembers which ids and indexes exist, so that its choices hit something and writes to
explicit ids succeed. Whoever runs a deletion by filter tells it what is left: see `ids`.

The server's contract is Qdrant 1.19's; the engine and the local mode that it is compared with are a
little newer. What changed between is left out: text of several words or parts of words on a field
without text index, and its case (1.19: substrings as they are), is_null of an array with a null in it (1.19: no)."""

import random
import uuid

VECTORS = {
    "dense": {"size": 8, "distance": "Cosine"},
    "flat": {"size": 4, "distance": "Euclid"},
    "city": {"size": 5, "distance": "Manhattan"},
    "dot": {"size": 16, "distance": "Dot"},
}

COLORS = ["red", "green", "blue", "dark red", "Red", "gr\u00fcn", ""]
TAGS = ["a", "b", "c", "dd", "tag-5"]
WORDS = ["quick", "brown", "fox", "lazy", "dog", "vector", "point"]
UUIDS = [str(uuid.UUID(int=(0x1234567890ABCDEF << 64) | (n * 0x1111_1111_1111))) for n in range(40)]
DATES = ["2023-01-01T00:00:00Z", "2023-06-15T12:30:00.5Z", "2024-02-29", "2023-06-15 12:30:00",
         "2023-06-15T14:30:00+02:00", "2024-12-31T23:59:59.999999Z"]

# Fields of every indexable type, and the type of index that fits.
FIELDS = {
    "color": "keyword", "tags": "keyword", "n": "integer", "price": "float", "flag": "bool",
    "when": "datetime", "uid": "uuid", "place": "geo", "obj.y": "integer", "nest[].a": "integer",
    "nest[].b": "keyword",
}

# Each kind of condition has a name, so that a run can say which of them it covered.
CONDITIONS = [
    "match_keyword", "match_integer", "match_bool", "match_uuid", "match_any", "match_any_integer",
    "match_except", "match_text", "match_phrase", "match_text_any", "range", "range_integer",
    "datetime_range", "geo_box", "geo_radius", "geo_polygon", "values_count", "is_empty", "is_null",
    "field_is_empty", "field_is_null", "has_id", "has_vector", "nested", "min_should", "filter", "slice",
]

# qdrant-edge-py reads True as 1, and matches text without an index otherwise than with one.
NOT_IN_WRITES = {"match_bool", "match_text", "match_phrase", "match_text_any"}


DUE_EVERY = 8  # turns; the first that is due and possible is taken


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.ids = set()
        self.indexes = {}
        self.conditions = CONDITIONS
        self.pending = []
        # Swarm weights: every seed stresses other operations.
        self.weights = {name: self.random.choice([1, 1, 2, 5]) for name in OPERATIONS}
        for name in ("upsert", "query", "scroll", "count"):
            self.weights[name] = 8
        self.turns = 0
        self.due = self.random.sample(OPERATIONS, len(OPERATIONS))

    # Values.

    def vector(self, name):
        size = VECTORS[name]["size"]
        return [round(self.random.uniform(-1, 1), 4) or 0.5 for _ in range(size)]

    def point_id(self):
        if self.random.random() < 0.7:
            return self.random.randrange(120)
        return self.random.choice(UUIDS)

    def known_id(self):
        if self.ids and self.random.random() < 0.97:
            return self.random.choice(sorted(self.ids, key=str))
        return self.point_id()

    def existing_ids(self, most):
        known = sorted(self.ids, key=str)
        return self.random.sample(known, min(len(known), self.random.randint(1, most)))

    def number(self):
        return self.random.choice([self.random.randrange(-5, 20), self.random.randrange(-5, 20),
                                   round(self.random.uniform(-5, 20), 2), 7.0, 0, 2**40])

    def geo(self):
        return {"lon": round(self.random.uniform(-10, 30), 3), "lat": round(self.random.uniform(35, 60), 3)}

    def one_or_list(self, make):
        kind = self.random.random()
        if kind < 0.7:
            return make()
        if kind < 0.95:
            return [make() for _ in range(self.random.randint(0, 3))]
        return None

    def payload(self):
        r = self.random
        makers = {
            "color": lambda: self.one_or_list(lambda: r.choice(COLORS)),
            "tags": lambda: [r.choice(TAGS) for _ in range(r.randint(0, 4))],
            "n": lambda: self.one_or_list(lambda: r.randrange(-5, 20)),
            "price": lambda: self.one_or_list(self.number),
            "flag": lambda: self.one_or_list(lambda: r.random() < 0.5),
            "when": lambda: self.one_or_list(lambda: r.choice(DATES)),
            "uid": lambda: self.one_or_list(lambda: r.choice(UUIDS)),
            "place": lambda: self.one_or_list(self.geo),
            "text": lambda: " ".join(r.choice(WORDS) for _ in range(r.randint(0, 6))),
            "obj": lambda: {"y": r.randrange(10), "z": {"deep": r.choice(COLORS)}},
            "nest": lambda: [{"a": r.randrange(5), "b": r.choice(TAGS)} for _ in range(r.randint(0, 3))],
            "mixed": lambda: r.choice([1, 1.0, "1", True, None, [], [1, "x"], {"k": 1}]),
        }
        return {"keep": 1} | {key: make() for key, make in makers.items() if r.random() < 0.6}

    # Conditions.

    def condition(self, kind=None, depth=0):
        r = self.random
        kind = kind or r.choice(self.conditions)
        keyword = r.choice(["color", "tags", "nest[].b", "obj.z.deep", "mixed"])
        integer = r.choice(["n", "obj.y", "nest[].a", "price", "mixed"])
        some_key = r.choice(["color", "tags", "n", "price", "nest", "mixed", "obj", "obj.y", "gone", "place"])
        if kind == "match_keyword":
            return {"key": keyword, "match": {"value": r.choice(COLORS + TAGS)}}
        if kind == "match_integer":
            return {"key": integer, "match": {"value": r.randrange(-2, 12)}}
        if kind == "match_bool":
            return {"key": r.choice(["flag", "mixed"]), "match": {"value": r.random() < 0.5}}
        if kind == "match_uuid":
            return {"key": "uid", "match": {"value": r.choice(UUIDS)}}
        if kind == "match_any":
            return {"key": keyword, "match": {"any": r.sample(COLORS + TAGS, r.randint(1, 4))}}
        if kind == "match_any_integer":
            return {"key": integer, "match": {"any": r.sample(range(-2, 15), r.randint(1, 5))}}
        if kind == "match_except":
            values = r.choice([COLORS + TAGS, list(range(12))])
            # With an index, the engine lets only values of the index's type pass; set_payload puts others there.
            typed = r.choice([keyword, integer if integer != "nest[].a" else "n"])
            return {"key": typed, "match": {"except": r.sample(values, r.randint(1, 3))}}
        if kind == "match_text":
            return {"key": "text", "match": {"text": r.choice(WORDS)}}
        if kind == "match_phrase":
            return {"key": "text", "match": {"phrase": f"{r.choice(WORDS)} {r.choice(WORDS)}"}}
        if kind == "match_text_any":
            return {"key": "text", "match": {"text_any": f"{r.choice(WORDS)} {r.choice(WORDS)}"}}
        if kind in ("range", "range_integer"):
            bounds = {"gte": self.number(), "lt": self.number()}
            if r.random() < 0.3:
                bounds = {r.choice(["gt", "gte", "lt", "lte"]): self.number()}
            if r.random() < 0.5:
                bounds = {{"gte": "gt", "lt": "lte"}.get(name, name): value for name, value in bounds.items()}
            return {"key": "price" if kind == "range" else integer, "range": bounds}
        if kind == "datetime_range":
            return {"key": "when", "range": {r.choice(["gt", "gte"]): r.choice(DATES[:2] + DATES[3:5]),
                                             r.choice(["lt", "lte"]): r.choice([DATES[0], DATES[5]])}}
        if kind == "geo_box":
            lon, lat = r.uniform(-10, 20), r.uniform(45, 60)
            return {"key": "place", "geo_bounding_box": {
                "top_left": {"lon": lon, "lat": lat},
                "bottom_right": {"lon": lon + r.uniform(1, 20), "lat": lat - r.uniform(1, 20)}}}
        if kind == "geo_radius":
            return {"key": "place", "geo_radius": {"center": self.geo(), "radius": r.uniform(1e4, 2e6)}}
        if kind == "geo_polygon":
            lon, lat, size = r.uniform(-10, 20), r.uniform(35, 50), r.uniform(2, 15)
            ring = [(lon, lat), (lon + size, lat), (lon + size, lat + size), (lon, lat + size), (lon, lat)]
            polygon = {"exterior": {"points": [{"lon": x, "lat": y} for x, y in ring]}}
            return {"key": "place", "geo_polygon": polygon}
        if kind == "values_count":
            return {"key": some_key, "values_count": {r.choice(["gt", "gte", "lt", "lte"]): r.randint(0, 3)}}
        if kind == "is_empty":
            return {"is_empty": {"key": some_key}}
        if kind == "is_null":
            return {"is_null": {"key": some_key}}
        if kind == "field_is_empty":
            return {"key": some_key, "is_empty": r.random() < 0.7}
        if kind == "field_is_null":
            return {"key": some_key, "is_null": r.random() < 0.7}
        if kind == "has_id":
            return {"has_id": [self.point_id() for _ in range(r.randint(1, 30))]}
        if kind == "has_vector":
            return {"has_vector": r.choice(list(VECTORS))}
        if kind == "nested":
            inner = [{"key": "a", "match": {"value": r.randrange(5)}}, {"key": "b", "match": {"value": r.choice(TAGS)}},
                     {"key": "a", "range": {"gte": r.randrange(5)}}]
            clause = r.choice(["must", "must", "should", "must_not"])
            return {"nested": {"key": r.choice(["nest", "nest[]"]), "filter": {clause: r.sample(inner, r.randint(1, 2))}}}
        if kind == "slice":
            total = r.randint(1, 5)
            return {"slice": {"total": total, "index": r.randrange(total)}}
        if depth >= 2:
            return self.condition("match_keyword")
        if kind == "min_should":
            conditions = [self.condition(depth=depth + 1) for _ in range(r.randint(1, 4))]
            return {"min_should": {"conditions": conditions, "min_count": r.randint(1, len(conditions))}}
        return self.filter(depth + 1)

    def filter(self, depth=0):
        r = self.random
        clauses = {}
        for clause in r.sample(["must", "should", "must_not"], r.choice([1, 1, 1, 2, 3])):
            clauses[clause] = [self.condition(depth=depth) for _ in range(r.choice([1, 1, 2, 3]))]
        return clauses

    def maybe_filter(self, chance=0.6):
        return self.filter() if self.random.random() < chance else None

    # Operations. Writes first.

    def point(self):
        names = [name for name in VECTORS if self.random.random() < 0.8]
        return {"id": self.point_id(), "vector": {name: self.vector(name) for name in names},
                "payload": self.payload()}

    def upsert(self):
        points = {}
        for _ in range(self.random.choice([1, 1, 3, 10, 25])):
            point = self.point()
            points[point["id"]] = point
        self.ids |= set(points)
        return {"points": list(points.values()), "form": self.random.choice(["list", "list", "batch"]),
                "wait": self.random.random() < 0.5}

    def selector(self):
        """Which points a payload operation changes; explicit ids exist, unknown ones are an error."""
        if self.ids and self.random.random() < 0.7:
            return {"points": self.existing_ids(8)}
        return {"filter": self.filter_of_write()}

    def filter_of_write(self):
        """Only what every backend understands alike: a write that differs spoils all that follows."""
        kept, self.conditions = self.conditions, [kind for kind in CONDITIONS if kind not in NOT_IN_WRITES]
        chosen = self.filter()
        self.conditions = kept
        return chosen

    def delete(self, by_filter=True):
        if not by_filter or self.random.random() < 0.8:
            chosen = [self.known_id() for _ in range(self.random.randint(1, 4))]
            self.ids -= set(chosen)
            return {"points": chosen}
        return {"filter": {"must": [self.condition("match_uuid"), self.condition("range")]}}

    def set_payload(self):
        arguments = {"payload": self.payload(), **self.selector()}
        if self.random.random() < 0.3:
            arguments["key"] = self.random.choice(["obj", "obj.z", "fresh", "fresh.inner", "nest[]", "nest[0].a",
                                                    "fresh[0].x", "obj.list[]"])
        return arguments

    def overwrite_payload(self):
        return {"payload": self.payload(), **self.selector()}

    def delete_payload(self):
        keys = ["color", "tags", "n", "price", "obj.y", "obj.z", "nest[].a", "mixed", "gone"]
        return {"keys": self.random.sample(keys, self.random.randint(1, 3)), **self.selector()}

    def clear_payload(self):
        """Followed by one that fills again: into an empty payload the engine also sets nulls, which
        otherwise remove, and the client's local mode does not."""
        if not self.ids:
            return None
        cleared = {"points": self.existing_ids(2)}
        self.pending.append(("set_payload", {"payload": {"keep": 1}, **cleared}))
        return cleared

    def update_vectors(self):
        changes = []
        for one in self.existing_ids(4):
            names = self.random.sample(list(VECTORS), self.random.randint(1, 3))
            changes.append({"id": one, "vector": {name: self.vector(name) for name in names}})
        return {"points": changes} if changes else None

    def delete_vectors(self):
        names = self.random.sample(list(VECTORS), self.random.randint(1, 2))
        return {"vector": names, **self.selector()}

    def batch(self):
        parts = []
        for _ in range(self.random.randint(1, 5)):
            name = self.random.choice(["upsert", "set_payload", "overwrite_payload", "delete_payload",
                                       "clear_payload", "delete", "update_vectors", "delete_vectors"])
            arguments = self.delete(by_filter=False) if name == "delete" else getattr(self, name)()
            if arguments:
                parts.append([name, arguments])
            if self.pending:
                parts.append(list(self.pending.pop()))
        return {"operations": parts} if parts else None

    def create_index(self):
        field = self.random.choice(list(FIELDS))
        self.indexes[field] = FIELDS[field]
        return {"field": field, "schema": FIELDS[field]}

    def delete_index(self):
        if not self.indexes:
            return None
        field = self.random.choice(sorted(self.indexes))
        del self.indexes[field]
        return {"field": field}

    # Reads.

    def with_payload(self):
        return self.random.choice([True, True, False, ["color", "obj.y"], {"include": ["nest[].a", "n"]},
                                   {"exclude": ["text", "obj.z", "nest[].b"]}])

    def with_vector(self):
        return self.random.choice([False, False, True, ["dense"], ["flat", "dot"]])

    def retrieve(self):
        ids = list(dict.fromkeys(self.known_id() for _ in range(self.random.randint(1, 12))))
        return {"ids": ids, "with_payload": self.with_payload(), "with_vector": self.with_vector()}

    def scroll(self):
        arguments = {"filter": self.maybe_filter(0.8), "limit": self.random.choice([1, 3, 10, 50, 1000]),
                     "with_payload": self.with_payload(), "with_vector": self.with_vector()}
        if self.random.random() < 0.3 and self.ids:
            arguments["offset"] = self.known_id()
        return arguments

    def scroll_ordered(self):
        keys = [field for field in ("n", "price", "when") if field in self.indexes]
        if not keys:
            return None
        key = self.random.choice(keys)
        order = {"key": key, "direction": self.random.choice(["asc", "desc"])}
        if self.random.random() < 0.4:
            order["start_from"] = self.random.choice(DATES[:3]) if key == "when" else self.random.randrange(0, 10)
        return {"filter": self.maybe_filter(0.5), "limit": 1000, "order_by": order, "with_payload": [key],
                "with_vector": False}

    def count(self):
        return {"filter": self.maybe_filter(0.95), "exact": True}

    def search(self):
        name = self.random.choice(list(VECTORS))
        arguments = {"using": name, "limit": self.random.choice([1, 5, 10, 200]),
                     "filter": self.maybe_filter(), "with_payload": self.with_payload(),
                     "with_vector": self.with_vector(), "exact": self.random.random() < 0.5}
        if self.random.random() < 0.2:
            arguments["offset"] = self.random.randint(0, 20)
        if self.random.random() < 0.2:
            threshold = self.random.uniform(0.2, 3) if name in ("flat", "city") else self.random.uniform(-0.5, 0.9)
            arguments["score_threshold"] = round(threshold, 3)
        return arguments

    def query(self):
        arguments = self.search()
        arguments["query"] = self.vector(arguments["using"])
        return arguments

    def query_by_id(self):
        if not self.ids:
            return None
        return {**self.search(), "query": self.known_id()}

    def query_batch(self):
        return {"requests": [self.query() for _ in range(self.random.randint(1, 6))]}

    def example(self, name):
        return self.random.choice(sorted(self.ids, key=str)) if self.ids and self.random.random() < 0.3 else self.vector(name)

    def query_tree(self):
        """A query by several examples, or of two stages. Prefetches take all points that pass: which
        of equals a smaller one would take is nobody's promise."""
        name = self.random.choice(list(VECTORS))
        examples = lambda least: [self.example(name) for _ in range(self.random.randint(least, 3))]
        pair = lambda: {"positive": self.example(name), "negative": self.example(name)}
        stage = {"query": self.vector(name), "using": name, "limit": 1000, "filter": self.maybe_filter()}
        request = {"using": name, "filter": self.maybe_filter()}
        # `should` clauses of both become alternatives of each other, but local mode holds what the
        # prefetches found against the outer filter once more, and the engine does not.
        if request["filter"] and stage["filter"] and "should" in request["filter"]:
            stage["filter"].pop("should", None)
        kind = self.random.choice(["average_vector", "best_score", "sum_scores", "discover", "nearest", "formula"])
        if kind == "discover":
            request["query"] = {"discover": {"target": self.example(name), "context": [pair(), pair()]}}
        elif kind == "nearest":
            other = self.random.choice(list(VECTORS))
            request |= {"prefetch": [stage], "query": self.vector(other), "using": other}
        elif kind == "formula":
            boost = {"mult": [0.5, {"key": "color", "match": {"value": "red"}}]}
            request |= {"prefetch": [stage], "query": {"formula": {"sum": ["$score", boost]}}}
            request.pop("using")
        else:
            request["query"] = {"recommend": {"positive": examples(1), "negative": examples(0), "strategy": kind}}
        limit = self.random.choice([1, 5, 10, 200])
        return {"request": request | {"limit": limit}, "limit": limit}

    def query_groups(self):
        arguments = self.query()
        arguments.pop("offset", None)
        arguments.pop("score_threshold", None)
        # Hits of a group are its best ones, so that a large limit leaves nothing to chance.
        arguments.update(group_by=self.random.choice(["color", "tags", "n", "obj.y"]), limit=100,
                         group_size=self.random.choice([1, 3, 200]))
        return arguments

    def facet(self):
        keys = [field for field in ("color", "tags", "n", "flag", "nest[].b") if field in self.indexes]
        if not keys:
            return None
        return {"key": self.random.choice(keys), "filter": self.maybe_filter(0.5), "limit": 100}

    def info(self):
        return {}

    def next(self):
        """The next operation; never nothing. By weight, and now and then one whose turn has not come yet:
        a light one could stay away for hundreds of operations."""
        if self.pending:
            return self.pending.pop()
        self.turns += 1
        for name in self.due if self.turns % DUE_EVERY == 0 else ():
            arguments = getattr(self, name)()
            if arguments is not None:
                self.due.remove(name)
                return name, arguments
        while True:
            names = list(self.weights)
            name = self.random.choices(names, [self.weights[n] for n in names])[0]
            arguments = getattr(self, name)()
            if arguments is not None:
                return name, arguments


WRITES = ["upsert", "delete", "set_payload", "overwrite_payload", "delete_payload", "clear_payload",
          "update_vectors", "delete_vectors", "batch", "create_index", "delete_index"]
READS = ["retrieve", "scroll", "scroll_ordered", "count", "query", "query_by_id", "query_batch",
         "query_tree", "query_groups", "facet", "info"]
OPERATIONS = WRITES + READS
