// Accepts under a timer of 500 us and a thread that signals the accepting ones. PORT ADDRESS, then "restart" or "interrupt" (SA_RESTART or
// not), then "threads" (four of them block in accept), "nonblocking" (they poll before each accept) or "poll" (one blocks, and polls after EINTR).
#include "serve.h"
#include <poll.h>
#include <pthread.h>
#include <sys/time.h>
#include <time.h>

static int listener, threadCount = 4, pollAlways, pollAfterInterrupt;
static pthread_t threads[4];

static void handled(int signal) { (void)signal; }

static void wait_until_readable(void) {
  struct pollfd watched = {listener, POLLIN, 0};
  while (poll(&watched, 1, -1) < 0) {}
}

static void *accept_forever(void *unused) {
  while (1) {
    if (pollAlways) wait_until_readable();
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    int connection = accept(listener, (void *)&from, &length);
    if (connection >= 0) serve(connection, &from);
    else if (errno != EINTR && errno != EAGAIN) fail("accept");
    else if (pollAfterInterrupt) wait_until_readable();
  }
  return unused;
}

static void *signal_forever(void *unused) {
  for (unsigned turn = 0;; turn++) {
    pthread_kill(threads[turn % threadCount], SIGUSR1);
    nanosleep(&(struct timespec){0, 200000}, NULL);
  }
  return unused;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = handled, .sa_flags = strcmp(argv[3], "restart") == 0 ? SA_RESTART : 0};
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  pollAlways = strcmp(argv[4], "nonblocking") == 0;
  pollAfterInterrupt = strcmp(argv[4], "poll") == 0;
  if (pollAfterInterrupt) threadCount = 1;
  listener = listen_as_asked(argv);
  if (pollAlways) fcntl(listener, F_SETFL, O_NONBLOCK);
  ready(listener);
  for (int i = 0; i < threadCount; i++) pthread_create(&threads[i], NULL, accept_forever, NULL);
  pthread_t storm;
  pthread_create(&storm, NULL, signal_forever, NULL);
  struct itimerval every = {{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &every, NULL);
  while (1) pause();
}
