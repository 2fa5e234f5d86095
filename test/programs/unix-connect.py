# Connects Unix sockets in the way that its first argument names, one for each name on standard input, and prints what became of it as a line of JSON.
import asyncio
import ctypes
import errno
import json
import os
import signal
import socket
import sys


def address_of(name):
    return "\0" + name[1:] if name.startswith("@") else name


def shown(address):
    return "@" + address[1:].decode() if isinstance(address, bytes) else address


def talk(made):
    made.setblocking(True)
    result = {"peer": shown(made.getpeername()), "own": shown(made.getsockname())}
    made.sendall(b"hello")
    made.shutdown(socket.SHUT_WR)
    result["answer"] = made.makefile().read()
    return result


def named(call):
    try:
        return call()
    except OSError as error:
        return {"errno": errno.errorcode.get(error.errno, str(error))}


def connect(name, kind=socket.SOCK_STREAM, block=True):
    made = socket.socket(socket.AF_UNIX, kind)
    made.setblocking(block)
    with made:
        made.connect(address_of(name))
        return talk(made)


def again(name):
    made = socket.socket(socket.AF_UNIX)
    made.connect(address_of(name))
    return {"second": made.connect_ex(address_of(name)) and errno.errorcode[made.connect_ex(address_of(name))]}


async def over_asyncio(name):
    reader, writer = await asyncio.open_unix_connection(address_of(name))
    writer.write(b"hello")
    writer.write_eof()
    return {"answer": (await reader.read()).decode()}


def interrupted(name, restart):
    """Says each SIGUSR1, whose number is that of a newline, while it is in the call; makes an interrupted one again, which Python's own does not."""
    os.set_blocking(1, False)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.siginterrupt(signal.SIGUSR1, not restart)
    signal.set_wakeup_fd(1)
    made = socket.socket(socket.AF_UNIX)
    address = (1).to_bytes(2, "little") + address_of(name).encode()
    libc = ctypes.CDLL(None, use_errno=True)
    tries = 1
    while libc.connect(made.fileno(), address, len(address)) != 0:
        if ctypes.get_errno() != errno.EINTR:
            raise OSError(ctypes.get_errno(), "connect")
        tries += 1
    return {"tries": tries, **talk(made)}


def timed(name):
    made = socket.socket(socket.AF_UNIX)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (0).to_bytes(8, "little") + (300_000).to_bytes(8, "little"))
    made.connect(address_of(name))
    return talk(made)


def kept(name):
    """Says so when it is connected, and then how it ends."""
    made = socket.socket(socket.AF_UNIX)
    made.connect(address_of(name))
    print(json.dumps({"connected": True}), flush=True)
    return {"heard": made.makefile().read()}


def often(name):
    """Connects 300 times, to what is there and to what is not."""
    for _ in range(300):
        connect(name)
        named(lambda: connect(name + "-not"))
    return {"right": 300}


def listening(name):
    made = socket.socket(socket.AF_UNIX)
    made.bind("\0standin-test-" + str(os.getpid()))
    made.listen()
    made.connect(address_of(name))
    return {}


ways = {
    "blocking": connect,
    "non_blocking": lambda name: connect(name, block=False),
    "seqpacket": lambda name: connect(name, socket.SOCK_SEQPACKET),
    "datagram": lambda name: connect(name, socket.SOCK_DGRAM),
    "again": again,
    "asyncio": lambda name: asyncio.run(over_asyncio(name)),
    "restarted": lambda name: interrupted(name, True),
    "interrupted": lambda name: interrupted(name, False),
    "timed": timed,
    "kept": kept,
    "listening": listening,
    "often": often,
}
for line in sys.stdin:
    print(json.dumps(named(lambda: ways[sys.argv[1]](line.strip()))), flush=True)
