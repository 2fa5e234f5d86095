# A 32-bit x86 program without a C library: set_thread_area as its libraries call it at start (with nothing, which is EFAULT), write "32-bit runs", then exit with 7.
.globl _start
_start:
  movl $243, %eax
  xorl %ebx, %ebx
  int $0x80
  movl $4, %eax
  movl $1, %ebx
  movl $text, %ecx
  movl $12, %edx
  int $0x80
  movl $1, %eax
  movl $7, %ebx
  int $0x80
.data
text: .ascii "32-bit runs\n"
