// Prints, for each name of the arguments, its addresses as getaddrinfo gives them, or what gai_strerror says.
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int count, char **names) {
  for (int index = 1; index < count; index++) {
    struct addrinfo hints = {0}, *found;
    hints.ai_socktype = SOCK_STREAM;
    int code = getaddrinfo(names[index], "80", &hints, &found);
    if (code) {
      printf("%s: %s\n", names[index], gai_strerror(code));
      continue;
    }
    for (struct addrinfo *at = found; at; at = at->ai_next) {
      char text[128];
      getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST);
      printf("%s: %s\n", names[index], text);
    }
    freeaddrinfo(found);
  }
  return 0;
}
