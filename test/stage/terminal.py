# Runs a command in a pseudo-terminal of its own, LINE COMMAND...: LINE is typed first unless it is empty; standard input is typed there, what it shows goes to standard output, its end is ours; the end of
# standard input hangs it up.
import os
import pty
import select
import signal
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
if sys.argv[1]:
    os.write(terminal, sys.argv[1].encode() + b"\n")
typed = True
while True:
    ready, _, _ = select.select([terminal] + ([0] if typed else []), [], [])
    try:
        if 0 in ready:
            keys = os.read(0, 4096)
            typed = len(keys) > 0
            if typed:
                os.write(terminal, keys)
            else:
                os.kill(pid, signal.SIGHUP)
        if terminal in ready:
            shown = os.read(terminal, 65536)
            if not shown:
                break
            os.write(1, shown)
    except OSError:
        break
_, status = os.waitpid(pid, 0)
if os.WIFSIGNALED(status):
    os.kill(os.getpid(), os.WTERMSIG(status))
os._exit(os.waitstatus_to_exitcode(status))
