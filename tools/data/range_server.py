"""An HTTP server on this machine that serves one file, and does so badly when told to.

    with RangeServer(content) as server:
        server.break_after = [1000]       # the first answer ends after 1000 bytes of its body
        download(server.url, ...)
        server.requests                   # the headers of each request
"""

import http.server
import re
import threading
import time


class RangeServer:
    def __init__(self, content):
        self.content = content
        self.etag = '"1"'
        self.ranges = True
        self.statuses = []  # Of the next answers; those after them are good.
        self.break_after = []  # Bytes of body after which the next answers break off.
        self.length = "content-length"  # or "chunked", or "none"; else what is said instead
        self.content_range = None  # What is said instead of the right one.
        self.heeds_if_range = True
        self.redirects = []  # Where the next answers redirect to.
        self.pause_s = 0.0  # Between pieces of 1000 bytes.
        self.shift = 0  # A range begins so many bytes later than asked for.
        self.requests = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/some/where.tar.gz"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02},
                         daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _handler(outer):  # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append(dict(self.headers))
                self.close_connection = True
                if outer.statuses:
                    status = outer.statuses.pop(0)
                    if status != 200:
                        self.send_error(status)
                        return
                if outer.redirects:
                    self.send_response(302)
                    self.send_header("Location", outer.redirects.pop(0))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                outer.answer(self)

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, handler):
        start = self._start(handler)
        body = self.content[start or 0:]
        if start is None:
            handler.send_response(200)
        elif start >= len(self.content):
            handler.send_error(416)
            return
        else:
            handler.send_response(206)
            handler.send_header("Content-Range", self.content_range or
                                f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        if self.etag:
            handler.send_header("ETag", self.etag)
        if self.length == "content-length":
            handler.send_header("Content-Length", str(len(body)))
        elif self.length == "chunked":
            handler.send_header("Transfer-Encoding", "chunked")
        elif self.length != "none":
            handler.send_header("Content-Length", self.length)
        handler.send_header("Connection", "close")
        handler.end_headers()
        self._send(handler.wfile, body, self.break_after.pop(0) if self.break_after else None)

    def _start(self, handler):
        """The first byte asked for; None for the whole."""
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if not self.ranges or not match:
            return None
        if self.heeds_if_range and handler.headers.get("If-Range", self.etag) != self.etag:
            return None
        return int(match[1]) + self.shift

    def _send(self, out, body, break_after):
        sent = body if break_after is None else body[:break_after]
        try:
            for begin in range(0, len(sent), 1000):
                piece = sent[begin:begin + 1000]
                out.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.length == "chunked"
                          else piece)
                out.flush()
                time.sleep(self.pause_s)
            if self.length == "chunked" and break_after is None:
                out.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # The client was killed, as some tests do.
