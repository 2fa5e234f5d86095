# A daemon: the command ends at once, its grandchild in a session of its own goes on serving.
import os
import sys

from serve import listen, ready, say, serve_forever

if os.fork() > 0:
    os._exit(0)
os.setsid()
if os.fork() > 0:
    os._exit(0)
say(f"daemon {os.getpid()}")
listener = listen(sys.argv[1:])
ready(listener)
serve_forever(listener)
