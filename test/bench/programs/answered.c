// Times the two calls that are answered for a delivered connection: accept with an address, and getpeername. Usage: answered PORT CONNECTIONS
// Listens on all addresses, prints "listening", takes that many connections, each when poll says that one is there, and asks 100 times who
// the caller is. Prints one JSON line: the median nanoseconds of each call, and the last caller as the program saw it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { asks = 100, most = 10000 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 3 || atoi(argv[2]) < 1 || atoi(argv[2]) > most) return 2;
  int connections = atoi(argv[2]), one = 1;
  static double accepts[most], peers[most];
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))}, caller = {0};
  if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 512) != 0) {
    perror("listen");
    return 1;
  }
  printf("listening\n");
  fflush(stdout);
  for (int i = 0; i < connections; i++) {
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    if (poll(&ready, 1, 60000) != 1) {
      fprintf(stderr, "connection %d did not come within 60 s\n", i);
      return 1;
    }
    socklen_t length = sizeof caller;
    double begin = now();
    int connection = accept(listener, (struct sockaddr *)&caller, &length);
    accepts[i] = now() - begin;
    if (connection < 0) {
      perror("accept");
      return 1;
    }
    begin = now();
    for (int ask = 0; ask < asks; ask++) {
      length = sizeof caller;
      getpeername(connection, (struct sockaddr *)&caller, &length);
    }
    peers[i] = (now() - begin) / asks;
    close(connection);
  }
  qsort(accepts, connections, sizeof *accepts, ascending);
  qsort(peers, connections, sizeof *peers, ascending);
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &caller.sin_addr, text, sizeof text);
  printf("{\"acceptNs\":%.0f,\"peerNs\":%.0f,\"caller\":\"%s\"}\n", accepts[connections / 2], peers[connections / 2], text);
  return 0;
}
