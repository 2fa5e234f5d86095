// What the C servers share: a report line for each connection, whose bytes up to the end are its id.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *call) {
  perror(call);
  _exit(1);
}

/** Address and port as text; an IPv4 address inside IPv6 keeps its prefix. */
static void describe(const struct sockaddr_storage *address, char *text, size_t size) {
  char host[INET6_ADDRSTRLEN];
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *four = (const void *)address;
    inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
    snprintf(text, size, "%s %d", host, ntohs(four->sin_port));
  } else {
    const struct sockaddr_in6 *six = (const void *)address;
    inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
    snprintf(text, size, "%s %d", host, ntohs(six->sin6_port));
  }
}

/** A listener on argv[2] (default every IPv4 address) and port argv[1]. */
static int listen_as_asked(char **argv) {
  const char *host = argv[2] ? argv[2] : "0.0.0.0";
  int six = strchr(host, ':') != NULL;
  int listener = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  struct sockaddr_in6 wide = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(argv[1]))};
  inet_pton(six ? AF_INET6 : AF_INET, host, six ? (void *)&wide.sin6_addr : (void *)&four.sin_addr);
  if (bind(listener, six ? (void *)&wide : (void *)&four, six ? sizeof wide : sizeof four) < 0) fail("bind");
  if (listen(listener, 1024) < 0) fail("listen");
  return listener;
}

static void say(const char *text) {
  ssize_t done;
  do done = write(1, text, strlen(text));
  while (done < 0 && errno == EINTR);
}

static void ready(int listener) {
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  if (getsockname(listener, (void *)&name, &length) < 0) fail("getsockname");
  char line[64];
  snprintf(line, sizeof line, "ready %d\n", ntohs(((struct sockaddr_in *)&name)->sin_port));
  say(line);
}

/** Under the hooks a handler without SA_RESTART can interrupt calls that are never interrupted elsewhere: a known cost (ARCHITECTURE). */
static void name_of(int (*call)(int, struct sockaddr *, socklen_t *), const char *name, int connection, char *text, size_t size) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  int result;
  do result = call(connection, (void *)&address, &length);
  while (result < 0 && errno == EINTR);
  if (result < 0) fail(name);
  describe(&address, text, size);
}

/** Reads the id, says `conn ID` with what accept, getpeername and getsockname gave, answers and closes. */
static void serve(int connection, const struct sockaddr_storage *accepted) {
  char id[256], from[80], peer[80], name[80], line[600];
  size_t used = 0;
  ssize_t got;
  while ((got = read(connection, id + used, sizeof id - 1 - used)) != 0) {
    if (got > 0) used += got;
    else if (errno != EINTR) break;
  }
  id[used] = 0;
  if (strcmp(id, "quit") == 0) _exit(0);
  describe(accepted, from, sizeof from);
  name_of(getpeername, "getpeername", connection, peer, sizeof peer);
  name_of(getsockname, "getsockname", connection, name, sizeof name);
  snprintf(line, sizeof line, "conn %s %s %s %s\n", id, from, peer, name);
  say(line);
  snprintf(line, sizeof line, "ok %s", id);
  do got = write(connection, line, strlen(line));
  while (got < 0 && errno == EINTR);
  close(connection);
}

static void serve_forever(int listener) {
  while (1) {
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    int connection = accept(listener, (void *)&from, &length);
    if (connection >= 0) serve(connection, &from);
    else if (errno != EINTR) fail("accept");
  }
}
