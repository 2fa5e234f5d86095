# Ends connections to test/programs/witness.py in every way, and prints what it and the witness see.
import errno
import os
import socket
import struct
import sys

where = (sys.argv[1], int(sys.argv[2]))


def connected(way, which):
    made = socket.create_connection(where, timeout=20)
    made.sendall(f"{way} {which}\n".encode())
    return made


def read_all(made):
    parts = b""
    try:
        while part := made.recv(65536):
            parts += part
    except OSError as failed:
        return f"{len(parts)} bytes, {errno.errorcode[failed.errno]}"
    return parts.decode()[:40]


def told(which):
    with connected("told", which) as made:
        return read_all(made)


def lingering(which):
    made = connected("listens", which)
    made.sendall(b"x" * 1000)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    made.close()


def unread(which):
    made = connected("speaks", which)
    made.recv(1, socket.MSG_PEEK)
    made.close()


def half_closed(which):
    with connected("answers", which) as made:
        made.sendall(b"x" * 100_000)
        made.shutdown(socket.SHUT_WR)
        return read_all(made)


def deaf(which):
    with connected("answers", which) as made:
        made.shutdown(socket.SHUT_RD)
        heard = made.recv(1)
        made.sendall(b"x" * 100)
        made.shutdown(socket.SHUT_WR)
        return f"heard {heard}"


def ordinary(which):
    with connected("listens", which) as made:
        made.sendall(b"x" * 100_000)


def lingering_for_a_while(which):
    """close waits for what was sent, 5 s at most."""
    with connected("listens", which) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
        made.sendall(b"x" * 300_000)


def killed(which):
    """A process that ends without a word."""
    made = connected("listens", which)
    if os.fork() == 0:
        made.sendall(b"x" * 500)
        os._exit(0)
    os.wait()
    made.close()


for way in (lingering, unread, half_closed, deaf, ordinary, lingering_for_a_while, killed):
    name = way.__name__
    print(f"{name}: {way(name)}; the peer: {told(name)}", flush=True)
print(f"reset: {read_all(connected('resets', 'reset'))}", flush=True)
print(f"cut: {read_all(connected('cuts', 'cut'))}", flush=True)
