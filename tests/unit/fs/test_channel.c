/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel that is the other end of a socket: what it says first, what it is answered, and what it
 * is asked for when another process takes over.
 */
#include "fs/channel.h"

#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fs/fuse_wire.h"
#include "main.h"

enum {
	BODY_MAX = 2048,
	INIT_BYTES = sizeof(struct wire_in_header) + sizeof(struct wire_init_in),
	REPLY_FLAGS = 12, /* offsets in struct fuse_init_out */
	REPLY_FLAGS2 = 32,
	REPLY_INIT_MAX = 64,
	NOTIFY_RESEND = 7,
	LAST_NODE = 1000000, /* its request ends the loop */
	MANY = 4000,
	LARGEST_REQUEST = 1024 * 1024, /* and its head: what libfuse 3.14 lets the kernel send */
	AT_ONCE = 40, /* requests that are not answered yet: sockets take no more for sure */
};
#define MAX_PAGES   (1U << 22)
#define RESENT      (UINT64_C(1) << 63)
#define HAS_RESEND2 (1U << 7) /* in flags2 */

static int kernel = -1, device = -1; /* two ends */
static struct fuse_session *session;
static struct channel_init init;

/* What libfuse told its user. */
static unsigned inits, capable;
/* What channel_* said in the last request; of the many, whether all was right. */
static struct {
	uint64_t unique;
	bool is_resent;
	uint8_t bytes[CHANNEL_REQUEST_MAX];
	size_t len;
} seen;
static atomic_uint mixed_up;
static unsigned answered;

static void count_answered(void *ctx)
{
	ck_assert_ptr_eq(ctx, &answered);
	answered++;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	inits++;
	capable = conn->capable;
	conn->want = 0;
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const void *bytes = channel_request(&seen.len);

	(void)fi;
	seen.unique = channel_unique();
	seen.is_resent = channel_is_resent();
	memcpy(seen.bytes, bytes, seen.len);
	fuse_reply_err(req, ino == LAST_NODE ? ENODATA : ENOENT);
}

/* In the loop: the node is the request's number, too. */
static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct wire_in_header head;
	size_t len;

	memcpy(&head, channel_request(&len), sizeof(head));
	if (channel_unique() != ino || head.unique != ino || len != sizeof(head))
		mixed_up++;
	if (ino == LAST_NODE)
		fuse_session_exit(session);
	fuse_reply_err(req, EINVAL);
}

static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.getattr = op_getattr,
	.readlink = op_readlink,
};

static void say(uint32_t opcode, uint64_t unique, uint64_t node, const void *body, size_t len)
{
	_Alignas(8) uint8_t bytes[sizeof(struct wire_in_header) + BODY_MAX];
	const struct wire_in_header head = {
		.len = (uint32_t)(sizeof(head) + len),
		.opcode = opcode,
		.unique = unique,
		.nodeid = node,
	};

	ck_assert_uint_le(len, BODY_MAX);
	memcpy(bytes, &head, sizeof(head));
	if (len)
		memcpy(bytes + sizeof(head), body, len);
	ck_assert_int_eq(send(kernel, bytes, head.len, 0), head.len);
}

/* The bytes of the next thing that the kernel is told, 0 when there is none. */
static size_t told(void *out, size_t size)
{
	const ssize_t n = recv(kernel, out, size, MSG_DONTWAIT);

	if (n < 0)
		ck_assert_int_eq(errno, EAGAIN);
	return n < 0 ? 0 : (size_t)n;
}

static void setup(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	kernel = ends[0];
	device = ends[1];
	session = NULL;
	inits = answered = 0;
	mixed_up = 0;
}

static void teardown(void)
{
	if (session)
		fuse_session_destroy(session); /* closes the device */
	else
		close(device);
	close(kernel);
}

/* A kernel that offers these flags. */
static void offer(uint32_t flags, uint32_t flags2, uint32_t minor)
{
	const struct wire_init_in in = {.major = WIRE_MAJOR,
					.minor = minor,
					.max_readahead = 65536,
					.flags = flags,
					.flags2 = flags2};
	struct err e = ERR_INIT;

	say(WIRE_INIT, 2, 0, &in, sizeof(in));
	ck_assert_int_eq(channel_read_init(device, &init, &e), 0);
}

static void begin_with(const struct channel_options *opt)
{
	char name[] = "test";
	char *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct err e = ERR_INIT;

	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	fuse_opt_free_args(&args);
	ck_assert_ptr_nonnull(session);
	ck_assert_int_eq(channel_open(session, device, opt, &e), 0);
	ck_assert_int_eq(channel_start(session, &e), 0);
	ck_assert_uint_eq(inits, 1);
}

