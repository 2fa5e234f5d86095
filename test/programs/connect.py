# Connects in the way that the first argument names, to each ADDRESS PORT that a line of standard input names, and prints what came of it.
import asyncio
import ctypes
import errno
import hashlib
import json
import os
import select
import signal
import socket
import struct
import sys
import threading
import time


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def told(made):
    """One exchange over a connection, with the addresses that the program sees."""
    names = {"peer": made.getpeername()[:2], "own": made.getsockname()[:2]}
    made.settimeout(20)
    made.sendall(b"hello\n")
    made.shutdown(socket.SHUT_WR)
    parts = []
    while part := made.recv(65536):
        parts.append(part)
    return {"answer": b"".join(parts).decode(), **names}


def blocking(address, port):
    made = socket.socket(family_of(address))
    made.connect((address, port))
    return told(made)


def multipath(address, port):
    """As Go and curl do: Multipath TCP where it can be had."""
    try:
        made = socket.socket(family_of(address), socket.SOCK_STREAM, 262)
    except OSError:
        made = socket.socket(family_of(address))
    made.connect((address, port))
    return told(made)


def polled(address, port):
    made = socket.socket(family_of(address))
    made.setblocking(False)
    poll = select.epoll()
    poll.register(made, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP)
    poll.poll(0)
    first = made.connect_ex((address, port))
    events = poll.poll(20)
    code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    steps = [errno.errorcode.get(first, first), [event for _, event in events]]
    if code:
        raise OSError(code, "SO_ERROR", steps)
    made.setblocking(True)
    return {**told(made), "steps": steps}


def mapped(address, port):
    made = socket.socket(socket.AF_INET6)
    made.connect(("::ffff:" + address, port))
    return told(made)


async def exchange(address, port):
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(b"hello\n")
    writer.write_eof()
    answer = (await reader.read()).decode()
    found = {"answer": answer, "peer": writer.get_extra_info("peername")[:2], "own": writer.get_extra_info("sockname")[:2]}
    writer.close()
    return found


def pending(address, port):
    """What a second connect gives while the first is in progress."""
    made = socket.socket(family_of(address))
    made.setblocking(False)
    codes = [made.connect_ex((address, port)) for _ in range(2)]
    return {"codes": [errno.errorcode.get(code, code) for code in codes]}


def refused_later(address, port):
    """A blocking connect that a handler interrupts, and what becomes of the socket when it is refused after that."""
    made = socket.socket(family_of(address))
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    libc = ctypes.CDLL(None, use_errno=True)
    name = struct.pack("!HH4s8x", socket.htons(socket.AF_INET), port, socket.inet_aton(address))
    codes = [errno.errorcode[ctypes.get_errno()]] if libc.connect(made.fileno(), name, len(name)) < 0 else [0]
    print("interrupted", flush=True)
    poll = select.poll()
    poll.register(made, select.POLLOUT)
    poll.poll(20_000)
    codes.append(errno.errorcode.get(made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0))
    return {"codes": codes}


def named_late(address, port):
    """The own name of a socket whose blocking connect SO_SNDTIMEO ended, at the moment at which it can be written to."""
    made = socket.socket(family_of(address))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 200_000))
    libc = ctypes.CDLL(None, use_errno=True)
    name = struct.pack("!HH4s8x", socket.htons(socket.AF_INET), port, socket.inet_aton(address))
    code = ctypes.get_errno() if libc.connect(made.fileno(), name, len(name)) < 0 else 0
    print(errno.errorcode[code], flush=True)
    poll = select.poll()
    poll.register(made, select.POLLOUT)
    poll.poll(20_000)
    print("writable", flush=True)
    return {"own": made.getsockname()}


def fast_open(address, port):
    """A send that would connect by itself, and an option that makes connect wait for the first data."""
    made = socket.socket(family_of(address))
    code = 0
    try:
        made.sendto(b"hello", 0x20000000, (address, port))
    except OSError as failure:
        code = errno.errorcode[failure.errno]
    made = socket.socket(family_of(address))
    made.setsockopt(socket.IPPROTO_TCP, 30, 1)
    made.connect((address, port))
    return {"code": code, **told(made)}


def undumpable(address, port):
    """A process that forbids to be read."""
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    return blocking(address, port)


def again(address, port):
    """What a second connect gives when the first stands."""
    made = socket.socket(family_of(address))
    made.setblocking(False)
    codes = [made.connect_ex((address, port))]
    select.select([], [made], [], 20)
    codes += [made.connect_ex((address, port)) for _ in range(2)]
    stands = socket.socket(family_of(address))
    stands.connect((address, port))
    codes.append(stands.connect_ex((address, port)))
    return {"codes": [errno.errorcode.get(code, code) for code in codes]}


def interrupted(address, port):
    """A blocking connect that a handler without SA_RESTART interrupts, and the socket afterwards."""
    made = socket.socket(family_of(address))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300_000))
    libc = ctypes.CDLL(None, use_errno=True)
    name = struct.pack("!HH4s8x", socket.htons(socket.AF_INET), port, socket.inet_aton(address))
    begun = time.monotonic()
    codes = []
    if libc.connect(made.fileno(), name, len(name)) < 0:
        codes.append(errno.errorcode[ctypes.get_errno()])
    waited = time.monotonic() - begun
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 0))
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    if libc.connect(made.fileno(), name, len(name)) < 0:
        codes.append(errno.errorcode[ctypes.get_errno()])
    return {"codes": codes, "waited": round(waited, 1)}


def volume(address, port):
    """8 MiB each way, by a caller that reads slowly at first; the hash of what came back."""
    made = socket.create_connection((address, port))
    said = os.urandom(8 << 20)
    sender = threading.Thread(target=lambda: (made.sendall(said), made.shutdown(socket.SHUT_WR)))
    sender.start()
    heard = hashlib.sha256()
    count = 0
    while part := made.recv(100_000):
        heard.update(part)
        count += len(part)
    sender.join()
    prefix = f"{made.getsockname()[0]}"
    return {"count": count, "said": hashlib.sha256(said).hexdigest(), "heard": heard.hexdigest(), "own": prefix}


ways = {"blocking": blocking, "multipath": multipath, "polled": polled, "mapped": mapped, "again": again, "pending": pending, "refused_later": refused_later, "named_late": named_late, "fast_open": fast_open, "undumpable": undumpable, "interrupted": interrupted, "volume": volume, "asyncio": lambda a, p: asyncio.run(exchange(a, p))}
way = ways[sys.argv[1]]
for line in sys.stdin:
    address, port = line.split()
    try:
        result = way(address, int(port))
    except OSError as failure:
        result = {"errno": errno.errorcode.get(failure.errno, str(failure))}
    print(json.dumps(result), flush=True)
