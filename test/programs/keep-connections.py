# At each line "connect" of standard input connects once more and keeps the connection, at "close" closes all; says what came of it.
import errno
import socket
import sys

where = (sys.argv[1], int(sys.argv[2]))
kept = []
for line in sys.stdin:
    word = line.strip()
    if word == "connect":
        made = socket.socket()
        made.settimeout(20)
        code = made.connect_ex(where)
        print(errno.errorcode.get(code, code) if code else "connected", flush=True)
        if not code:
            kept.append(made)
    else:
        while kept:
            kept.pop().close()
        print("closed", flush=True)
        if word == "end":
            break
