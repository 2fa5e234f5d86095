# Eight threads block in accept on one listener.
import sys
import threading

from serve import listen, ready, serve_forever

listener = listen(sys.argv[1:])
threads = [threading.Thread(target=serve_forever, args=(listener,), daemon=True) for _ in range(8)]
for thread in threads:
    thread.start()
ready(listener)
for thread in threads:
    thread.join()
