/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/channel.h"

#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* <linux/fuse.h> of Debian 12 is older than some of this. */
enum {
	WIRE_MAJOR = 7,
	WIRE_INIT = 26,         /* FUSE_INIT */
	WIRE_NOTIFY_RESEND = 7, /* FUSE_NOTIFY_RESEND */
	WIRE_READ_MIN = 8192,   /* FUSE_MIN_READ_BUFFER: a smaller read is EINVAL; room for any
				   request without data */
	WIRE_INIT_FLAGS = 12,   /* offsetof(struct fuse_init_in, flags), and of fuse_init_out */
	WIRE_INIT_IN_FLAGS2 = 16,
	WIRE_INIT_OUT_FLAGS2 = 32,
	WIRE_INIT_OUT_SIZE = 64,
};
#define WIRE_INIT_EXT      (UINT64_C(1) << 30) /* FUSE_INIT_EXT: flags2 counts */
#define WIRE_UNIQUE_RESEND (UINT64_C(1) << 63) /* FUSE_UNIQUE_RESEND */

/* struct fuse_in_header */
struct wire_in {
	uint32_t len, opcode;
	uint64_t unique, nodeid;
	uint32_t uid, gid, pid;
	uint16_t total_extlen, padding;
};

/* struct fuse_out_header */
struct wire_out {
	uint32_t len;
	int32_t error;
	uint64_t unique;
};

/* libfuse gives its hooks the userdata of the session, which is not ours. */
static struct {
	struct channel_options opt;
	bool is_started; /* INIT is done, and what is written now answers clients */
	atomic_bool has_answered;
} channel;

/* What a thread read last, and where to. */
static _Thread_local struct {
	const void *buf;
	size_t len;
	_Alignas(8) uint8_t bytes[CHANNEL_REQUEST_MAX];
} request;

static uint32_t u32_at(const uint8_t *bytes, size_t at)
{
	uint32_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

static void or_u32_at(uint8_t *bytes, size_t at, uint32_t flags)
{
	const uint32_t value = u32_at(bytes, at) | flags;

	memcpy(bytes + at, &value, sizeof(value));
}

static struct wire_in head_of(const uint8_t *bytes)
{
	struct wire_in head;

	memcpy(&head, bytes, sizeof(head));
	return head;
}

int channel_read_init(int device, struct channel_init *out, struct err *e)
{
	_Alignas(8) uint8_t bytes[WIRE_READ_MIN];
	ssize_t n;

	do
		n = read(device, bytes, sizeof(bytes));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "cannot read the first request of /dev/fuse");
	/* The flags, at least, since protocol 7.6. */
	const size_t least = sizeof(struct wire_in) + WIRE_INIT_FLAGS + sizeof(uint32_t);
	if ((size_t)n < least || n > CHANNEL_INIT_MAX || head_of(bytes).opcode != WIRE_INIT ||
	    u32_at(bytes, sizeof(struct wire_in)) != WIRE_MAJOR)
		return err_set(e, ERR_UNSUPPORTED,
			       "the kernel speaks another FUSE protocol than 7");
	out->len = (uint32_t)n;
	memcpy(out->bytes, bytes, out->len);
	return 0;
}

uint64_t channel_offered(const struct channel_init *init)
{
	const size_t body = sizeof(struct wire_in);
	const uint64_t flags = u32_at(init->bytes, body + WIRE_INIT_FLAGS);

	if (!(flags & WIRE_INIT_EXT) || init->len < body + WIRE_INIT_IN_FLAGS2 + sizeof(uint32_t))
		return flags;
	return flags | (uint64_t)u32_at(init->bytes, body + WIRE_INIT_IN_FLAGS2) << 32;
}

/*
 * A process that is being killed still takes requests.  The kernel then does not bring in pages of
 * its buffer that it has never used, as that would take time, and fails the request with EIO: the
 * client would see the death.  With the pages there the request is kept, for the successor.
 */
static void bring_in(uint8_t *buf, size_t len)
{
	enum { PAGE = 4096 }; /* or more */

	if (!channel.opt.is_writable && len > WIRE_READ_MIN)
		len = WIRE_READ_MIN;
	for (size_t at = 0; at < len; at += PAGE)
		((volatile uint8_t *)buf)[at] = 0;
	((volatile uint8_t *)buf)[len - 1] = 0;
}

