/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/message.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEXT_MAX = 8192 /* of a message; a longer one is cut */ };

struct head {
	int32_t code; /* enum err_code */
	int32_t sys;
};

/* Room for one descriptor. */
union control {
	struct cmsghdr head; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int))];
};

int message_pair(int ends[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, errno, "cannot make a pair of sockets");
	return 0;
}

static int send_whole(int socket, const struct msghdr *msg)
{
	ssize_t n;

	do
		n = sendmsg(socket, msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

static ssize_t receive_whole(int socket, struct msghdr *msg, int flags)
{
	ssize_t n;

	do
		n = recvmsg(socket, msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	return n;
}

int message_send(int socket, const struct err *what)
{
	struct head head = {(int32_t)what->code, what->sys};
	char text[TEXT_MAX];
	const size_t len = what->msg ? strnlen(what->msg, sizeof(text)) : 0;
	struct iovec iov[] = {{&head, sizeof(head)}, {text, len}};
	const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	if (len)
		memcpy(text, what->msg, len);
	return send_whole(socket, &msg);
}

int message_receive(int socket, bool is_waiting, struct err *what)
{
	struct head head;
	char text[TEXT_MAX];
	struct iovec iov[] = {{&head, sizeof(head)}, {text, sizeof(text)}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	const ssize_t n = receive_whole(socket, &msg, is_waiting ? 0 : MSG_DONTWAIT);
	if (n <= 0)
		return (int)n;
	if ((size_t)n < sizeof(head)) {
		errno = EPROTO;
		return -1;
	}
	if (head.code == ERR_NONE)
		return 1;
	err_set(what, (enum err_code)head.code, "%.*s", (int)((size_t)n - sizeof(head)), text);
	what->sys = head.sys;
	return 1;
}

int message_send_fd(int socket, int fd, const void *data, size_t len)
{
	/* sendmsg(2) only reads it; struct iovec is for both directions. */
	union {
		const void *in;
		void *out;
	} bytes = {.in = data};
	union control control = {.bytes = {0}};
	struct iovec iov = {bytes.out, len};
	const struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return send_whole(socket, &msg);
}

int message_receive_fd(int socket, void *data, size_t len)
{
	union control control;
	struct iovec iov = {data, len};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	int fd;

	const ssize_t n = receive_whole(socket, &msg, 0);
	if (n < 0)
		return -1;
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	errno = EPROTO; /* what is wrong with a message that came */
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if ((size_t)n == len)
		return fd;
	close(fd);
	errno = EPROTO;
	return -1;
}
