// One thread blocks in accept.
#include "serve.h"

int main(int argc, char **argv) {
  int listener = listen_as_asked(argv);
  ready(listener);
  serve_forever(listener);
}
