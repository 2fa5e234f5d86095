# Answers each datagram at ADDRESS PORT with who sent it and what it was; "elsewhere" is answered from another port, "large N" with N bytes.
import socket
import sys

address, port = sys.argv[1], int(sys.argv[2])
made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
made.bind((address, port))
print("listening", flush=True)
while True:
    heard, source = made.recvfrom(65536)
    answer = f"{source[0].replace('::ffff:', '')} {source[1]} ".encode() + heard
    teller = made
    if heard == b"elsewhere":
        teller = socket.socket(made.family, socket.SOCK_DGRAM)
    if heard.startswith(b"large "):
        answer = b"x" * int(heard.split()[1])
    teller.sendto(answer, source)