static void begin(uint64_t flags, bool is_takeover)
{
	const struct channel_options opt = {.init = &init,
					    .is_takeover = is_takeover,
					    .flags = flags,
					    .answered = count_answered,
					    .ctx = &answered};

	begin_with(&opt);
}

/* As one turn of libfuse's loop. */
static void serve_one(void)
{
	struct fuse_buf buf = {.mem = NULL};

	ck_assert_int_gt(fuse_session_receive_buf(session, &buf), 0);
	fuse_session_process_buf(session, &buf);
	free(buf.mem);
}

static uint32_t u32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

START_TEST(keeps_the_first_request_whole)
{
	struct wire_in_header head;

	offer(WIRE_INIT_EXT | 1, HAS_RESEND2, WIRE_MINOR);
	ck_assert_uint_eq(init.len, INIT_BYTES);
	memcpy(&head, init.bytes, sizeof(head));
	ck_assert_uint_eq(head.opcode, WIRE_INIT);
	ck_assert_uint_eq(channel_offered(&init), WIRE_INIT_EXT | 1 | CHANNEL_HAS_RESEND);
}
END_TEST

START_TEST(flags2_counts_only_when_it_is_there)
{
	offer(1, HAS_RESEND2, WIRE_MINOR);
	ck_assert_uint_eq(channel_offered(&init), 1);
	offer(WIRE_INIT_EXT, HAS_RESEND2, WIRE_MINOR);
	/* A kernel before 7.36 sends 16 bytes. */
	init.len = sizeof(struct wire_in_header) + 16;
	ck_assert_uint_eq(channel_offered(&init), WIRE_INIT_EXT);
}
END_TEST

static const struct {
	uint32_t opcode, major;
	size_t len;
} strange[] = {
	{WIRE_LOOKUP, 7, sizeof(struct wire_init_in)},
	{WIRE_INIT, 8, sizeof(struct wire_init_in)},
	{WIRE_INIT, 6, sizeof(struct wire_init_in)},
	{WIRE_INIT, 7, 15},
	{WIRE_INIT, 7, 0},
	{WIRE_INIT, 7, CHANNEL_INIT_MAX + 1 - sizeof(struct wire_in_header)},
};

START_TEST(refuses_another_first_request)
{
	const uint32_t body[BODY_MAX / 4] = {strange[_i].major, WIRE_MINOR};
	struct err e = ERR_INIT;

	init.len = 7;
	say(strange[_i].opcode, 2, 0, body, strange[_i].len);
	ck_assert_int_eq(channel_read_init(device, &init, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "protocol");
	ck_assert_uint_eq(init.len, 7);
}
END_TEST

START_TEST(tells_why_it_cannot_be_read)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(channel_read_init(-1, &init, &e), -1);
	ck_assert_int_eq(e.sys, EBADF);
	ck_assert_err(&e, ERR_SYS, "first request");
}
END_TEST

static const struct {
	uint64_t asked;
	uint32_t flags, flags2;           /* offered */
	uint32_t want_flags, want_flags2; /* in the answer */
} askings[] = {
	{0, WIRE_INIT_EXT, HAS_RESEND2, WIRE_INIT_EXT, HAS_RESEND2},
	{0, WIRE_INIT_EXT, 0, WIRE_INIT_EXT, 0},
	{0, 0, HAS_RESEND2, 0, 0},
	{CHANNEL_HANDLE_KILLPRIV_V2, 0, 0, 0, 0},
	{CHANNEL_HANDLE_KILLPRIV_V2, 1U << 28, 0, 1U << 28, 0},
	{CHANNEL_HANDLE_KILLPRIV_V2, UINT32_MAX, UINT32_MAX, WIRE_INIT_EXT | 1U << 28, HAS_RESEND2},
	{UINT64_C(1) << 37, WIRE_INIT_EXT, UINT32_MAX, WIRE_INIT_EXT, HAS_RESEND2 | 1U << 5},
	{0, 1U << 28, 0, 0, 0},
};

/* Besides what libfuse itself answers, which has nothing of bit 28, and an empty flags2. */
START_TEST(asks_for_what_is_offered)
{
	enum { BIT_28_AND_EXT = 1U << 28 | WIRE_INIT_EXT };
	uint8_t reply[sizeof(struct wire_out_header) + REPLY_INIT_MAX + 1];
	struct wire_out_header head;

	offer(askings[_i].flags, askings[_i].flags2, WIRE_MINOR);
	begin(askings[_i].asked, false);
	ck_assert_uint_eq(told(reply, sizeof(reply)), sizeof(reply) - 1);
	memcpy(&head, reply, sizeof(head));
	ck_assert_uint_eq(head.unique, 2);
	ck_assert_int_eq(head.error, 0);
	ck_assert_uint_eq(head.len, sizeof(reply) - 1);
	ck_assert_uint_eq(u32(reply + sizeof(head) + REPLY_FLAGS) & BIT_28_AND_EXT,
			  askings[_i].want_flags);
	ck_assert_uint_eq(u32(reply + sizeof(head) + REPLY_FLAGS2), askings[_i].want_flags2);
	/* The first process of a mount has nothing to ask for. */
	ck_assert_uint_eq(told(reply, sizeof(reply)), 0);
	ck_assert_uint_eq(answered, 0);
}
END_TEST

