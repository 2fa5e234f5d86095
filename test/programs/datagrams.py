# Sends datagrams in the way that the first argument names, for each line ADDRESS PORT of standard input, and prints what came of it.
import asyncio
import ctypes
import errno
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def fresh(address):
    made = socket.socket(family_of(address), socket.SOCK_DGRAM)
    made.settimeout(10)
    return made


def connected(address, port):
    made = fresh(address)
    made.connect((address, port))
    made.send(b"hello")
    answer, source = made.recvfrom(100)
    made.send(b"again")
    return {
        "answer": answer.decode(),
        "again": made.recv(100).decode(),
        "source": source[:2],
        "peer": made.getpeername()[:2],
        "own": made.getsockname()[:2],
    }


def refused(address, port):
    """A peer that is not there: poll and the next call of a connected socket tell, and it is told again."""
    made = fresh(address)
    made.connect((address, port))
    codes = []
    for _ in range(2):
        made.send(b"hello")
        poll = select.poll()
        poll.register(made, select.POLLIN)
        events = poll.poll(10_000)
        codes.append(bool(events and events[0][1] & select.POLLERR))
        try:
            made.recv(100)
        except OSError as failure:
            codes.append(errno.errorcode[failure.errno])
    return {"codes": codes}


def unconnected(address, port):
    made = fresh(address)
    made.sendto(b"hello", (address, port))
    answer, source = made.recvfrom(100)
    made.sendto(b"elsewhere", (address, port))
    _, other = made.recvfrom(100)
    return {"answer": answer.decode(), "source": source[:2], "elsewhere": [other[0], other[1] != port]}


def messages(address, port):
    """The same by sendmsg and recvmsg, in pieces."""
    made = fresh(address)
    made.sendmsg([b"hel", b"lo"], [], 0, (address, port))
    pieces = [bytearray(4), bytearray(96)]
    count, _, flags, source = made.recvmsg_into(pieces, 100)
    return {"answer": b"".join(pieces)[:count].decode(), "source": source[:2], "flags": flags}


def copied(address, port):
    """A copy of the descriptor, in a child too."""
    made = fresh(address)
    copy = socket.socket(fileno=os.dup(made.fileno()))
    again = copy.dup()
    reader, writer = os.pipe()
    if os.fork() == 0:
        again.sendmsg([b"hello"], [], 0, (address, port))
        answer, _, _, source = again.recvmsg(100)
        os.write(writer, json.dumps({"answer": answer.decode(), "source": source[:2]}).encode())
        os._exit(0)
    os.wait()
    return json.loads(os.read(reader, 1000))


def waiting(address, port):
    """A thread that waits to receive before anything was sent."""
    made = socket.socket(family_of(address), socket.SOCK_DGRAM)
    made.bind(("::" if ":" in address else "0.0.0.0", 0))
    heard = []
    thread = threading.Thread(target=lambda: heard.append(made.recvfrom(100)))
    thread.start()
    made.sendto(b"hello", (address, port))
    thread.join(10)
    return {"answer": heard[0][0].decode(), "source": heard[0][1][:2]}


def mapped(address, port):
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.settimeout(10)
    made.sendto(b"hello", ("::ffff:" + address, port))
    answer, source = made.recvfrom(100)
    return {"answer": answer.decode(), "source": source[:2]}


def again(address, port):
    """Disconnected and connected anew, as getaddrinfo does to learn of routes; then to anyone."""
    made = fresh(address)
    made.connect((address, port))
    own = made.getsockname()[0]
    ctypes.CDLL(None).connect(made.fileno(), bytes(16), 16)
    made.connect((address, port))
    made.send(b"first")
    first = made.recv(100)
    ctypes.CDLL(None).connect(made.fileno(), bytes(16), 16)
    try:
        peer = made.getpeername()
    except OSError as failure:
        peer = errno.errorcode[failure.errno]
    made.sendto(b"hello", (address, port))
    answer, source = made.recvfrom(100)
    return {"own": own, "first": first.decode().split()[-1], "peer": peer, "answer": answer.decode(), "source": source[:2]}


def large(address, port):
    made = fresh(address)
    made.sendto(b"large 65507", (address, port))
    answer, source = made.recvfrom(70_000)
    part = fresh(address)
    part.sendto(b"large 1000", (address, port))
    cut, _, flags, _ = part.recvmsg(10)
    said = bytes(65_000)
    made.sendto(said, (address, port))
    back = made.recv(70_000)
    try:
        made.sendto(bytes(65_508), (address, port))
        code = 0
    except OSError as failure:
        code = errno.errorcode[failure.errno]
    return {"count": len(answer), "cut": len(cut), "truncated": bool(flags & socket.MSG_TRUNC), "back": back.endswith(said), "code": code}


def peers(addresses, port):
    """Several peers, "ONE,TWO", of one socket: each answers for itself, and one of them is connected to in the end."""
    both = addresses.split(",")
    made = fresh(both[0])
    heard = []
    for number in range(3):
        for address in both:
            made.sendto(b"%d" % number, (address, port))
        answers = [made.recvfrom(100) for _ in both]
        heard.append(sorted([source[0], source[1], answer.decode().split(" ")[-1]] for answer, source in answers))
    made.connect((both[1], port))
    made.send(b"tied")
    return {"heard": heard, "tied": made.recv(100).decode().split(" ")[-1], "peer": made.getpeername()[:2]}


class Heard(asyncio.DatagramProtocol):
    def __init__(self):
        self.heard = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, source):
        self.heard.set_result((data, source))

    def error_received(self, failure):
        self.heard.set_exception(failure)


