# The shop's Python service: tells what it was asked and where it runs, over HTTP/1.1 with keep-alive.
import http.server
import json
import os
import socket


class Prices(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length).decode()
        facts = {"service": "prices", "hostname": socket.gethostname(), "method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
        if self.path.startswith("/env"):
            facts["env"] = dict(os.environ)
        text = (json.dumps(facts) + "\n").encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    # The default queue of five drops connections when many callers come at once.
    request_queue_size = 128


Server(("", int(os.environ.get("PORT", "8000"))), Prices).serve_forever()
