/* Datagrams: blocking recvmmsg and sendmmsg in batches of 64. */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { BATCH = 64, DATAGRAM = 2048 };

void serve_udp(void)
{
	static char data[BATCH][DATAGRAM];
	static struct sockaddr_in peer[BATCH];
	static struct iovec iov[BATCH];
	static struct mmsghdr msg[BATCH];
	int fd = listen_on_loopback(SOCK_DGRAM), i, n, sent, done;

	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = data[i];
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
		msg[i].msg_hdr.msg_name = &peer[i];
	}
	for (;;) {
		for (i = 0; i < BATCH; i++) {
			iov[i].iov_len = DATAGRAM;
			msg[i].msg_hdr.msg_namelen = sizeof peer[i];
		}
		n = recvmmsg(fd, msg, BATCH, MSG_WAITFORONE, NULL);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			fail("recvmmsg");
		}
		for (i = 0; i < n; i++)
			iov[i].iov_len = msg[i].msg_len;
		for (done = 0; done < n; done += sent) {
			sent = sendmmsg(fd, msg + done, n - done, 0);
			if (sent < 0)
				sent = 1; /* this one cannot be delivered: skip it */
		}
	}
}
