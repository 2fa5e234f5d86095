// Binds and closes sockets under a timer of 50 us with SA_RESTART. Usage: PORT ADDRESS COUNT; says "bound COUNT", or the errno of the first that failed.
#include "serve.h"
#include <sys/time.h>

static void handled(int signal) { (void)signal; }

int main(int argc, char **argv) {
  sigaction(SIGALRM, &(struct sigaction){.sa_handler = handled, .sa_flags = SA_RESTART}, NULL);
  struct itimerval every = {{0, 50}, {0, 50}};
  setitimer(ITIMER_REAL, &every, NULL);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  inet_pton(AF_INET, argv[2], &name.sin_addr);
  int count = atoi(argv[3]), yes = 1;
  char line[64];
  for (int turn = 0; turn < count; turn++) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (void *)&name, sizeof name) < 0 || listen(listener, 16) < 0) {
      snprintf(line, sizeof line, "turn %d: %s\n", turn, strerror(errno));
      say(line);
      return 1;
    }
    close(listener);
  }
  snprintf(line, sizeof line, "bound %d\n", count);
  say(line);
}
