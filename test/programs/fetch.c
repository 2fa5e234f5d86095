// Asks for one URL of the form http://ADDRESS[:PORT]/PATH by HTTP/1.0, and prints the last line of the answer, or errno's text.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char address[64] = "", path[200] = "/", answer[4096] = "";
  int port = 80;
  const char *from = argv[1] + strlen("http://");
  if (*from == '[') {
    sscanf(from, "[%63[^]]]%*[:]%d/%198s", address, &port, path + 1);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    inet_pton(AF_INET6, address, &to.sin6_addr);
    int made = socket(AF_INET6, SOCK_STREAM, 0);
    if (connect(made, (void *)&to, sizeof to) < 0) return printf("%s\n", strerror(errno)), 1;
    dup2(made, 9);
  } else {
    sscanf(from, "%63[^:/]", address);
    const char *rest = from + strlen(address);
    if (*rest == ':') port = atoi(rest + 1);
    const char *slash = strchr(from, '/');
    if (slash) snprintf(path, sizeof path, "%s", slash);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    int made = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(made, (void *)&to, sizeof to) < 0) return printf("%s\n", strerror(errno)), 1;
    dup2(made, 9);
  }
  dprintf(9, "GET %s HTTP/1.0\r\n\r\n", path);
  size_t got = 0;
  ssize_t part;
  while ((part = read(9, answer + got, sizeof answer - 1 - got)) > 0) got += part;
  char *body = strstr(answer, "\r\n\r\n");
  printf("%s", body ? body + 4 : "no body\n");
  return 0;
}
