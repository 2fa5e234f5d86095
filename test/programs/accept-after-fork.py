# A pre-fork server: four children block in accept on the listener that the parent opened.
import os
import sys

from serve import listen, ready, serve_forever

listener = listen(sys.argv[1:])
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        serve_forever(listener)
    children.append(child)
ready(listener)
for child in children:
    os.waitpid(child, 0)
