/*
 * One level-triggered epoll loop; one read into a shared buffer for each event.
 * The answers to what one read brought leave in one write. Only a short write
 * and an incomplete message allocate; while output waits for EPOLLOUT, the
 * connection is not read.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 1024 };

static int ep;
static struct conn *conns; /* indexed by file descriptor */
static int conns_len;

/* What the talker has answered and is not written yet, all to one descriptor. */
static char cork[BUFFER];
static size_t corked;

struct conn *conn_of(int fd)
{
	return &conns[fd];
}

int conn_limit(void)
{
	return conns_len;
}

static void drop(int fd)
{
	free(conns[fd].out);
	free(conns[fd].in);
	memset(&conns[fd], 0, sizeof conns[fd]);
	close(fd);
}

static void watch(int op, int fd, unsigned events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	if (epoll_ctl(ep, op, fd, &ev) < 0)
		fail("epoll_ctl");
}

static void accept_all(int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= conns_len) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		watch(EPOLL_CTL_ADD, fd, EPOLLIN);
	}
}

/* Takes what a write left over, behind what waits already. */
static void keep_output(int fd, const char *data, size_t len)
{
	struct conn *c = &conns[fd];
	int first = !c->out;

	c->out = realloc(c->out, c->out_len + len);
	if (!c->out)
		fail("realloc");
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	if (first)
		watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

void write_now(int fd, const char *data, size_t len)
{
	ssize_t sent = 0;

	if (!conns[fd].out) {
		sent = send(fd, data, len, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (sent < 0)
			sent = 0;
	}
	if ((size_t)sent < len)
		keep_output(fd, data + sent, len - sent);
}

static void uncork(int fd)
{
	if (corked)
		write_now(fd, cork, corked);
	corked = 0;
}

void reply(int fd, const char *data, size_t len)
{
	if (corked + len > sizeof cork)
		uncork(fd);
	if (len > sizeof cork) {
		write_now(fd, data, len);
		return;
	}
	memcpy(cork + corked, data, len);
	corked += len;
}

static void flush(int fd)
{
	struct conn *c = &conns[fd];
	ssize_t n = send(fd, c->out + c->out_off, c->out_len - c->out_off, MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			drop(fd);
		return;
	}
	c->out_off += n;
	if (c->out_off == c->out_len) {
		free(c->out);
		c->out = NULL;
		c->out_off = c->out_len = 0;
		watch(EPOLL_CTL_MOD, fd, EPOLLIN);
	}
}

/* Reads once behind what is kept, lets the talker answer, keeps the rest. */
static void ready(int fd, talker talk)
{
	static char buf[2 * BUFFER];
	struct conn *c = &conns[fd];
	size_t len = c->in_len;
	ssize_t n, used;

	if (len)
		memcpy(buf, c->in, len);
	n = read(fd, buf + len, BUFFER);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(fd);
		return;
	}
	len += n;
	used = talk(fd, buf, len);
	uncork(fd);
	if (used < 0 || len - used > BUFFER) {
		drop(fd);
		return;
	}
	if (c->in || (size_t)used < len) {
		free(c->in);
		c->in = NULL;
		c->in_len = len - used;
		if (c->in_len) {
			c->in = malloc(c->in_len);
			if (!c->in)
				fail("malloc");
			memcpy(c->in, buf + used, c->in_len);
		}
	}
}

void serve(talker talk)
{
	static struct epoll_event events[EVENTS];
	struct rlimit lim;
	int listener, n, i, fd;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		fail("getrlimit");
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim) < 0)
		fail("setrlimit");
	conns_len = lim.rlim_cur < (1 << 20) ? (int)lim.rlim_cur : 1 << 20;
	conns = calloc(conns_len, sizeof *conns);
	if (!conns)
		fail("calloc");

	ep = epoll_create1(EPOLL_CLOEXEC);
	if (ep < 0)
		fail("epoll_create1");
	listener = listen_on_loopback(SOCK_STREAM | SOCK_NONBLOCK);
	watch(EPOLL_CTL_ADD, listener, EPOLLIN);
	for (;;) {
		n = epoll_wait(ep, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			fail("epoll_wait");
		for (i = 0; i < n; i++) {
			fd = events[i].data.fd;
			if (fd == listener)
				accept_all(listener);
			else if (conns[fd].out)
				flush(fd);
			else
				ready(fd, talk);
		}
	}
}
