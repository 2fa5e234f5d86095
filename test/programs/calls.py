# Makes the socket calls that standard input names, one JSON list [CALL, SOCKET, ARGUMENT...] a line, and prints each result as one JSON line.
import errno
import json
import os
import signal
import socket
import sys

sockets = {}


def make(name, family):
    sockets[name] = socket.socket(socket.AF_INET6 if family == "ipv6" else socket.AF_INET)


def accept(name, as_name):
    connection, address = sockets[name].accept()
    sockets[as_name] = connection
    return list(address)[:2]


def fork_bind(name, address, port):
    """The errno's name that a child gets from a bind of its own, or None."""
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            socket.socket().bind((address, port))
        except OSError as error:
            os.write(write, errno.errorcode[error.errno].encode())
        os._exit(0)
    os.close(write)
    os.wait()
    result = os.read(read, 100).decode()
    os.close(read)
    return result or None


def fork_hold(name):
    """A child that has this socket too, and its pid."""
    child = os.fork()
    if child == 0:
        signal.pause()
    return child


calls = {
    "socket": make,
    "reuseaddr": lambda name: sockets[name].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    "reuseport": lambda name: sockets[name].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
    "v6only": lambda name, value: sockets[name].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, value),
    "nonblocking": lambda name: sockets[name].setblocking(False),
    "receive-timeout": lambda name, seconds: sockets[name].setsockopt(
        socket.SOL_SOCKET, socket.SO_RCVTIMEO, int(seconds).to_bytes(8, "little") + int(seconds % 1 * 1e6).to_bytes(8, "little")
    ),
    "bind": lambda name, address, port: sockets[name].bind((address, port)),
    "fork-bind": fork_bind,
    "fork-hold": fork_hold,
    "listen": lambda name: sockets[name].listen(16),
    "accept": accept,
    "getsockname": lambda name: list(sockets[name].getsockname())[:2],
    "getpeername": lambda name: list(sockets[name].getpeername())[:2],
    "recv": lambda name: sockets[name].recv(4096).decode(),
    "shutdown": lambda name: sockets[name].shutdown(socket.SHUT_RDWR),
    "close": lambda name: sockets.pop(name).close(),
    "port-in-kernel": lambda name: in_kernel(sockets[name]),
}


def in_kernel(listener):
    """The port that /proc/net shows for this socket, whatever getsockname says."""
    inode = str(os.fstat(listener.fileno()).st_ino)
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in open(table):
            fields = line.split()
            if fields[9] == inode:
                return int(fields[1].split(":")[1], 16)


print(json.dumps("begun"), flush=True)
for line in sys.stdin:
    call, name, *arguments = json.loads(line)
    try:
        result = calls[call](name, *arguments)
    except OSError as error:
        result = {"errno": errno.errorcode[error.errno]}
    print(json.dumps(result), flush=True)
