# Sends or receives (first argument) numbered datagrams under a timer of 1 ms whose handler has SA_RESTART or not ("restart" or "interrupt"): to the
# address and port that follow, or from a child. A receiver prints how many never came, and how many came twice.
import os
import signal
import socket
import sys

count = 3000
window = 50


def storm():
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, sys.argv[2] == "interrupt")
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)


def send():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    to = (sys.argv[3], int(sys.argv[4]))
    made.sendto(b"0", to)
    storm()
    for number in range(1, count):
        made.sendto(b"%d" % number, to)
    signal.setitimer(signal.ITIMER_REAL, 0)
    made.sendto(b"end", to)


def receive():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    reader, writer = os.pipe()
    if os.fork() == 0:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.connect(made.getsockname())
        os.write(writer, b"." * window)
        for number in range(count):
            os.read(reader, 1)
            sender.send(b"%d" % number)
        for _ in range(20):
            sender.send(b"end")
        os._exit(0)
    storm()
    heard = []
    while True:
        said, _ = made.recvfrom(100)
        if said == b"end":
            break
        heard.append(said)
        os.write(writer, b".")
    signal.setitimer(signal.ITIMER_REAL, 0)
    different = len(set(heard))
    print("lost", count - different, "twice", len(heard) - different, flush=True)


{"send": send, "receive": receive}[sys.argv[1]]()
