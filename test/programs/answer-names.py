# A DNS server at ADDRESS PORT over UDP: each name has the A record 192.0.2.53, and the TXT record who asked; "none" in it does not exist.
import socket
import struct
import sys

address, port = sys.argv[1], int(sys.argv[2])
made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
made.bind((address, port))
print("listening", flush=True)
while True:
    query, source = made.recvfrom(4096)
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    (kind,) = struct.unpack("!H", question[-4:-2])
    is_none = b"none" in question
    asker = source[0].replace("::ffff:", "").encode()
    data = {1: socket.inet_aton("192.0.2.53"), 16: bytes([len(asker)]) + asker}.get(kind)
    answers = 0 if is_none or data is None else 1
    head = query[:2] + struct.pack("!HHHHH", 0x8583 if is_none else 0x8580, 1, answers, 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data if answers else b""
    made.sendto(head + question + record, source)
