// Calls getsockname on a socket that nobody has changed, N times, and prints the nanoseconds that one call took.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  long calls = argc > 1 ? atol(argv[1]) : 20000;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at;
  socklen_t length = sizeof at;
  for (long i = 0; i < calls / 10; i++) getsockname(fd, (struct sockaddr *)&at, &length);
  double begin = now();
  for (long i = 0; i < calls; i++) {
    length = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &length) != 0) return 1;
  }
  printf("%.0f\n", (now() - begin) / calls);
  return 0;
}
