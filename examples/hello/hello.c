/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web server of one page, for one client at a time: the program of the quickstart.
 * Serves $HELLO_ROOT/index.html on port $HELLO_PORT.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	return value ? value : otherwise;
}

static void answer(int client, const char *root)
{
	static const char head[] = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n";
	char path[4096], buf[4096];
	size_t n;

	/* The request is read and not looked at: there is one page. */
	if (read(client, buf, sizeof(buf)) <= 0 || write(client, head, sizeof(head) - 1) < 0)
		return;
	snprintf(path, sizeof(path), "%s/index.html", root);
	FILE *f = fopen(path, "r");
	if (!f)
		return;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0 && write(client, buf, n) == (ssize_t)n)
		;
	fclose(f);
}

int main(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(setting("HELLO_PORT", "8080"), NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int one = 1;
	const int listener = socket(AF_INET, SOCK_STREAM, 0);

	signal(SIGPIPE, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 8) < 0) {
		perror("hello");
		return 1;
	}
	for (;;) {
		const int client = accept(listener, NULL, NULL);
		if (client < 0)
			continue;
		answer(client, setting("HELLO_ROOT", "/srv/hello"));
		close(client);
	}
}
