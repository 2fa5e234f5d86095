// Writes a title over its arguments and its environment, as nginx, Redis and setproctitle(3) do, and waits to be ended.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
  char *end = argv[0];
  for (char **each = argv; *each; each++) end = *each + strlen(*each) + 1;
  for (char **each = environ; *each; each++) end = *each + strlen(*each) + 1;
  memset(argv[0], 0, end - argv[0]);
  strncpy(argv[0], "web: master process", end - argv[0] - 1);
  write(1, "titled\n", 7);
  for (;;) pause();
}
