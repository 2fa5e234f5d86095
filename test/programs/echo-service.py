# Answers each connection with what its caller says; when that is one short line, with the caller's address before it.
import contextlib
import socket
import sys
import threading


def serve(made, peer):
    with made, contextlib.suppress(ConnectionError):
        first = made.recv(65536)
        if first.endswith(b"\n") and len(first) < 100:
            made.sendall(f"{peer[0]} {peer[1]} ".encode())
        while first:
            made.sendall(first)
            first = made.recv(65536)


listener = socket.create_server((sys.argv[1], int(sys.argv[2])), family=socket.AF_INET6, dualstack_ipv6=True)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=listener.accept(), daemon=True).start()
