// A web server alone in its image, as in a distroless one: no shell, no C library to load, no accounts.
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int number) { (void)number; _exit(0); }

int main(void) {
  signal(SIGTERM, end);
  signal(SIGPIPE, SIG_IGN);
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(8080)};
  if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 128)) return 1;
  for (;;) {
    int caller = accept(listener, 0, 0);
    if (caller < 0) continue;
    char request[8192], answer[1024], host[64] = "", method[16] = "", path[256] = "";
    ssize_t length = read(caller, request, sizeof request - 1);
    if (length > 0) {
      request[length] = 0;
      sscanf(request, "%15s %255s", method, path);
      gethostname(host, sizeof host - 1);
      char body[512];
      int size = snprintf(body, sizeof body, "{\"service\":\"static\",\"hostname\":\"%s\",\"method\":\"%s\",\"path\":\"%s\"}\n", host, method, path);
      int whole = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s", size, body);
      if (write(caller, answer, whole) < 0) { /* the caller went; the next one is served */ }
    }
    close(caller);
  }
}
