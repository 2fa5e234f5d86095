# The parent accepts; a child made by fork serves the connection and ends.
import os
import signal
import sys

from serve import listen, ready, serve

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = listen(sys.argv[1:])
ready(listener)
while True:
    connection, accepted = listener.accept()
    if os.fork() == 0:
        listener.close()
        serve(connection, accepted)
        os._exit(0)
    connection.close()
