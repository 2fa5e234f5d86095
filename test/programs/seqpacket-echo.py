# Gives each message of a connection to a Unix socket of SOCK_SEQPACKET, by its path or as @NAME, back as one message, and counts them at the end.
import contextlib
import socket
import sys
import threading

SO_TIMESTAMP = 29


def serve(made):
    # Of an empty message there is a time, and none of the end.
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    count = 0
    with made, contextlib.suppress(ConnectionError, BrokenPipeError):
        while True:
            message, times, _, _ = made.recvmsg(1 << 20, 64)
            if message == b"close":
                return
            if not message and not times:
                break
            count += 1
            made.send(message)
        made.send(f"{count} messages".encode())


listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind("\0" + sys.argv[1][1:] if sys.argv[1].startswith("@") else sys.argv[1])
listener.listen()
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
