# SPDX-License-Identifier: Apache-2.0
"""A server of the API in a few lines, that answers searches as a test wants: also wrongly."""

import contextlib
import http.server
import json
import threading


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # connections beyond it are tried again after a second


class Stub:
    """answer(query, limit) gives the ids. Every point is always there."""

    def __init__(self, answer, point_count):
        stub = self
        self.answer = answer
        self.point_count = point_count
        self.asked = 0  # requests so far

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: the second would wait for an acknowledgement

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, result = stub.respond(self.path, json.loads(body) if body else None)
                text = json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_POST = do_DELETE = respond

            def log_message(self, *_):
                pass

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def hits(self, query):
        ids = self.answer(query["query"], query["limit"])
        return {"points": [{"id": int(one), "version": 0, "score": 0.5} for one in ids]}

    def respond(self, path, body):
        self.asked += 1
        if path.endswith("/points/query/batch"):
            return 200, [self.hits(each) for each in body["searches"]]
        if path.endswith("/points/query"):
            return 200, self.hits(body)
        if path.endswith("/points/count"):
            return 200, {"count": self.point_count}
        return 200, {"status": "green"}


@contextlib.contextmanager
def serving(*arguments):
    stub = Stub(*arguments)
    thread = threading.Thread(target=stub.server.serve_forever)
    thread.start()
    try:
        yield stub
    finally:
        stub.server.shutdown()
        thread.join()
        stub.server.server_close()
