// Sends several datagrams to ADDRESS PORT and PORT + 1 at once by sendmmsg, and receives the answers by recvmmsg, with control data.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { count = 4 };

int main(int argc, char **argv) {
  int family = strchr(argv[1], ':') ? AF_INET6 : AF_INET;
  int made = socket(family, SOCK_DGRAM, 0);
  int on = 1;
  setsockopt(made, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on);
  struct sockaddr_storage peers[count] = {0};
  struct mmsghdr out[count] = {0}, in[count] = {0};
  struct iovec pieces[count][2], rooms[count];
  char said[count][20], heard[count][100], control[count][200];
  struct sockaddr_storage from[count];
  socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  for (int index = 0; index < count; index++) {
    struct sockaddr_in *four = (void *)&peers[index];
    struct sockaddr_in6 *six = (void *)&peers[index];
    peers[index].ss_family = family;
    inet_pton(family, argv[1], family == AF_INET ? (void *)&four->sin_addr : (void *)&six->sin6_addr);
    four->sin_port = htons(atoi(argv[2]) + index % 2 * 2);
    sprintf(said[index], "number %d", index);
    pieces[index][0] = (struct iovec){said[index], 7};
    pieces[index][1] = (struct iovec){said[index] + 7, strlen(said[index]) - 7};
    out[index].msg_hdr = (struct msghdr){.msg_name = &peers[index], .msg_namelen = size, .msg_iov = pieces[index], .msg_iovlen = 2};
    rooms[index] = (struct iovec){heard[index], sizeof heard[index]};
  }
  printf("sent %d:", sendmmsg(made, out, count, 0));
  for (int index = 0; index < count; index++) printf(" %u", out[index].msg_len);
  printf("\n");
  int seen[count] = {0};
  for (int total = 0; total < count;) {
    for (int index = 0; index < count; index++)
      in[index].msg_hdr = (struct msghdr){.msg_name = &from[index], .msg_namelen = sizeof from[index], .msg_iov = &rooms[index], .msg_iovlen = 1, .msg_control = control[index], .msg_controllen = sizeof control[index]};
    struct pollfd watched = {made, POLLIN, 0};
    if (poll(&watched, 1, 10000) != 1) return printf("nothing came\n"), 1;
    int got = recvmmsg(made, in, count, MSG_WAITFORONE, NULL);
    if (got < 0) return printf("recvmmsg: %s\n", strerror(errno)), 1;
    for (int index = 0; index < got; index++, total++) {
      struct cmsghdr *extra = CMSG_FIRSTHDR(&in[index].msg_hdr);
      int port = ntohs(((struct sockaddr_in *)&from[index])->sin_port) - atoi(argv[2]);
      heard[index][in[index].msg_len] = 0;
      char *text = strstr(heard[index], "number");
      int is = text != NULL && in[index].msg_hdr.msg_namelen == size && extra != NULL && extra->cmsg_type == SCM_TIMESTAMP;
      if (text != NULL) seen[atoi(text + 7)] = is && port == atoi(text + 7) % 2 * 2;
    }
  }
  for (int index = 0; index < count; index++) printf("number %d %s\n", index, seen[index] ? "right" : "wrong");
  return 0;
}