/* libfuse's hook: read(2), and a look at what came.  ENOENT (a request that was given up), EINTR,
 * EAGAIN and ENODEV (unmounted) are libfuse's to understand. */
static ssize_t channel_read(int fd, void *buf, size_t len, void *userdata)
{
	(void)userdata;
	if (buf != request.buf) {
		bring_in(buf, len);
		request.buf = buf;
	}
	const ssize_t n = read(fd, buf, len);
	if (n > 0) {
		request.len = (size_t)n < sizeof(request.bytes) ? (size_t)n : sizeof(request.bytes);
		memcpy(request.bytes, buf, request.len);
	}
	return n;
}

/* The answer to INIT, with the flags that libfuse does not know. */
static ssize_t write_init(int fd, const struct iovec *iov, int count, size_t total)
{
	uint8_t bytes[sizeof(struct wire_out) + WIRE_INIT_OUT_SIZE];
	struct wire_out head;
	size_t at = 0;

	if (channel.opt.is_takeover)
		return (ssize_t)total;
	if (total > sizeof(bytes) || total < sizeof(head))
		return writev(fd, iov, count);
	for (int i = 0; i < count; i++) {
		memcpy(bytes + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	memcpy(&head, bytes, sizeof(head));
	const uint64_t flags =
		(channel.opt.flags | CHANNEL_HAS_RESEND) & channel_offered(channel.opt.init);
	uint8_t *body = bytes + sizeof(head);
	if (head.error == 0 && total >= sizeof(head) + WIRE_INIT_FLAGS + sizeof(uint32_t))
		or_u32_at(body, WIRE_INIT_FLAGS, (uint32_t)flags);
	if (head.error == 0 && flags >> 32 &&
	    total >= sizeof(head) + WIRE_INIT_OUT_FLAGS2 + sizeof(uint32_t)) {
		or_u32_at(body, WIRE_INIT_FLAGS, (uint32_t)WIRE_INIT_EXT);
		or_u32_at(body, WIRE_INIT_OUT_FLAGS2, (uint32_t)(flags >> 32));
	}
	return write(fd, bytes, total);
}

static ssize_t channel_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	(void)userdata;
	if (!channel.is_started) {
		size_t total = 0;
		for (int i = 0; i < count; i++)
			total += iov[i].iov_len;
		return write_init(fd, iov, count, total);
	}
	const ssize_t n = writev(fd, iov, count);
	if (n >= 0 && !atomic_load_explicit(&channel.has_answered, memory_order_relaxed) &&
	    !atomic_exchange(&channel.has_answered, true) && channel.opt.answered)
		channel.opt.answered(channel.opt.ctx);
	return n;
}

int channel_open(struct fuse_session *session, int device, const struct channel_options *opt,
		 struct err *e)
{
	static const struct fuse_custom_io io = {.read = channel_read, .writev = channel_writev};
	const int r = fuse_session_custom_io(session, &io, device);

	if (r != 0)
		return err_sys(e, r < 0 ? -r : ENOMEM,
			       "libfuse does not take the descriptor of /dev/fuse");
	channel.opt = *opt;
	channel.is_started = false;
	channel.has_answered = false;
	return 0;
}

int channel_start(struct fuse_session *session, struct err *e)
{
	const struct wire_out resend = {.len = sizeof(resend), .error = WIRE_NOTIFY_RESEND};
	const struct channel_init *init = channel.opt.init;
	_Alignas(8) uint8_t bytes[CHANNEL_INIT_MAX];
	struct fuse_buf buf = {.mem = bytes, .size = init->len};

	memcpy(bytes, init->bytes, init->len);
	/* Before any thread reads: a request that came in between would find libfuse not ready. */
	fuse_session_process_buf(session, &buf);
	channel.is_started = true;
	if (channel.opt.is_takeover &&
	    write(fuse_session_fd(session), &resend, sizeof(resend)) < 0 && errno != ENODEV)
		return err_sys(e, errno, "the kernel does not send requests again");
	return 0;
}

uint64_t channel_unique(void)
{
	return head_of(request.bytes).unique & ~WIRE_UNIQUE_RESEND;
}

bool channel_is_resent(void)
{
	return head_of(request.bytes).unique & WIRE_UNIQUE_RESEND;
}

const void *channel_request(size_t *len)
{
	*len = request.len;
	return request.bytes;
}
