# Answers each connection, when its caller has said all, with the caller's address and what it said.
import socket
import sys
import threading


def serve(made, peer):
    with made:
        parts = []
        while part := made.recv(65536):
            parts.append(part)
        made.sendall(f"{peer[0]} {peer[1]} ".encode() + b"".join(parts))


listener = socket.create_server((sys.argv[1], int(sys.argv[2])), family=socket.AF_INET6, dualstack_ipv6=True)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=listener.accept(), daemon=True).start()
