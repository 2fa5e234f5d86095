# Connects a Unix socket of SOCK_SEQPACKET to the name that is its second argument, in the way of the first, and prints what came of it.
import errno
import os
import random
import select
import socket
import sys
import threading

SO_TIMESTAMP = 29
way, name = sys.argv[1:]
address = "\0" + name[1:] if name.startswith("@") else name


def connected(kind=socket.SOCK_SEQPACKET):
    made = socket.socket(socket.AF_UNIX, kind)
    made.settimeout(30)
    made.connect(address)
    return made


def receive(made):
    """A message, or None at the end."""
    message, times, _, _ = made.recvmsg(1 << 20, 64)
    return message if message or times else None


def sizes():
    """What a socket has room for at once, of random and of awkward lengths; the largest is as long as its send buffer takes."""
    made = connected()
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
    largest = made.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 32
    print("own", repr(made.getsockname()), "peer", repr(made.getpeername()))
    for size in (5, 0, 1, 65_535, 65_536, 100_000, largest, 0):
        message = os.urandom(size)
        made.send(message)
        print(size, receive(made) == message)
    try:
        made.send(bytes(largest + 1))
    except OSError as failure:
        print(errno.errorcode[failure.errno])
    made.shutdown(socket.SHUT_WR)
    print(receive(made), receive(made))


def many():
    """Both ways at once, and the reader slower than the writer."""
    made = connected()
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
    some = random.Random(7)
    messages = [some.randbytes(some.choice((0, 1, 10, 3_000, 70_000))) for _ in range(1_500)]

    def write():
        for message in messages:
            made.send(message)
        made.shutdown(socket.SHUT_WR)

    writer = threading.Thread(target=write)
    writer.start()
    got = [receive(made) for _ in messages]
    writer.join()
    print(got == messages, receive(made), receive(made))


def larger():
    """Than a socket takes by default: its program has made itself more room."""
    made = connected()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    message = os.urandom(300_000)
    made.send(message)
    print(receive(made) == message)


def closed():
    """By the other end, altogether; a message that was on its way then makes another error of it."""
    made = connected()
    made.send(b"close")
    print(receive(made))
    try:
        while True:
            made.send(b"more")
    except OSError as failure:
        print(failure.errno in (errno.EPIPE, errno.ECONNRESET))


def refused():
    for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
        try:
            connected(kind)
            print("connected")
        except OSError as failure:
            print(errno.errorcode[failure.errno])


def idle():
    made = connected()
    made.send(b"hello")
    print(receive(made).decode(), flush=True)
    print(receive(made))
    hangup = select.poll()
    hangup.register(made, 0)
    print(bool(hangup.poll(10_000)))


{"sizes": sizes, "many": many, "larger": larger, "closed": closed, "refused": refused, "idle": idle}[way]()
