# SPDX-License-Identifier: Apache-2.0
"""Query parameters are read on every route that takes them, before the body."""

import pytest
import requests

READS = ["points", "points/query", "points/query/batch", "points/query/groups", "points/search", "points/search/batch",
         "points/search/groups", "points/scroll", "points/count", "facet"]


@pytest.mark.parametrize("route", READS)
@pytest.mark.parametrize("parameters, status, text", [
    ("timeout=0", 422, "timeout"), ("timeout=soon", 400, "timeout"), ("consistency=some", 400, "consistency")])
def test_a_parameter_out_of_its_range_is_refused_by_every_read(server, route, parameters, status, text):
    answer = requests.post(f"{server.url}/collections/any/{route}?{parameters}", json={}, timeout=60)
    assert answer.status_code == status
    assert text in answer.json()["status"]["error"]
