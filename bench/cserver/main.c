/*
 * The floor of the benchmark: what the kernel charges for a message when the
 * program around the system calls costs next to nothing.
 */
#include "server.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "tcp"))
		serve(echo);
	if (!strcmp(what, "http"))
		serve(http);
	if (!strcmp(what, "ws"))
		serve(websocket);
	if (!strcmp(what, "udp"))
		serve_udp();
	fprintf(stderr, "usage: cserver tcp|udp|http|ws\n");
	return 2;
}
