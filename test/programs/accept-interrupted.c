// Says what a blocking accept does when handlers run: SIGUSR1 without SA_RESTART (says the errno), SIGUSR2 with it (goes on).
#include "serve.h"

static void without(int signal) { (void)signal; }
static void with(int signal) {
  (void)signal;
  say("restarted\n");
}

int main(int argc, char **argv) {
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = without}, NULL);
  sigaction(SIGUSR2, &(struct sigaction){.sa_handler = with, .sa_flags = SA_RESTART}, NULL);
  int listener = listen_as_asked(argv);
  ready(listener);
  while (1) {
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    int connection = accept(listener, (void *)&from, &length);
    if (connection >= 0) serve(connection, &from);
    else say(errno == EINTR ? "EINTR\n" : "another errno\n");
  }
}
