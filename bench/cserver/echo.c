/*
 * The floor of the benchmark: what the kernel charges for an echo when the
 * program around the system calls costs next to nothing.
 *
 * TCP: one level-triggered epoll loop; one read into a shared buffer and one
 * write for each event. Only a short write allocates (the rest waits for
 * EPOLLOUT, and the connection is not read meanwhile).
 * UDP: blocking recvmmsg and sendmmsg in batches of 64.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 1024, BUFFER = 64 * 1024, BATCH = 64, DATAGRAM = 2048 };

/* What a short write left over; data is NULL when nothing waits. */
struct pending {
	char *data;
	size_t off, len;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_on_loopback(int type)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
		fail("bind");
	if ((type & SOCK_STREAM) && listen(fd, 4096) < 0)
		fail("listen");
	if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		fail("getsockname");
	printf("listening 127.0.0.1:%d\n", ntohs(sa.sin_port));
	fflush(stdout);
	return fd;
}

static struct pending *waiting; /* indexed by file descriptor */
static int waiting_len;

static void drop(int fd)
{
	free(waiting[fd].data);
	memset(&waiting[fd], 0, sizeof waiting[fd]);
	close(fd);
}

static void watch(int ep, int op, int fd, unsigned events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	if (epoll_ctl(ep, op, fd, &ev) < 0)
		fail("epoll_ctl");
}

static void accept_all(int ep, int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= waiting_len) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN);
	}
}

static void flush(int ep, int fd)
{
	struct pending *p = &waiting[fd];
	ssize_t n = send(fd, p->data + p->off, p->len - p->off, MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			drop(fd);
		return;
	}
	p->off += n;
	if (p->off == p->len) {
		free(p->data);
		p->data = NULL;
		watch(ep, EPOLL_CTL_MOD, fd, EPOLLIN);
	}
}

static void echo(int ep, int fd)
{
	static char buf[BUFFER];
	ssize_t n = read(fd, buf, sizeof buf), sent;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(fd);
		return;
	}
	sent = send(fd, buf, n, MSG_NOSIGNAL);
	if (sent == n)
		return;
	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			drop(fd);
			return;
		}
		sent = 0;
	}
	struct pending *p = &waiting[fd];
	p->off = 0;
	p->len = n - sent;
	p->data = malloc(p->len);
	if (!p->data)
		fail("malloc");
	memcpy(p->data, buf + sent, p->len);
	watch(ep, EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void serve_tcp(void)
{
	static struct epoll_event events[EVENTS];
	struct rlimit lim;
	int listener, ep, n, i, fd;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		fail("getrlimit");
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim) < 0)
		fail("setrlimit");
	waiting_len = lim.rlim_cur < (1 << 20) ? (int)lim.rlim_cur : 1 << 20;
	waiting = calloc(waiting_len, sizeof *waiting);
	if (!waiting)
		fail("calloc");

	ep = epoll_create1(EPOLL_CLOEXEC);
	if (ep < 0)
		fail("epoll_create1");
	listener = listen_on_loopback(SOCK_STREAM | SOCK_NONBLOCK);
	watch(ep, EPOLL_CTL_ADD, listener, EPOLLIN);
	for (;;) {
		n = epoll_wait(ep, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			fail("epoll_wait");
		for (i = 0; i < n; i++) {
			fd = events[i].data.fd;
			if (fd == listener)
				accept_all(ep, listener);
			else if (waiting[fd].data)
				flush(ep, fd);
			else
				echo(ep, fd);
		}
	}
}

static void serve_udp(void)
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

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "tcp"))
		serve_tcp();
	if (argc == 2 && !strcmp(argv[1], "udp"))
		serve_udp();
	fprintf(stderr, "usage: echo tcp|udp\n");
	return 2;
}
