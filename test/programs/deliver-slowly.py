# A TCP server with a backlog of 5 that takes 20 ms for each connection ("slow") or accepts none ("never"); says what it got as
# deliver-listener.mjs in mode hash does: one JSON line {"event","port","bytes","hash"} on stdout.
# Usage: deliver-slowly.py slow|never
import hashlib
import json
import signal
import socket
import sys
import time


def say(**line):
    print(json.dumps(line), flush=True)


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(5)
say(event="listening", port=listener.getsockname()[1])
if sys.argv[1] == "never":
    signal.pause()
while True:
    connection, source = listener.accept()
    say(event="accepted", port=source[1])
    received = b""
    while piece := connection.recv(65536):
        received += piece
    say(event="ended", port=source[1], bytes=len(received), hash=hashlib.sha256(received).hexdigest())
    connection.close()
    time.sleep(0.02)
