# SPDX-License-Identifier: Apache-2.0
"""The same operations on three things: a server through qdrant-client, that client's own :memory:
mode, and the real engine in this process (qdrant-edge-py). Each answers with plain values of one
form: see `points_of` and `Refused`."""

import shutil
import tempfile
import uuid

import qdrant_edge as edge
from qdrant_client import QdrantClient, models

from operations import VECTORS


class Refused(Exception):
    """The operation is wrong by the contract; the text is the backend's."""


class Unsupported(Exception):
    """This backend does not have the operation at all; nothing to compare."""


def plain_id(value):
    return value if isinstance(value, int) else str(uuid.UUID(str(value)))


def plain_vectors(vector):
    if vector is None:
        return None
    return {name: [float(x) for x in values] for name, values in vector.items()}


def points_of(points, scored=False):
    """[{"id", "payload", "vector", "score"?, "order_value"?}]"""
    plain = []
    for point in points:
        one = {"id": plain_id(point.id), "payload": point.payload or None,
               "vector": plain_vectors(point.vector) or None}
        if scored:
            one["score"] = float(point.score)
        if getattr(point, "order_value", None) is not None:
            one["order_value"] = point.order_value
        plain.append(one)
    return plain


class ClientBackend:
    """qdrant-client, whatever is behind it."""

    def __init__(self, client, name="differential"):
        self.client = client
        self.collection = name

    def create(self):
        if self.client.collection_exists(self.collection):
            self.client.delete_collection(self.collection)
        self.client.create_collection(
            self.collection,
            vectors_config={name: models.VectorParams(**params) for name, params in VECTORS.items()})

    def run(self, name, arguments):
        try:
            return getattr(self, name)(**arguments)
        except (AttributeError, TypeError, KeyError):
            raise  # a mistake of these tests, not an answer
        except Exception as failure:
            raise Refused(f"{type(failure).__name__}: {failure}") from failure

    @staticmethod
    def filter_of(value):
        return None if value is None else models.Filter.model_validate(value)

    def selector(self, points=None, filter=None):
        return points if points is not None else models.FilterSelector(filter=self.filter_of(filter))

    @staticmethod
    def selection(value):
        if isinstance(value, dict):
            kind = models.PayloadSelectorInclude if "include" in value else models.PayloadSelectorExclude
            return kind(**value)
        return value

    def points(self, points, form):
        if form == "list":
            return [models.PointStruct(**point) for point in points]
        names = sorted({name for point in points for name in point["vector"]})
        whole = all(set(point["vector"]) == set(names) for point in points)
        if not whole or not names:
            return [models.PointStruct(**point) for point in points]
        return models.Batch(ids=[point["id"] for point in points],
                            vectors={name: [point["vector"][name] for point in points] for name in names},
                            payloads=[point["payload"] for point in points])

    def upsert(self, points, form, wait=True):
        self.client.upsert(self.collection, self.points(points, form), wait=wait)

    def delete(self, **selector):
        self.client.delete(self.collection, self.selector(**selector))

    def set_payload(self, payload, key=None, **selector):
        self.client.set_payload(self.collection, payload, self.selector(**selector), key=key)

    def overwrite_payload(self, payload, **selector):
        self.client.overwrite_payload(self.collection, payload, self.selector(**selector))

    def delete_payload(self, keys, **selector):
        self.client.delete_payload(self.collection, keys, self.selector(**selector))

    def clear_payload(self, **selector):
        self.client.clear_payload(self.collection, self.selector(**selector))

    def update_vectors(self, points):
        self.client.update_vectors(self.collection, [models.PointVectors(**point) for point in points])

    def delete_vectors(self, vector, **selector):
        self.client.delete_vectors(self.collection, vector, self.selector(**selector))

    def batch(self, operations):
        self.client.batch_update_points(self.collection, [self.part(*part) for part in operations])

    def part(self, name, arguments):
        """One member of points/batch."""
        some = dict(arguments)
        if name == "upsert":
            return models.UpsertOperation(upsert=models.PointsList(
                points=[models.PointStruct(**point) for point in some["points"]]))
        points, filter = some.pop("points", None), self.filter_of(some.pop("filter", None))
        which = {"points": points, "filter": filter}
        if name == "delete":
            chosen = models.PointIdsList(points=points) if points is not None else models.FilterSelector(filter=filter)
            return models.DeleteOperation(delete=chosen)
        if name == "set_payload":
            return models.SetPayloadOperation(set_payload=models.SetPayload(**some, **which))
        if name == "overwrite_payload":
            return models.OverwritePayloadOperation(overwrite_payload=models.SetPayload(**some, **which))
        if name == "delete_payload":
            return models.DeletePayloadOperation(delete_payload=models.DeletePayload(**some, **which))
        if name == "clear_payload":
            chosen = models.PointIdsList(points=points) if points is not None else models.FilterSelector(filter=filter)
            return models.ClearPayloadOperation(clear_payload=chosen)
        if name == "update_vectors":
            return models.UpdateVectorsOperation(update_vectors=models.UpdateVectors(
                points=[models.PointVectors(**point) for point in points]))
        return models.DeleteVectorsOperation(delete_vectors=models.DeleteVectors(**some, **which))

    def create_index(self, field, schema):
        self.client.create_payload_index(self.collection, field, schema)

    def delete_index(self, field):
        self.client.delete_payload_index(self.collection, field)

    def retrieve(self, ids, with_payload, with_vector):
        found = self.client.retrieve(self.collection, ids, self.selection(with_payload), with_vector)
        return points_of(found)

    def scroll(self, filter, limit, with_payload, with_vector, offset=None, order_by=None):
        points, following = self.client.scroll(
            self.collection, self.filter_of(filter), limit=limit, offset=offset,
            order_by=None if order_by is None else models.OrderBy(**order_by),
            with_payload=self.selection(with_payload), with_vectors=with_vector)
        return points_of(points), None if following is None else plain_id(following)

    def scroll_ordered(self, **arguments):
        return self.scroll(**arguments)[0]

    def count(self, filter, exact):
        return self.client.count(self.collection, self.filter_of(filter), exact=exact).count

    def request(self, query, using, limit, filter, with_payload, with_vector, exact, offset=None,
                score_threshold=None):
        return dict(query=query, using=using, limit=limit, offset=offset, score_threshold=score_threshold,
                    with_payload=self.selection(with_payload), search_params=models.SearchParams(exact=exact),
                    query_filter=self.filter_of(filter), with_vectors=with_vector)

    def query(self, **arguments):
        return points_of(self.client.query_points(self.collection, **self.request(**arguments)).points, True)

    query_by_id = query

    def query_batch(self, requests):
        asked = []
        for one in requests:
            words = self.request(**one)
            asked.append(models.QueryRequest(
                query=words.pop("query"), filter=words.pop("query_filter"), params=words.pop("search_params"),
                with_vector=words.pop("with_vectors"), **words))
        answers = self.client.query_batch_points(self.collection, asked)
        return [points_of(answer.points, True) for answer in answers]

    def query_tree(self, request, limit):
        answer, = self.client.query_batch_points(self.collection, [models.QueryRequest(**request)])
        return points_of(answer.points, True)

    def query_groups(self, group_by, group_size, limit, **arguments):
        words = self.request(limit=limit, **arguments)
        words.pop("offset")
        answer = self.client.query_points_groups(self.collection, group_by, group_size=group_size, **words)
        return {repr(group.id): points_of(group.hits, True) for group in answer.groups}

    def facet(self, key, filter, limit):
        answer = self.client.facet(self.collection, key, facet_filter=self.filter_of(filter), limit=limit, exact=True)
        return {repr(hit.value): hit.count for hit in answer.hits}

    def info(self):
        return self.client.get_collection(self.collection).points_count


