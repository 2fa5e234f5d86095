// Prints what the files of the arguments hold, opened in each way that this architecture has, and the host name of uname and gethostname.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

struct how {
  uint64_t flags, mode, resolve;
};

static void show(const char *way, int file) {
  char text[4096];
  if (file < 0) {
    printf("%s: errno %d\n", way, errno);
    return;
  }
  int length = read(file, text, sizeof text - 1);
  text[length < 0 ? 0 : length] = 0;
  for (char *at = text; *at; at++)
    if (*at == '\n') *at = '|';
  printf("%s: %s cloexec=%d\n", way, text, fcntl(file, F_GETFD) & FD_CLOEXEC);
  close(file);
}

int main(int count, char **paths) {
  struct utsname name;
  char host[256];
  uname(&name);
  gethostname(host, sizeof host);
  printf("%s %s %s\n", name.nodename, host, name.sysname);
  for (int index = 1; index < count; index++) {
    const char *path = paths[index];
    struct how how = {O_RDONLY | O_CLOEXEC, 0, 0};
#ifdef SYS_open
    show("open", syscall(SYS_open, path, O_RDONLY));
#endif
    show("openat", syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
    show("openat2", syscall(437, AT_FDCWD, path, &how, sizeof how));
    show("write", syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND));
    show("folder", syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
    show("exclusive", syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600));
  }
  return 0;
}
