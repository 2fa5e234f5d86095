// epoll watches a duplicate of the listener; connections are taken by accept4 from another one, non-blocking, until EAGAIN.
#include "serve.h"
#include <sys/epoll.h>

static void check_flags(int connection) {
  if (!(fcntl(connection, F_GETFL) & O_NONBLOCK)) fail("accept4 lost SOCK_NONBLOCK");
  if (!(fcntl(connection, F_GETFD) & FD_CLOEXEC)) fail("accept4 lost SOCK_CLOEXEC");
  fcntl(connection, F_SETFL, 0);
}

int main(int argc, char **argv) {
  int listener = listen_as_asked(argv), watched = dup(listener), taken = fcntl(listener, F_DUPFD_CLOEXEC, 200);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  close(listener);
  int poll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, watched, &event) < 0) fail("epoll_ctl");
  ready(taken);
  while (epoll_wait(poll, &event, 1, -1) >= 0 || errno == EINTR) {
    while (1) {
      struct sockaddr_storage from;
      socklen_t length = sizeof from;
      int connection = accept4(taken, (void *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (connection < 0 && errno == EAGAIN) break;
      if (connection < 0) fail("accept4");
      check_flags(connection);
      serve(connection, &from);
    }
  }
}