/* Up to protocol 7.22 the answer ends before flags2. */
START_TEST(writes_nothing_behind_a_short_answer)
{
	uint8_t reply[sizeof(struct wire_out_header) + REPLY_INIT_MAX + 1];

	offer(1U << 28 | WIRE_INIT_EXT, UINT32_MAX, 22);
	begin(CHANNEL_HANDLE_KILLPRIV_V2, false);
	ck_assert_uint_eq(told(reply, sizeof(reply)), sizeof(struct wire_out_header) + 24);
	ck_assert_uint_ne(u32(reply + sizeof(struct wire_out_header) + REPLY_FLAGS) & 1U << 28, 0);
}
END_TEST

START_TEST(a_successor_answers_no_init_and_asks_for_requests)
{
	struct wire_out_header out;
	uint8_t more[64];

	offer(WIRE_INIT_EXT | WIRE_ASYNC_READ, HAS_RESEND2, WIRE_MINOR);
	begin(0, true);
	ck_assert_uint_eq(told(&out, sizeof(out)), sizeof(out));
	ck_assert_uint_eq(out.len, sizeof(out));
	ck_assert_int_eq(out.error, NOTIFY_RESEND);
	ck_assert_uint_eq(out.unique, 0);
	ck_assert_uint_eq(told(more, sizeof(more)), 0);
	/* libfuse knows the kernel as its predecessor did. */
	ck_assert_uint_ne(capable & FUSE_CAP_ASYNC_READ, 0);
	ck_assert_uint_eq(answered, 0);
	say(WIRE_GETATTR, 4, 9, &(struct wire_getattr_in){0}, sizeof(struct wire_getattr_in));
	serve_one();
	ck_assert_uint_eq(told(&out, sizeof(out)), sizeof(out));
	ck_assert_int_eq(out.error, -ENOENT);
	ck_assert_uint_eq(out.unique, 4);
}
END_TEST

static const uint64_t uniques[] = {4, 4 | RESENT, 0, UINT64_MAX, UINT64_MAX >> 1};

START_TEST(a_request_is_known_by_its_number)
{
	struct {
		struct wire_getattr_in in;
		char more[256];
	} body = {.in = {.fh = 17}, .more = "more"};
	struct wire_out_header out, skipped[8];
	struct wire_in_header head;

	offer(WIRE_INIT_EXT, HAS_RESEND2, WIRE_MINOR);
	begin(0, false);
	told(skipped, sizeof(skipped));
	say(WIRE_GETATTR, uniques[_i], 9, &body, sizeof(body));
	serve_one();
	ck_assert_uint_eq(seen.unique, uniques[_i] & ~RESENT);
	ck_assert_int_eq(seen.is_resent, (uniques[_i] & RESENT) != 0);
	/* The kernel knows it by all 64 bits. */
	ck_assert_uint_eq(told(&out, sizeof(out)), sizeof(out));
	ck_assert_uint_eq(out.unique, uniques[_i]);
	ck_assert_uint_eq(seen.len, CHANNEL_REQUEST_MAX);
	memcpy(&head, seen.bytes, sizeof(head));
	ck_assert_uint_eq(head.unique, uniques[_i]);
	ck_assert_mem_eq(seen.bytes + sizeof(head), &body, seen.len - sizeof(head));
	say(WIRE_GETATTR, 8, 9, &body.in, sizeof(body.in));
	serve_one();
	ck_assert_uint_eq(seen.len, sizeof(head) + sizeof(body.in));
}
END_TEST

START_TEST(tells_of_the_first_answer_once)
{
	offer(WIRE_INIT_EXT, HAS_RESEND2, WIRE_MINOR);
	begin(0, false);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(answered, i > 0);
		say(WIRE_GETATTR, 4 + 2 * i, 9, &(struct wire_getattr_in){0},
		    sizeof(struct wire_getattr_in));
		serve_one();
	}
	ck_assert_uint_eq(answered, 1);
}
END_TEST

static void on_alarm(int number)
{
	(void)number;
}