class MemoryBackend(ClientBackend):
    """The client's local mode: no indexes, every search over whole numpy arrays."""

    def __init__(self):
        super().__init__(QdrantClient(":memory:"))

    def run(self, name, arguments):
        try:
            return super().run(name, arguments)
        except KeyError as unknown:  # its "no such point"
            raise Refused(str(unknown)) from unknown

    def query_tree(self, request, limit):
        try:
            return super().query_tree(request, limit)
        except TypeError:
            # It cannot rank an empty array by pairs.
            assert "discover" in request["query"]
            return []


class EdgeBackend:
    """The real engine, without the server around it: no groups, no batches of updates, no query by
    id, which are put together here from what it has."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="edge-")
        self.shard = None

    def create(self):
        self.close()
        self.folder = tempfile.mkdtemp(prefix="edge-")
        self.shard = edge.EdgeShard.create(self.folder, edge.EdgeConfig(vectors={
            name: edge.EdgeVectorParams(size=params["size"], distance=getattr(edge.Distance, params["distance"]))
            for name, params in VECTORS.items()}))

    def close(self):
        self.shard = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, name, arguments):
        try:
            return getattr(self, name)(**arguments)
        except (AttributeError, TypeError, KeyError):
            raise
        except Unsupported:
            raise
        except Exception as failure:
            raise Refused(f"{type(failure).__name__}: {failure}") from failure

    # Filters.

    @classmethod
    def filter_of(cls, value):
        if value is None:
            return None
        words = {}
        for clause, given in value.items():
            if clause == "min_should":
                words[clause] = edge.MinShould([cls.condition(c) for c in given["conditions"]], given["min_count"])
            else:
                words[clause] = [cls.condition(c) for c in given]
        return edge.Filter(**words)

    @classmethod
    def condition(cls, c):
        if "key" in c:
            return edge.FieldCondition(**{name: cls.field(name, value) for name, value in c.items()})
        if "is_empty" in c:
            return edge.IsEmptyCondition(c["is_empty"]["key"])
        if "is_null" in c:
            return edge.IsNullCondition(c["is_null"]["key"])
        if "has_id" in c:
            return edge.HasIdCondition(set(c["has_id"]))
        if "has_vector" in c:
            return edge.HasVectorCondition(c["has_vector"])
        if "nested" in c:
            return edge.NestedCondition(c["nested"]["key"], cls.filter_of(c["nested"]["filter"]))
        if "slice" in c:
            return edge.SliceCondition(**c["slice"])
        return cls.filter_of(c)

    @classmethod
    def field(cls, name, value):
        point = lambda p: edge.GeoPoint(p["lon"], p["lat"])
        if name == "match":
            (kind, wanted), = value.items()
            if isinstance(wanted, bool):
                raise Unsupported  # its binding takes a bool for an integer
            return {"value": edge.MatchValue, "any": edge.MatchAny, "except": edge.MatchExcept,
                    "text": edge.MatchText, "phrase": edge.MatchPhrase, "text_any": edge.MatchTextAny}[kind](wanted)
        if name == "range":
            times = any(isinstance(bound, str) for bound in value.values())
            return (edge.RangeDateTime if times else edge.RangeFloat)(**value)
        if name == "geo_bounding_box":
            return edge.GeoBoundingBox(point(value["top_left"]), point(value["bottom_right"]))
        if name == "geo_radius":
            return edge.GeoRadius(point(value["center"]), value["radius"])
        if name == "geo_polygon":
            return edge.GeoPolygon([point(p) for p in value["exterior"]["points"]])
        if name == "values_count":
            return edge.ValuesCount(**value)
        return value

    # Writes.

    def update(self, change):
        self.shard.update(change)

    def chosen(self, name, *words, points=None, filter=None):
        make = edge.UpdateOperation
        if points is not None:
            self.update(getattr(make, name)(points, *words))
        else:
            self.update(getattr(make, name + "_by_filter")(self.filter_of(filter), *words))

    def upsert(self, points, form, wait=True):
        self.update(edge.UpdateOperation.upsert_points(
            [edge.Point(point["id"], point["vector"], point["payload"]) for point in points]))

    def delete(self, **selector):
        self.chosen("delete_points", **selector)

    def set_payload(self, payload, key=None, **selector):
        self.chosen("set_payload", payload, key, **selector)

    def overwrite_payload(self, payload, **selector):
        self.chosen("overwrite_payload", payload, **selector)

    def delete_payload(self, keys, **selector):
        self.chosen("delete_payload", keys, **selector)

    def clear_payload(self, **selector):
        self.chosen("clear_payload", **selector)

    def update_vectors(self, points):
        self.update(edge.UpdateOperation.update_vectors(
            [edge.PointVectors(point["id"], point["vector"]) for point in points]))

    def delete_vectors(self, vector, **selector):
        self.chosen("delete_vectors", vector, **selector)

    def batch(self, operations):
        for name, arguments in operations:
            self.run(name, arguments)

    def create_index(self, field, schema):
        kind = getattr(edge.PayloadSchemaType, schema.capitalize())
        self.update(edge.UpdateOperation.create_field_index(field, kind))

    def delete_index(self, field):
        self.update(edge.UpdateOperation.delete_field_index(field))

    # Reads.

    @staticmethod
    def selection(value):
        if isinstance(value, dict):
            (kind, keys), = value.items()
            return getattr(edge.PayloadSelector, kind.capitalize())(keys)
        return value

    def retrieve(self, ids, with_payload, with_vector):
        return points_of(self.shard.retrieve(ids, self.selection(with_payload), with_vector))

    def scroll(self, filter, limit, with_payload, with_vector, offset=None, order_by=None):
        order = None
        if order_by is not None:
            order = edge.OrderBy(order_by["key"], getattr(edge.Direction, order_by["direction"].capitalize()),
                                 order_by.get("start_from"))
        points, following = self.shard.scroll(edge.ScrollRequest(
            offset=offset, limit=limit, filter=self.filter_of(filter), order_by=order,
            with_payload=self.selection(with_payload), with_vector=with_vector))
        return points_of(points), None if following is None else plain_id(following)

    def scroll_ordered(self, **arguments):
        return self.scroll(**arguments)[0]

    def count(self, filter, exact):
        return self.shard.count(edge.CountRequest(exact, self.filter_of(filter)))

    def query(self, query, using, limit, filter, with_payload, with_vector, exact, offset=None, score_threshold=None):
        return points_of(self.shard.query(edge.QueryRequest(
            limit=limit, offset=offset, query=edge.Query.Nearest(query, using=using),
            filter=self.filter_of(filter), score_threshold=score_threshold,
            params=edge.SearchParams(exact=exact), with_payload=self.selection(with_payload),
            with_vector=with_vector)), True)

    def query_by_id(self, query, **arguments):
        found = self.shard.retrieve([query], False, True)
        vectors = plain_vectors(found[0].vector) if found else {}
        if arguments["using"] not in (vectors or {}):
            raise Refused("no such point, or it lacks the vector")
        others = {"must_not": [{"has_id": [query]}]}
        if arguments["filter"] is not None:
            others["must"] = [arguments["filter"]]
        return self.query(vectors[arguments["using"]], **{**arguments, "filter": others})

    def query_batch(self, requests):
        return [self.query(**one) for one in requests]

    def query_tree(self, **arguments):
        raise Unsupported

    def query_groups(self, **arguments):
        raise Unsupported

    def facet(self, key, filter, limit):
        answer = self.shard.facet(edge.FacetRequest(key, limit, True, self.filter_of(filter)))
        # The index keeps values that no point has any more; the server's merge drops them.
        return {repr(hit.value): hit.count for hit in answer.hits if hit.count > 0}

    def info(self):
        return self.shard.info().points_count
