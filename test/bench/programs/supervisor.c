// The measure for our supervisor: a seccomp supervisor in C that does for getsockname what ours does for a socket that it leaves alone
// (copy the descriptor, read its cookie, look it up, continue), and nothing else. Usage: supervisor COMMAND ARG...
// See seccomp_unotify(2).
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <pthread.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static int listener;

static void *answer(void *unused) {
  (void)unused;
  struct seccomp_notif request;
  struct seccomp_notif_resp response;
  pid_t known = 0;
  int pidfd = -1;
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1);
  for (;;) {
    request = (struct seccomp_notif){0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) {
      if (errno == EINTR) continue;
      return 0;
    }
    if ((pid_t)request.pid != known) {
      if (pidfd >= 0) close(pidfd);
      pidfd = syscall(SYS_pidfd_open, request.pid, 0);
      known = request.pid;
    }
    int copy = syscall(SYS_pidfd_getfd, pidfd, (int)request.data.args[0], 0);
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    if (copy >= 0) {
      getsockopt(copy, SOL_SOCKET, SO_COOKIE, &cookie, &length);
      close(copy);
    }
    response = (struct seccomp_notif_resp){.id = request.id, .flags = cookie == 1 ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  pthread_t thread;
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockname, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  int ready[2];
  if (pipe(ready) != 0) return 1;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // The filter belongs to this thread and its children; the answering thread is started before, so it has none.
  listener = -1;
  listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener < 0) {
    perror("seccomp");
    return 1;
  }
  pthread_create(&thread, 0, answer, 0);
  pid_t child = fork();
  if (child == 0) {
    close(listener);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
