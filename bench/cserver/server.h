/* The C servers: what main.c starts and what they share. */
#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>
#include <sys/types.h>

enum { BUFFER = 64 * 1024 };

/* A connection, found by its descriptor. Both buffers are NULL when nothing waits. */
struct conn {
	char *out; /* what a short write left over */
	size_t out_off, out_len;
	char *in; /* what has arrived of an incomplete message */
	size_t in_len;
	int upgraded;
};

/*
 * A talker looks at what has arrived and answers with reply. It returns how many
 * bytes it used up, the rest is kept for the next time, or -1 to end the connection.
 */
typedef ssize_t (*talker)(int fd, const char *in, size_t len);

void fail(const char *what);
int listen_on_loopback(int type);

void serve(talker talk);
struct conn *conn_of(int fd);
int conn_limit(void); /* all descriptors are below it */
/* Collects answers to the connection that is talking. */
void reply(int fd, const char *data, size_t len);
/* Writes to any connection, what is left later. An error is seen by its next read. */
void write_now(int fd, const char *data, size_t len);

ssize_t echo(int fd, const char *in, size_t len);
ssize_t http(int fd, const char *in, size_t len);
ssize_t websocket(int fd, const char *in, size_t len);
void serve_udp(void);

/* The end of the head of a request, just behind the empty line; NULL if it is not there yet. */
const char *head_end(const char *in, size_t len);
/* The value of a field of a head, NULL if there is none; it ends with \r. */
const char *field(const char *head, const char *end, const char *name);

/* The value of Sec-WebSocket-Accept for a key (RFC 6455, section 4.2.2), 28 characters and a 0. */
void accept_value(const char *key, size_t len, char out[29]);

#endif
