// Opens the listener, then becomes itself again by exec with the listener as descriptor 9.
#include "serve.h"

int main(int argc, char **argv) {
  if (getenv("LISTENER")) {
    ready(9);
    serve_forever(9);
  }
  dup2(listen_as_asked(argv), 9);
  setenv("LISTENER", "9", 1);
  execv("/proc/self/exe", argv);
  fail("execv");
}
