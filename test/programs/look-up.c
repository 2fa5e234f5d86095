// Looks each HOST of the arguments up, and prints its addresses; with a PORT after a slash it also connects to the first, and prints what came of it.
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  for (int index = 1; index < argc; index++) {
    char *port = strchr(argv[index], '/');
    if (port) *port++ = 0;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = port ? AF_INET : AF_UNSPEC}, *found = NULL;
    int code = getaddrinfo(argv[index], port, &hints, &found);
    if (code) printf("%s: %s\n", argv[index], gai_strerror(code));
    for (struct addrinfo *one = found; one; one = one->ai_next) {
      char text[100];
      getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
      printf("%s: %s\n", argv[index], text);
    }
    if (port && found) {
      int made = socket(found->ai_family, SOCK_STREAM, 0);
      printf("%s\n", connect(made, found->ai_addr, found->ai_addrlen) < 0 ? strerror(errno) : "connected");
    }
  }
  return 0;
}
