/*
 * The least that can answer a request: it looks for the empty line and, if the
 * method is POST, for the length of the body. Everything else is ignored.
 */
#define _GNU_SOURCE
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define PAGE "Hello, World!"

const char *head_end(const char *in, size_t len)
{
	const char *end = memmem(in, len, "\r\n\r\n", 4);

	return end ? end + 4 : NULL;
}

const char *field(const char *head, const char *end, const char *name)
{
	size_t n = strlen(name);
	const char *line = head;

	while ((line = memmem(line, end - line, "\r\n", 2)) && (size_t)(end - line) > n + 4) {
		line += 2;
		if (!strncasecmp(line, name, n) && line[n] == ':') {
			for (line += n + 1; *line == ' '; line++)
				;
			return line;
		}
	}
	return NULL;
}

static char date[30]; /* as HTTP writes it, for the current second */

/* Returns 1 if the second has changed. */
static int update_date(void)
{
	static time_t second;
	time_t t = time(NULL);

	if (t == second)
		return 0;
	second = t;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&t));
	return 1;
}

static void answer_page(int fd)
{
	static char text[256];
	static size_t len;

	if (update_date() || !len)
		len = snprintf(text, sizeof text,
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
			"Date: %s\r\nContent-Length: %zu\r\n\r\n" PAGE, date, strlen(PAGE));
	reply(fd, text, len);
}

static void answer_body(int fd, const char *body, size_t len)
{
	char head[256];

	update_date();
	reply(fd, head, snprintf(head, sizeof head,
		"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
		"Date: %s\r\nContent-Length: %zu\r\n\r\n", date, len));
	reply(fd, body, len);
}

ssize_t http(int fd, const char *in, size_t len)
{
	const char *at = in, *all = in + len, *end, *value;

	while ((end = head_end(at, all - at))) {
		if (*at != 'P') {
			answer_page(fd);
			at = end;
			continue;
		}
		value = field(at, end, "Content-Length");
		size_t size = value ? strtoul(value, NULL, 10) : 0;
		if ((size_t)(all - end) < size)
			break;
		answer_body(fd, end, size);
		at = end + size;
	}
	return at - in;
}
