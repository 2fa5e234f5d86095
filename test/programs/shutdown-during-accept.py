# A thread blocks in accept; at a line on standard input the listener is shut down, and the thread says the errno that it got.
import errno
import socket
import sys
import threading

from serve import listen, ready, say

listener = listen(sys.argv[1:])


def block():
    try:
        listener.accept()
    except OSError as error:
        say(errno.errorcode[error.errno])


thread = threading.Thread(target=block)
thread.start()
ready(listener)
sys.stdin.readline()
listener.shutdown(socket.SHUT_RDWR)
thread.join()
