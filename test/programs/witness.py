# Sees how each connection ends, and tells whoever asks: a caller says WAY ID, and later, on a connection of its own, "told ID".
import contextlib
import errno
import socket
import struct
import sys
import threading

ends = {}
known = threading.Condition()


def end_of(made):
    """What its caller says until the end, and the end."""
    said = b""
    try:
        while part := made.recv(65536):
            said += part
    except OSError as failed:
        return said, errno.errorcode[failed.errno]
    return said, "end"


def tell(made, which):
    with known:
        known.wait_for(lambda: which in ends, 20)
        made.sendall(ends.get(which, "nothing").encode())


def serve(made):
    with made, contextlib.suppress(ConnectionError):
        words = made.makefile("rb", buffering=0).readline().decode().split()
        if len(words) != 2:
            return None
        way, which = words
        if way == "told":
            return tell(made, which)
        if way == "cuts":
            made.sendall(b"x" * 4096)
        if way in ("cuts", "resets"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return None
        if way == "speaks":
            made.sendall(b"x" * 4096)
        said, end = end_of(made)
        if way == "answers":
            made.sendall(f"after {len(said)}".encode())
        with known:
            ends[which] = f"{len(said)} bytes, {end}"
            known.notify_all()


listener = socket.create_server(("", int(sys.argv[1])))
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
