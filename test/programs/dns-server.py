# A nameserver for tests: answers A and AAAA by UDP and TCP at port 53 from the zone that it is given as JSON, and prints each question.
#
# A zone is {NAME: {"A": [...], "AAAA": [...], "rcode": 2, "silent": true, "truncated": true}}; other names do not exist.
import ipaddress
import json
import socket
import sys
import threading

kinds = {1: "A", 28: "AAAA"}


def question(data):
    labels, at = [], 12
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode())
        at += data[at] + 1
    return ".".join(labels), int.from_bytes(data[at + 1 : at + 3], "big"), data[12 : at + 5]


def answer(data, transport):
    name, kind, asked = question(data)
    print("asked", name, kinds.get(kind, kind), transport, flush=True)
    entry = zone.get(name.lower())
    if entry is not None and entry.get("silent"):
        return None
    rcode = 3 if entry is None else entry.get("rcode", 0)
    addresses = [] if rcode else entry.get(kinds.get(kind), [])
    truncated = transport == "udp" and entry is not None and entry.get("truncated", False)
    records = b"" if truncated else b"".join(record(kind, address) for address in addresses)
    flags = 0x8180 | rcode | (0x0200 if truncated else 0)
    counts = [1, 0 if truncated else len(addresses), 0, 0]
    return data[:2] + b"".join(n.to_bytes(2, "big") for n in [flags, *counts]) + asked + records


def record(kind, address):
    packed = ipaddress.ip_address(address).packed
    head = [0xC00C, kind, 1, 0, 30, len(packed)]
    return b"".join(n.to_bytes(2, "big") for n in head) + packed


def serve_tcp():
    while True:
        made, _ = tcp.accept()
        with made:
            size = int.from_bytes(made.recv(2, socket.MSG_WAITALL), "big")
            said = answer(made.recv(size, socket.MSG_WAITALL), "tcp")
            if said is not None:
                made.sendall(len(said).to_bytes(2, "big") + said)


zone = json.loads(sys.argv[2])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((sys.argv[1], 53))
tcp = socket.create_server((sys.argv[1], 53))
threading.Thread(target=serve_tcp, daemon=True).start()
print("listening", flush=True)
while True:
    data, peer = udp.recvfrom(4096)
    said = answer(data, "udp")
    if said is not None:
        udp.sendto(said, peer)
