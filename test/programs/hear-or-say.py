# Connects to a Unix path, an abstract @NAME or ADDRESS:PORT, so many times: hears it to the end, late, or says so many bytes and closes at once.
import socket
import sys
import time

at, way, size, times = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for _ in range(times):
    if at[0] in "@/":
        made = socket.socket(socket.AF_UNIX)
        made.connect(f"\0{at[1:]}" if at.startswith("@") else at)
    else:
        address, port = at.rsplit(":", 1)
        made = socket.create_connection((address, int(port)))
    if way == "hears":
        # Long enough for the other end to have closed.
        time.sleep(0.1)
        count = 0
        while part := made.recv(65536):
            count += len(part)
        print(f"heard {count}", flush=True)
    else:
        made.sendall(b"y" * size)
    made.close()
