# SPDX-License-Identifier: Apache-2.0
"""Groups over prefetched points."""

from qdrant_client import QdrantClient, models


def test_prefetches_bring_enough_points_to_fill_the_groups(server):
    client = QdrantClient(server.url)
    client.create_collection("g", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    client.upsert("g", [models.PointStruct(id=i, vector=[1, i], payload={"team": "even" if i % 2 == 0 else "odd"})
                        for i in range(20)], wait=True)
    found = client.query_points_groups("g", prefetch=[models.Prefetch(query=[0.0, 1.0], limit=3)], query=[0.0, 1.0],
                                       group_by="team", group_size=3, limit=2)
    assert {group.id: [hit.id for hit in group.hits] for group in found.groups} == {
        "odd": [19, 17, 15], "even": [18, 16, 14]}
