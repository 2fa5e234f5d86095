# Uses sockets that are neither TCP nor UDP nor of a Unix path, and prints what each call gives.
import errno
import os
import socket
import struct

RTM_GETLINK, NLM_F_REQUEST, NLM_F_DUMP = 18, 1, 0x300


def told(work):
    try:
        return work()
    except OSError as failed:
        return errno.errorcode.get(failed.errno, failed.errno)


def netlink():
    """Asks for the names of interfaces, as `ip link` does."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as made:
        made.bind((0, 0))
        head = struct.pack("=IHHIIBxHiII", 32, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0, 0, 0, 0, 0, 0)
        made.sendto(head, (0, 0))
        said, sender = made.recvfrom(65536)
        own = made.getsockname()
        return [b"lo\0" in said, sender, own[1], made.getpeername()]


def packet():
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)) as made:
        made.bind(("lo", 3))
        return made.getsockname()[:2]


def vsock():
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as made:
        made.settimeout(2)
        return made.connect_ex((socket.VMADDR_CID_LOCAL, 9)) if hasattr(socket, "VMADDR_CID_LOCAL") else made.connect_ex((1, 9))


def raw():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as made:
        made.settimeout(5)
        made.connect(("127.0.0.1", 0))
        made.send(struct.pack(">BBHHH", 8, 0, 0xF7FE, 1, 0))
        return [made.recv(100)[20:21], made.getpeername(), made.getsockname()[0]]


def ping():
    """ICMP without rights (icmp(7)); its type is that of UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as made:
        made.settimeout(5)
        made.sendto(struct.pack(">BBHHH", 8, 0, 0, 0, 1), ("127.0.0.1", 0))
        said, sender = made.recvfrom(100)
        return [said[:1], sender]


def sctp():
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132) as made:
        return [made.connect_ex(("127.0.0.1", 9)), other.family.name]


def pair():
    first, second = socket.socketpair()
    with first, second:
        first.sendall(b"through")
        return [second.recv(10), first.getpeername(), first.getsockname()]


def algorithm():
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as made:
        made.bind(("hash", "sha256"))
        request, _ = made.accept()
        with request:
            request.sendall(b"abc")
            return request.recv(32).hex()[:8]


for work in (netlink, packet, vsock, raw, ping, sctp, pair, algorithm):
    print(work.__name__, told(work), flush=True)
print("descriptors", len(os.listdir("/proc/self/fd")))
