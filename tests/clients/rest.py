# SPDX-License-Identifier: Apache-2.0
"""Requests that have to succeed, as a client without a library sends them."""
import time

import requests


def ask(method, url, body=None):
    answer = requests.request(method, url, json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def wait_until_green(server, name):
    until = time.monotonic() + 60
    while (info := ask("GET", f"{server.url}/collections/{name}"))["status"] != "green":
        assert time.monotonic() < until, info
        time.sleep(0.01)
    return info