async def exchange(address, port):
    loop = asyncio.get_running_loop()
    results = {}
    for name, options in (("connected", {"remote_addr": (address, port)}), ("bound", {"local_addr": ("::" if ":" in address else "0.0.0.0", 0)})):
        transport, protocol = await loop.create_datagram_endpoint(Heard, **options)
        transport.sendto(b"hello", None if name == "connected" else (address, port))
        data, source = await asyncio.wait_for(protocol.heard, 10)
        results[name] = [data.decode(), source[:2]]
        transport.close()
    return results


def codes(address, port):
    """The errno of each call that names an address, of a new socket each, and of a new socket itself."""
    found = {}
    for name, send in (
        ("sendto", lambda made: made.sendto(b"hello", (address, port))),
        ("sendmsg", lambda made: made.sendmsg([b"hello"], [], 0, (address, port))),
        ("connect", lambda made: made.connect((address, port))),
    ):
        try:
            send(kept.get(name) or fresh(address))
            found[name] = 0
        except OSError as failure:
            found[name] = errno.errorcode[failure.errno]
    try:
        found["socket"] = 0 if fresh(address).fileno() >= 0 else -1
    except OSError as failure:
        found["socket"] = errno.errorcode[failure.errno]
    return found


def undumpable(address, port):
    """A process that forbids to be read, with sockets from before and after."""
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    made = [fresh(address) for _ in range(20)]
    return {**codes(address, port), "numbers": len({one.fileno() for one in made})}


def orphaned(address, port):
    """Writes what each call gives to the file that the second argument names, until its supervisor is dead and for a while after."""
    tied = fresh(address)
    tied.connect((address, port))
    for name in ("sendto", "sendmsg", "connect"):
        kept[name] = fresh(address)
    with open(sys.argv[2], "a") as results:
        while True:
            tied.settimeout(10)
            try:
                tied.send(b"hello")
                told = tied.recv(100).decode().split(" ")[-1]
            except OSError as failure:
                told = str(failure)
            print(json.dumps({**codes(address, port), "connected": told}), file=results, flush=True)


def closed(address, port):
    """A socket that is closed after its first datagram."""
    made = fresh(address)
    made.sendto(b"hello", (address, port))
    made.close()
    return {"closed": True}


def numbers(address, port):
    """Which numbers descriptors have: of UDP, of a copy of it, and of TCP."""
    made = fresh(address)
    tcp = socket.socket(family_of(address))
    return {"udp": made.fileno(), "copy": made.dup().fileno(), "tcp": tcp.fileno()}


def limited(address, port):
    """A limit of open files under the numbers that UDP sockets have."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    return {"udp": fresh(address).fileno()}


def multicast(address, port):
    made = fresh(address)
    code = 0
    try:
        made.sendto(b"hello", ("224.0.0.251", port))
    except OSError as failure:
        code = errno.errorcode[failure.errno]
    return {"code": code}


def interrupted(address, port):
    """A signal with and without SA_RESTART while a receive waits that has a time-out of its own."""
    made = socket.socket(family_of(address), socket.SOCK_DGRAM)
    libc = ctypes.CDLL(None, use_errno=True)
    signal.signal(signal.SIGALRM, lambda *_: None)
    found = []
    # The first signal may come before the call, on a busy machine.
    for restarts, limit, every in ((False, 20, 0.2), (True, 0.6, 0)):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(limit), int(limit % 1 * 1e6)))
        signal.siginterrupt(signal.SIGALRM, not restarts)
        signal.setitimer(signal.ITIMER_REAL, 0.2, every)
        begun = time.monotonic()
        name, length = ctypes.create_string_buffer(128), ctypes.c_int(128)
        libc.recvfrom(made.fileno(), ctypes.create_string_buffer(10), 10, 0, name, ctypes.byref(length))
        signal.setitimer(signal.ITIMER_REAL, 0)
        found.append([errno.errorcode[ctypes.get_errno()], time.monotonic() - begun < limit])
    return {"found": found}


def kept_open(address, port):
    """What one socket that stays connected hears, another that is not, and a new one."""
    found = {}
    for name in ("connected", "free", "new"):
        made = kept.get(name) or fresh(address)
        made.settimeout(1)
        try:
            if name == "connected" and name not in kept:
                made.connect((address, port))
            if name != "new":
                kept[name] = made
            made.send(b"hello") if name == "connected" else made.sendto(b"hello", (address, port))
            found[name] = made.recv(100).decode().split(" ")[-1]
        except TimeoutError:
            found[name] = "nothing"
        except OSError as failure:
            found[name] = errno.errorcode[failure.errno]
    return found


def often(address, port):
    """500 sockets one after the other, half of them connected."""
    right = 0
    for number in range(500):
        with fresh(address) as made:
            if number % 2:
                made.connect((address, port))
                made.send(b"%d" % number)
            else:
                made.sendto(b"%d" % number, (address, port))
            right += made.recv(100).endswith(b" %d" % number)
    return {"right": right}


kept = {}
ways = {one.__name__: one for one in (connected, refused, unconnected, messages, peers, copied, waiting, mapped, again, large, codes, undumpable, orphaned, closed, numbers, limited, multicast, interrupted, kept_open, often)}
ways["asyncio"] = lambda address, port: asyncio.run(exchange(address, port))
way = ways[sys.argv[1]]
for line in sys.stdin:
    address, port = line.split()
    try:
        result = way(address, int(port))
    except OSError as failure:
        result = {"errno": errno.errorcode.get(failure.errno, str(failure))}
    print(json.dumps(result), flush=True)
