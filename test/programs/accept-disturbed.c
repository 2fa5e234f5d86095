// Loses the thread that waits in accept at SIGUSR1, and then listens on the same port again. Usage: accept-disturbed MODE PORT; the modes:
//   exec    another thread becomes this program anew (mode serve) while the first one waits
//   cancel  the thread that waits, told as "waits TID", is cancelled
//   serve   nothing of the kind
#include "serve.h"
#include <pthread.h>
#include <sys/syscall.h>

static char **args;
static int listener;

static void until_asked(void) {
  sigset_t asked;
  int signal;
  sigemptyset(&asked);
  sigaddset(&asked, SIGUSR1);
  sigwait(&asked, &signal);
}

static void *exec_when_asked(void *unused) {
  until_asked();
  args[1] = "serve";
  execv("/proc/self/exe", args);
  fail("execv");
  return unused;
}

static void *wait_in_accept(void *unused) {
  char line[64];
  snprintf(line, sizeof line, "waits %ld\n", syscall(SYS_gettid));
  say(line);
  serve_forever(listener);
  return unused;
}

int main(int argc, char **argv) {
  pthread_t thread;
  sigset_t asked;
  args = argv;
  sigemptyset(&asked);
  sigaddset(&asked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &asked, NULL);
  listener = listen_as_asked(argv + 1);
  fcntl(listener, F_SETFD, FD_CLOEXEC);
  ready(listener);
  if (strcmp(argv[1], "exec") == 0) pthread_create(&thread, NULL, exec_when_asked, NULL);
  if (strcmp(argv[1], "cancel") == 0) {
    pthread_create(&thread, NULL, wait_in_accept, NULL);
    until_asked();
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    close(listener);
    listener = listen_as_asked(argv + 1);
    ready(listener);
  }
  serve_forever(listener);
}
