# Sends a datagram for each line WAY ADDRESS PORT of standard input by a UDP socket that has left the numbers it was made with, and prints the result.
import array
import ctypes
import errno
import json
import os
import socket
import struct
import sys

# Python 3.11 does not name it.
IP_UNICAST_IF = 50
libc = ctypes.CDLL(None, use_errno=True)
PIDFD_OPEN, PIDFD_GETFD = 434, 438


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def elsewhere(number, made):
    """The same socket by another number; Python asks the kernel what it is."""
    made.close()
    return socket.socket(fileno=number)


def copied(made):
    return elsewhere(os.dup2(made.fileno(), 30), made)


def passed(made):
    """As Node's cluster gives one to its workers."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        rights = array.array("i", [made.fileno()])
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        _, [(_, _, got)], _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
    return elsewhere(struct.unpack("i", got)[0], made)


def fetched(made):
    pidfd = libc.syscall(PIDFD_OPEN, os.getpid(), 0)
    number = libc.syscall(PIDFD_GETFD, pidfd, made.fileno(), 0)
    os.close(pidfd)
    return elsewhere(number, made)


def child(made):
    """Of a child, which inherits it as its standard input."""
    number = os.dup2(made.fileno(), 31)
    if os.fork() != 0:
        os.wait()
        os.close(number)
        return None
    os.dup2(number, 0)
    os.execv(sys.executable, [sys.executable, sys.argv[0], way, *made_for])


def seen(made):
    return made


def chosen(made):
    made.setsockopt(socket.IPPROTO_IP, IP_UNICAST_IF, struct.pack("!I", socket.if_nametoindex("wire0")))
    return made


def connected(made):
    made.connect((made_for[0], int(made_for[1])))
    return made


unmoved = (seen, chosen, connected)
ways = {way.__name__: way for way in (copied, passed, fetched, child, *unmoved)}


def send(made, address, port):
    payload = f"{way} {address}".encode()
    try:
        return made.sendmsg([payload], [], 0, (address, int(port)))
    except OSError as failure:
        return errno.errorcode[failure.errno]


def tell(result, **more):
    print(json.dumps({"way": way, "result": result, **more}), flush=True)


if len(sys.argv) > 1:
    way, *made_for = sys.argv[1:]
    tell(send(socket.socket(fileno=0), *made_for))
    sys.exit()

for line in sys.stdin:
    way, *made_for = line.split()
    address, port = made_for
    made = socket.socket(family_of(address), socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    moved = ways[way](made)
    if moved is None:
        continue
    if moved.fileno() > 500 and ways[way] not in unmoved:
        sys.exit(f"{way} gave number {moved.fileno()}")
    result = send(moved, address, port)
    level, option = (socket.IPPROTO_IP, IP_UNICAST_IF)
    index = struct.unpack("!I", moved.getsockopt(level, option, 4))[0]
    tell(result, own=moved.getsockname()[0], interface=socket.if_indextoname(index) if index else None)
    moved.close()
