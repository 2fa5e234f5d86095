# Speaks the protocol of NATS without its library: subscribes, publishes, and prints what comes back.
import secrets
import socket
import sys

host, port, limit = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
try:
    made = socket.create_connection((host, port), limit)
except OSError as failure:
    print(type(failure).__name__, failure)
    sys.exit(1)
lines = made.makefile("rwb")


def say(*words):
    lines.write(b"".join(word + b"\r\n" for word in words))
    lines.flush()


# Of this run alone: what others publish meanwhile is not ours.
subject = b"orders." + secrets.token_hex(8).encode()
print(lines.readline().split()[0].decode())
big = b"x" * 200_000
say(b'CONNECT {"verbose":false,"name":"journey"}', b"SUB %s 1" % subject, b"PUB %s 5" % subject, b"bread")
say(b"PUB %s %d" % (subject, len(big)), big, b"PING")
while True:
    words = lines.readline().split()
    if not words or words[0] == b"PONG":
        print(b" ".join(words).decode())
        break
    if words[0] != b"MSG":
        print(b" ".join(words[:1]).decode())
        continue
    body = lines.read(int(words[-1]) + 2)[:-2]
    print(words[0].decode(), words[1] == subject, len(body), body[:10].decode())
made.close()
