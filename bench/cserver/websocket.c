/*
 * WebSocket with single frames: binary ones go back to their sender, text goes
 * to everybody. It checks nothing but that a frame is complete.
 */
#define _GNU_SOURCE
#include "server.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 1, BINARY = 2 };

static ssize_t handshake(int fd, const char *in, size_t len)
{
	const char *end = head_end(in, len), *key, *stop;
	char accept[29], text[256];

	if (!end)
		return 0;
	key = field(in, end, "Sec-WebSocket-Key");
	stop = key ? memchr(key, '\r', end - key) : NULL;
	if (!stop)
		return -1;
	accept_value(key, stop - key, accept);
	reply(fd, text, snprintf(text, sizeof text,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept));
	conn_of(fd)->upgraded = 1;
	return end - in;
}

/* Unmasks eight bytes at a time. */
static void unmask(char *dst, const char *src, size_t len, const char mask[4])
{
	uint64_t m, v;
	size_t i = 0;

	memcpy(&m, mask, 4);
	memcpy((char *)&m + 4, mask, 4);
	for (; i + 8 <= len; i += 8) {
		memcpy(&v, src + i, 8);
		v ^= m;
		memcpy(dst + i, &v, 8);
	}
	for (; i < len; i++)
		dst[i] = src[i] ^ mask[i % 4];
}

static void send_to_all(const char *frame, size_t len)
{
	int fd;

	for (fd = 0; fd < conn_limit(); fd++)
		if (conn_of(fd)->upgraded)
			write_now(fd, frame, len);
}

/* Answers the frame at in; returns its length, 0 if it is incomplete, -1 if it is refused. */
static ssize_t frame(int fd, const char *in, size_t len)
{
	static char out[BUFFER];
	const unsigned char *p = (const unsigned char *)in;
	size_t head = 2, size;

	if (len < 2)
		return 0;
	size = p[1] & 127;
	if (size == 126)
		head = 4;
	if (len < head + 4)
		return 0;
	if (size == 126)
		size = p[2] << 8 | p[3];
	else if (size == 127)
		return -1;
	if (!(p[1] & 128) || head + size > sizeof out)
		return -1;
	if (len < head + 4 + size)
		return 0;
	memcpy(out, in, head);
	out[1] &= 127;
	unmask(out + head, in + head + 4, size, in + head);
	switch (p[0] & 15) {
	case TEXT:
		send_to_all(out, head + size);
		break;
	case BINARY:
		reply(fd, out, head + size);
		break;
	default:
		return -1;
	}
	return head + 4 + size;
}

ssize_t websocket(int fd, const char *in, size_t len)
{
	size_t at = 0;
	ssize_t n;

	if (!conn_of(fd)->upgraded)
		return handshake(fd, in, len);
	while ((n = frame(fd, in + at, len - at)) > 0)
		at += n;
	return n < 0 ? -1 : (ssize_t)at;
}
