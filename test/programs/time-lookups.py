# Looks the name up so many times in turn, connects to its port as often, and prints microseconds for one of each.
import json
import socket
import sys
import time

name, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def timed(work):
    begun = time.monotonic()
    for _ in range(count):
        work()
    return (time.monotonic() - begun) / count * 1e6


address = socket.getaddrinfo(name, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
print(
    json.dumps(
        {
            "lookupUs": timed(lambda: socket.getaddrinfo(name, port, socket.AF_INET, socket.SOCK_STREAM)),
            "connectUs": timed(lambda: socket.create_connection(address).close()),
        }
    )
)
