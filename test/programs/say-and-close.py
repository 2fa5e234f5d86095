# Serves at a Unix path, an abstract @NAME or a TCP port: "tells" so many bytes to each caller and closes, or "hears" each to its end and prints how many came.
import socket
import sys
import threading

at, way, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
if at.isdigit():
    listener = socket.create_server(("", int(at)))
else:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0{at[1:]}" if at.startswith("@") else at)
    listener.listen(100)
print("listening", flush=True)


def serve(made):
    if way == "tells":
        made.sendall(b"x" * size)
        made.close()
        return
    count = 0
    while part := made.recv(65536):
        count += len(part)
    made.close()
    # One write: print writes the end of the line by itself, and threads meet there.
    sys.stdout.write(f"heard {count}\n")
    sys.stdout.flush()


while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
