// Sends to IPV4 and IPV6, both given with PORT, by sockets that have left the numbers they were made with, with sendmsg and sendmmsg.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void tell(const char *call, const char *address, long result) {
    printf("{\"way\": \"%s %s\", \"result\": %ld, \"errno\": \"%s\"}\n", call, address, result,
           result < 0 ? strerrorname_np(errno) : "");
    fflush(stdout);
}

static void send_both(int family, const void *to, socklen_t size, const char *address) {
    int made = socket(family, SOCK_DGRAM, 0);
    int unseen = dup3(made, 40, O_CLOEXEC);
    if (made < 768 || unseen != 40) exit(3);
    close(made);
    struct iovec piece = {(void *)address, strlen(address)};
    struct mmsghdr many[2] = {0};
    for (int i = 0; i < 2; i++)
        many[i].msg_hdr = (struct msghdr){.msg_name = (void *)to, .msg_namelen = size, .msg_iov = &piece, .msg_iovlen = 1};
    tell("sendmsg", address, sendmsg(unseen, &many[0].msg_hdr, 0));
    tell("sendmmsg", address, sendmmsg(unseen, many, 2, 0));
    close(unseen);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int port = htons(atoi(argv[3]));
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = port};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = port};
    struct sockaddr_in6 mapped = six;
    char text[64];
    snprintf(text, sizeof text, "::ffff:%s", argv[1]);
    inet_pton(AF_INET, argv[1], &four.sin_addr);
    inet_pton(AF_INET6, argv[2], &six.sin6_addr);
    inet_pton(AF_INET6, text, &mapped.sin6_addr);
    send_both(AF_INET, &four, sizeof four, argv[1]);
    send_both(AF_INET6, &six, sizeof six, argv[2]);
    send_both(AF_INET6, &mapped, sizeof mapped, text);
}
