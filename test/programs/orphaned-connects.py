# Connects to the address in a call that waits and in one that does not, and writes to the file what becomes of both: what it prints would go with its supervisor.
import errno
import select
import socket
import sys
import threading

address, results = sys.argv[1:3]


def write(way, code):
    with open(results, "a") as file:
        print(way, errno.errorcode.get(code, code), file=file)


def end_of(made, code):
    """A connection may stand for a moment before it is reset."""
    if code:
        return code
    try:
        made.recv(1)
    except OSError as failed:
        return failed.errno
    return 0


def blocking():
    made = socket.socket()
    write("blocking", end_of(made, made.connect_ex((address, 9))))


def polled():
    made = socket.socket()
    made.setblocking(False)
    made.connect_ex((address, 9))
    poll = select.poll()
    poll.register(made, select.POLLOUT)
    poll.poll()
    made.setblocking(True)
    write("polled", end_of(made, made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))


for run in (blocking, polled):
    threading.Thread(target=run).start()
