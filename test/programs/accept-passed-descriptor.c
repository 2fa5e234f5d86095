// The listener goes to a child over a Unix socket (SCM_RIGHTS); the child accepts and sends each connection back, which the parent serves.
#include "serve.h"

static void pass(int channel, int descriptor, struct sockaddr_storage *address) {
  char control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {address, sizeof *address};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
  memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  if (sendmsg(channel, &message, 0) < 0) fail("sendmsg");
  close(descriptor);
}

static int receive(int channel, struct sockaddr_storage *address) {
  char control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {address, sizeof *address};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(channel, &message, 0) <= 0) _exit(0);
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
  return descriptor;
}

int main(int argc, char **argv) {
  int channel[2];
  socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel);
  struct sockaddr_storage from = {0};
  if (fork() == 0) {
    close(channel[0]);
    int listener = receive(channel[1], &from);
    while (1) {
      socklen_t length = sizeof from;
      int connection = accept(listener, (void *)&from, &length);
      if (connection >= 0) pass(channel[1], connection, &from);
      else if (errno != EINTR) fail("accept");
    }
  }
  close(channel[1]);
  int listener = listen_as_asked(argv);
  ready(listener);
  pass(channel[0], listener, &from);
  while (1) {
    int connection = receive(channel[0], &from);
    serve(connection, &from);
  }
}
