# Asks one server by HTTP from 20 children that are forked at once, and prints what each says, in the order of their numbers.
import os
import socket
import sys


def fetch(number):
    try:
        made = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
        made.sendall(b"GET /asked/%d HTTP/1.0\r\n\r\n" % number)
        return made.makefile().read().splitlines()[-1]
    except OSError as failure:
        return f"{type(failure).__name__} {failure}"


pipes = []
for number in range(20):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, fetch(number).encode())
        os._exit(0)
    os.close(writing)
    pipes.append(reading)
for number, reading in enumerate(pipes):
    with open(reading) as told:
        print(number, told.read())
codes = [os.WEXITSTATUS(os.wait()[1]) for _ in pipes]
sys.exit(max(codes))
