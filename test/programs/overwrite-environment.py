# Runs a program in a child after it has written over its own environment, as programs that show a title of their own do (setproctitle).
import ctypes
import os
import sys

with open("/proc/self/stat") as stat:
    fields = stat.read().rsplit(")", 1)[1].split()
start, end = int(fields[47]), int(fields[48])
ctypes.memset(start, ord("x"), end - start)
del os.environ["STANDIN_PROCESS"]
sys.argv = sys.argv[1:]
sys.argv.pop(0)
exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"))
