# An HTTP server at a Unix socket, given by its path, that answers with the path that is asked for.
import http.server
import socketserver
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"the pod has {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "somebody"

    def log_message(self, *_):
        pass


with socketserver.ThreadingUnixStreamServer(sys.argv[1], Handler) as server:
    print("listening", flush=True)
    server.serve_forever()
