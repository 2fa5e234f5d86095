# Connects in the way that the first argument names, to each ADDRESS PORT that a line of standard input names, and prints what came of it.
import asyncio
import errno
import json
import select
import socket
import sys


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def told(made):
    """One exchange over a connection, with the addresses that the program sees."""
    names = {"peer": made.getpeername()[:2], "own": made.getsockname()[:2]}
    made.settimeout(20)
    made.sendall(b"hello\n")
    made.shutdown(socket.SHUT_WR)
    parts = []
    while part := made.recv(65536):
        parts.append(part)
    return {"answer": b"".join(parts).decode(), **names}


def blocking(address, port):
    made = socket.socket(family_of(address))
    made.connect((address, port))
    return told(made)


def polled(address, port):
    made = socket.socket(family_of(address))
    made.setblocking(False)
    poll = select.epoll()
    poll.register(made, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP)
    poll.poll(0)
    first = made.connect_ex((address, port))
    second = made.connect_ex((address, port))
    events = poll.poll(20)
    code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    steps = [errno.errorcode.get(first, first), errno.errorcode.get(second, second), [e for _, e in events]]
    if code:
        raise OSError(code, "SO_ERROR", steps)
    made.setblocking(True)
    return {**told(made), "steps": steps}


def mapped(address, port):
    made = socket.socket(socket.AF_INET6)
    made.connect(("::ffff:" + address, port))
    return told(made)


async def exchange(address, port):
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(b"hello\n")
    writer.write_eof()
    answer = (await reader.read()).decode()
    found = {"answer": answer, "peer": writer.get_extra_info("peername")[:2], "own": writer.get_extra_info("sockname")[:2]}
    writer.close()
    return found


ways = {"blocking": blocking, "polled": polled, "mapped": mapped, "asyncio": lambda a, p: asyncio.run(exchange(a, p))}
way = ways[sys.argv[1]]
for line in sys.stdin:
    address, port = line.split()
    try:
        result = way(address, int(port))
    except OSError as failure:
        result = {"errno": errno.errorcode.get(failure.errno, str(failure))}
    print(json.dumps(result), flush=True)
