# Prints each UDP datagram that leaves by the interface which the first argument names, until standard input ends.
import json
import select
import socket
import struct
import sys

ETH_P_ALL = 3
PACKET_OUTGOING = 4
ETH_P_IP = 0x0800
ETH_P_IPV6 = 0x86DD
UDP = 17


def parse(frame):
    kind = struct.unpack_from("!H", frame, 12)[0]
    packet = frame[14:]
    if kind == ETH_P_IP and packet[9] == UDP:
        size, family, ends = (packet[0] & 15) * 4, socket.AF_INET, (packet[12:16], packet[16:20])
    elif kind == ETH_P_IPV6 and packet[6] == UDP:
        size, family, ends = 40, socket.AF_INET6, (packet[8:24], packet[24:40])
    else:
        return None
    source, to = (socket.inet_ntop(family, end) for end in ends)
    length = struct.unpack_from("!H", packet, size + 4)[0]
    return {"to": to, "from": source, "payload": packet[size + 8 : size + length].decode(errors="replace")}


watching = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
watching.bind((sys.argv[1], 0))
print("ready", flush=True)
while True:
    ready, _, _ = select.select([watching, sys.stdin], [], [])
    if sys.stdin in ready:
        break
    try:
        frame, (_, _, direction, *_) = watching.recvfrom(65536)
    except OSError:
        # The interface is gone.
        break
    found = parse(frame) if direction == PACKET_OUTGOING else None
    if found:
        print(json.dumps(found), flush=True)
