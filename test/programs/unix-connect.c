// Connects a Unix socket, given by its path or as @NAME, talks to it, and prints what it hears, the peer's address and its length; or the error.
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **arguments) {
  struct sockaddr_un address = {.sun_family = AF_UNIX}, peer;
  strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
  socklen_t length = sizeof address, peer_length = sizeof peer;
  if (arguments[1][0] == '@') {
    address.sun_path[0] = 0;
    length = offsetof(struct sockaddr_un, sun_path) + strlen(arguments[1]);
  }
  int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(made, (struct sockaddr *)&address, length) != 0) {
    perror("connect");
    return 1;
  }
  if (write(made, "hi", 2) != 2 || shutdown(made, SHUT_WR) != 0) {
    perror("write");
    return 1;
  }
  char heard[256];
  for (ssize_t got; (got = read(made, heard, sizeof heard)) > 0;) fwrite(heard, 1, got, stdout);
  if (getpeername(made, (struct sockaddr *)&peer, &peer_length) != 0) {
    perror("getpeername");
    return 1;
  }
  if (peer.sun_path[0] == 0) peer.sun_path[0] = '@';
  printf("\n%.*s %u\n", (int)(peer_length - 2), peer.sun_path, peer_length);
  return 0;
}
