// Asks HOST at PORT for PATH by HTTP/1.0, by each address that getaddrinfo gives, and prints the last line of the answer, or what went wrong.
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  int code = getaddrinfo(argv[1], argv[2], &hints, &found), made = -1;
  if (code) return printf("%s\n", gai_strerror(code)), 2;
  for (struct addrinfo *at = found; at; at = at->ai_next) {
    made = socket(at->ai_family, at->ai_socktype, 0);
    if (connect(made, at->ai_addr, at->ai_addrlen) == 0) break;
    printf("%s\n", strerror(errno));
    close(made);
    made = -1;
  }
  if (made < 0) return 1;
  dprintf(made, "GET %s HTTP/1.0\r\n\r\n", argv[3]);
  char answer[4096] = "";
  size_t got = 0;
  ssize_t part;
  while ((part = read(made, answer + got, sizeof answer - 1 - got)) > 0) got += part;
  char *body = strstr(answer, "\r\n\r\n");
  printf("%s", body ? body + 4 : "no body\n");
  return 0;
}