/* libfuse goes on after both, and looks whether it is to end. */
START_TEST(a_read_that_fails_is_libfuses_matter)
{
	const struct sigaction wake = {.sa_handler = on_alarm}; /* no SA_RESTART */
	struct wire_out_header skipped[8];
	struct fuse_buf buf = {.mem = NULL};

	offer(WIRE_INIT_EXT, HAS_RESEND2, WIRE_MINOR);
	begin(0, false);
	told(skipped, sizeof(skipped));
	sigaction(SIGALRM, &wake, NULL);
	/* Again and again: it may come before the read. */
	setitimer(ITIMER_REAL, &(struct itimerval){{0, 50000}, {0, 50000}}, NULL);
	ck_assert_int_eq(fuse_session_receive_buf(session, &buf), -EINTR);
	setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
	ck_assert_int_eq(fcntl(device, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(fuse_session_receive_buf(session, &buf), -EAGAIN);
	free(buf.mem);
}
END_TEST

/* Whether all pages of a buffer are there. */
static bool is_present(const void *buf, size_t size)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t first = (uintptr_t)buf & ~(page - 1);
	const size_t count = ((uintptr_t)buf + size - first + page - 1) / page;
	SCOPE_FREE unsigned char *there = malloc(count);
	size_t present = 0;

	ck_assert_int_eq(mincore((void *)first, count * page, there), 0);
	for (size_t i = 0; i < count; i++)
		present += there[i] & 1;
	return present == count;
}

/* A process that is killed while it takes a request must not lose it: of any size, when it may be
 * written to. */
START_TEST(buffers_are_there_before_requests_are)
{
	const struct channel_options opt = {.init = &init, .is_writable = _i};
	struct fuse_buf buf = {.mem = NULL};
	struct wire_out_header skipped[8];

	offer(WIRE_INIT_EXT | MAX_PAGES, HAS_RESEND2, WIRE_MINOR);
	begin_with(&opt);
	told(skipped, sizeof(skipped));
	say(WIRE_GETATTR, 4, 9, &(struct wire_getattr_in){0}, sizeof(struct wire_getattr_in));
	ck_assert_int_gt(fuse_session_receive_buf(session, &buf), 0);
	ck_assert(is_present(buf.mem, opt.is_writable ? LARGEST_REQUEST : 8192));
	free(buf.mem);
}
END_TEST

/* The kernel's side, while libfuse's threads answer. */
static void *ask_many(void *arg)
{
	struct wire_out_header out;
	unsigned asked = 0, got = 0;

	(void)arg;
	while (got < MANY) {
		for (; asked < MANY && asked < got + AT_ONCE; asked++)
			say(WIRE_READLINK, asked + 1, asked + 1, NULL, 0);
		ck_assert_int_eq(recv(kernel, &out, sizeof(out), 0), sizeof(out));
		got++;
	}
	say(WIRE_READLINK, LAST_NODE, LAST_NODE, NULL, 0);
	return NULL;
}

START_TEST(each_thread_has_its_own_request)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	uint8_t reply[256];
	pthread_t thread;

	offer(WIRE_INIT_EXT, HAS_RESEND2, WIRE_MINOR);
	begin(0, false);
	told(reply, sizeof(reply));
	fuse_loop_cfg_set_max_threads(config, 8);
	ck_assert_int_eq(pthread_create(&thread, NULL, ask_many, NULL), 0);
	ck_assert_int_eq(fuse_session_loop_mt(session, config), 0);
	pthread_join(thread, NULL);
	fuse_loop_cfg_destroy(config);
	ck_assert_uint_eq(mixed_up, 0);
	ck_assert_uint_eq(answered, 1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/channel");
	TCase *tc = tcase_create("init");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, keeps_the_first_request_whole);
	tcase_add_test(tc, flags2_counts_only_when_it_is_there);
	tcase_add_loop_test(tc, refuses_another_first_request, 0, ARRAY_LEN(strange));
	tcase_add_test(tc, tells_why_it_cannot_be_read);
	tcase_add_loop_test(tc, asks_for_what_is_offered, 0, ARRAY_LEN(askings));
	tcase_add_test(tc, writes_nothing_behind_a_short_answer);
	suite_add_tcase(s, tc);

	tc = tcase_create("requests");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_successor_answers_no_init_and_asks_for_requests);
	tcase_add_loop_test(tc, a_request_is_known_by_its_number, 0, ARRAY_LEN(uniques));
	tcase_add_test(tc, tells_of_the_first_answer_once);
	tcase_add_test(tc, a_read_that_fails_is_libfuses_matter);
	tcase_add_loop_test(tc, buffers_are_there_before_requests_are, 0, 2);
	tcase_add_test(tc, each_thread_has_its_own_request);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
