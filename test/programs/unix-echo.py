# Answers each connection to a Unix socket, given by its path or as @NAME, with what its caller says, after "hello from" and the socket.
import contextlib
import socket
import sys
import threading


def serve(made):
    with made, contextlib.suppress(ConnectionError):
        made.sendall(f"hello from {sys.argv[1]}\n".encode())
        while said := made.recv(65536):
            made.sendall(said)


listener = socket.socket(socket.AF_UNIX)
listener.bind("\0" + sys.argv[1][1:] if sys.argv[1].startswith("@") else sys.argv[1])
listener.listen()
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
