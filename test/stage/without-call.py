# Runs a command where a system call is refused, as the seccomp profile of a container does it: "without-call.py CALL ERRNO COMMAND [ARG...]" (seccomp(2)).
# CALL is its number, or "NUMBER:INDEX=VALUE[,INDEX=VALUE]" to refuse it only with these arguments, of which the lower 32 bits are compared.
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000

call, _, conditions = sys.argv[1].partition(":")
errno = int(sys.argv[2])
# Places in struct seccomp_data, which is nr(4) arch(4) instruction_pointer(8) args(6 times 8), with what they must hold.
wanted = [(0, int(call))]
for condition in filter(None, conditions.split(",")):
    index, value = condition.split("=")
    wanted.append((16 + 8 * int(index), int(value)))
# struct sock_filter: u16 code, u8 jump if true, u8 jump if false, u32 operand
instructions = []
for left, (place, value) in zip(range(len(wanted) - 1, -1, -1), wanted):
    instructions += [(LOAD_WORD, 0, 0, place), (JUMP_IF_EQUAL, 0, 2 * left + 1, value)]
instructions += [(RETURN, 0, 0, SECCOMP_RET_ERRNO | errno), (RETURN, 0, 0, SECCOMP_RET_ALLOW)]
program = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
held = ctypes.create_string_buffer(program)
# struct sock_fprog: u16 number of instructions, padding, pointer to them
header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(held)))
libc = ctypes.CDLL(None, use_errno=True)
for arguments in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0)]:
    if libc.prctl(*arguments) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[3], sys.argv[3:])
