# Answers each connection to the Unix socket at a path with what its caller says, and ends when that does.
import contextlib
import socket
import sys
import threading


def serve(made):
    with made, contextlib.suppress(ConnectionError):
        while said := made.recv(65536):
            made.sendall(said)


listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
