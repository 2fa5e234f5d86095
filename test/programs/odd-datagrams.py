# Sends and receives datagrams by calls with odd arguments, in the way that the first argument names, to the address and port that follow; prints
# each call's result and errno.
import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)


def told(name, result):
    code = errno.errorcode[ctypes.get_errno()] if result < 0 else None
    print(json.dumps({"call": name, "result": result, "errno": code}), flush=True)


def fresh():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def address(family=socket.AF_INET):
    host, port = sys.argv[2], int(sys.argv[3])
    return struct.pack("<H", family) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)


def send(made, data, length, name, size):
    return libc.sendto(made.fileno(), data, ctypes.c_size_t(length), 0, name, size)


def endless():
    """A length that no datagram has."""
    made = fresh()
    told("sendto", send(made, b"x", -1, address(), 16))
    told("again", send(made, b"x", -1, address(), 16))
    told("short", send(made, b"x", 1, address(), 16))
    room = ctypes.create_string_buffer(100)
    name, size = ctypes.create_string_buffer(128), ctypes.c_int(128)
    told("recvfrom", libc.recvfrom(made.fileno(), room, ctypes.c_size_t(-1), 0, name, ctypes.byref(size)))


def receive(name, made):
    told(name, libc.recvfrom(made.fileno(), ctypes.create_string_buffer(100), 100, 0, ctypes.create_string_buffer(128), ctypes.byref(ctypes.c_int(128))))


def refused():
    """A receive that waits while the peer of its connected socket says that nobody is there."""
    made = fresh()
    made.connect((sys.argv[2], int(sys.argv[3])))
    made.send(b"hello")
    receive("recvfrom", made)


def ticks(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().split(") ")[1].split()
    return int(fields[11]) + int(fields[12])


def queued():
    """An error that stays in the socket's queue while a receive waits: how much time its supervisor used meanwhile."""
    gone = fresh()
    gone.bind(("127.0.0.1", 0))
    made = fresh()
    made.setsockopt(socket.SOL_IP, 11, 1)  # IP_RECVERR
    made.connect(gone.getsockname())
    gone.close()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 0))
    made.send(b"hello")
    receive("first", made)
    before = ticks(os.getppid())
    receive("second", made)
    print(json.dumps({"call": "ticks", "result": ticks(os.getppid()) - before, "errno": None}), flush=True)


def answering():
    """A server that answers whoever calls it, then connects to the caller and answers again."""
    made = fresh()
    made.bind((sys.argv[2], int(sys.argv[3])))
    print(json.dumps({"call": "bound", "result": made.getsockname()[1], "errno": None}), flush=True)
    _, caller = made.recvfrom(100)
    packed = struct.pack("<H", socket.AF_INET) + struct.pack(">H", caller[1]) + socket.inet_aton(caller[0]) + bytes(8)
    told("answer", send(made, b"pong", 4, packed, 16))
    made.connect(caller)
    told("again", made.send(b"again"))


def unspecified():
    """An address of no family, which an IPv4 socket takes for one of its own."""
    told("sendto", send(fresh(), b"hello", 5, address(socket.AF_UNSPEC), 16))


def long():
    """Addresses longer than any, and of a negative length."""
    made = fresh()
    room = ctypes.create_string_buffer(address(), 300)
    told("sendto", send(made, b"hello", 5, room, 129))
    told("negative", send(made, b"hello", 5, room, -1))
    kept, header = header_of(room, 200)
    told("sendmsg", libc.sendmsg(made.fileno(), header, 0))
    kept, header = header_of(room, -1)
    told("below", libc.sendmsg(made.fileno(), header, 0))


def header_of(name, length):
    """struct mmsghdr for one datagram, after what it points to."""
    payload = ctypes.create_string_buffer(b"hello")
    piece = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(payload), 5))
    where = name if isinstance(name, int) else ctypes.addressof(name)
    return (payload, piece, name), struct.pack("<QiIQQQQi4xI4x", where, length, 0, ctypes.addressof(piece), 1, 0, 0, 0, 0)


def many(made=None):
    """Two datagrams, the second of which cannot be sent: its header or its name cannot be read, or it is of another family."""
    forbidden = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(forbidden)) + mmap.PAGESIZE
    libc.mprotect(ctypes.c_void_p(base), mmap.PAGESIZE, 0)
    made = made or fresh()
    good, header = header_of(ctypes.create_string_buffer(address()), 16)
    ctypes.memmove(base - 64, header, 64)
    told("header", libc.sendmmsg(made.fileno(), ctypes.c_void_p(base - 64), 2, 0))
    _, bad = header_of(base, 16)
    told("name", libc.sendmmsg(made.fileno(), header + bad, 2, 0))
    six = struct.pack("<H", socket.AF_INET6) + bytes(26)
    other, bad = header_of(ctypes.create_string_buffer(six), 28)
    told("family", libc.sendmmsg(made.fileno(), header + bad, 2, 0))


def orphaned():
    """Sends that the guard answers, once standard input says that there is nobody else."""
    made = fresh()
    told("ready", made.fileno())
    sys.stdin.readline()
    told("unspecified", send(made, b"hello", 5, address(socket.AF_UNSPEC), 16))
    many(made)


def silent():
    """Sends that are not of the Internet, of a process that forbids to be read."""
    libc.prctl(4, 0, 0, 0, 0)
    print(json.dumps({"call": "interfaces", "result": len(socket.if_nameindex()), "errno": None}), flush=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    nowhere = struct.pack("<H", socket.AF_UNIX) + b"/nowhere/socket\0"
    told("unix", send(made, b"hello", 5, nowhere, len(nowhere)))
    for size in (16, 128):
        told(f"size {size}", send(fresh(), b"hello", 5, address() + bytes(112), size))


def rebinding():
    """Binds to the port of a socket that was closed after a signal had ended its receive."""

    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    signal.signal(signal.SIGALRM, stop)
    port = 0
    for _ in range(5):
        made = fresh()
        try:
            made.bind(("127.0.0.1", port))
        except OSError as failure:
            ctypes.set_errno(failure.errno)
            return told("bind", -1)
        port = made.getsockname()[1]
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            made.recvfrom(10)
        except Stop:
            made.close()
    told("bind", 5)


def past():
    """Copies with a least number at the limit of open files, past it, and under 0."""
    made = fresh()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    for name, least in (("limit", limit), ("past", limit + 5), ("below", -1)):
        told(name, libc.fcntl(made.fileno(), 0, ctypes.c_int(least)))


def raise_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def raised():
    """How many sockets a process has that raises its limit itself, as Node does: more than the low numbers are."""
    raise_limit()
    held = [fresh() for _ in range(600)]
    told("raised", len({one.fileno() for one in held}))


def crowded():
    """The numbers of sockets when other files are near the low numbers, before the limit is raised, after, and when the files are closed."""
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(740)]
    held = [fresh()]
    told("before", held[0].fileno())
    raise_limit()
    held.append(fresh())
    told("crowded", held[1].fileno())
    for file in files:
        os.close(file)
    told("after", fresh().fileno())


ways = {one.__name__: one for one in (endless, refused, queued, answering, unspecified, long, many, orphaned, silent, rebinding, past, raised, crowded)}
ways[sys.argv[1]]()
