# What the Python servers share: a report line for each connection, whose bytes up to the end are its id.
import os
import socket
import sys


def say(text):
    os.write(1, (text + "\n").encode())


def listen(arguments):
    port = int(arguments[0])
    address = arguments[1] if len(arguments) > 1 else "0.0.0.0"
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if arguments[2:] == ["shared"]:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((address, port))
    listener.listen(1024)
    return listener


def ready(listener):
    say(f"ready {listener.getsockname()[1]}")


def report(identity, accepted, connection):
    """conn ID, then address and port three times: as accept, getpeername and getsockname give them."""
    peer, name = connection.getpeername(), connection.getsockname()
    say(f"conn {identity} {accepted[0]} {accepted[1]} {peer[0]} {peer[1]} {name[0]} {name[1]}")


def serve(connection, accepted):
    with connection:
        identity = b""
        while part := connection.recv(4096):
            identity += part
        identity = identity.decode()
        if identity == "quit":
            os._exit(0)
        report(identity, accepted, connection)
        connection.sendall(f"ok {identity}".encode())


def serve_forever(listener):
    while True:
        connection, accepted = listener.accept()
        serve(connection, accepted)


if __name__ == "__main__":
    listener = listen(sys.argv[1:])
    ready(listener)
    serve_forever(listener)
