/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content of the files of an edit session, held against arrays of bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "fs/sample_session.h"
#include "fs/session_private.h"
#include "main.h"
#include "tests/support/scratch.h"

enum {
	BLOCK = SESSION_BLOCK,
	SIZE_MAX_MODEL = 256 * 1024,
	BIG = 40 * BLOCK + 17,
	HOLE_START = 9 * BLOCK + 100,
	HOLE_END = 30 * BLOCK - 1,
	JUNK = 0xee,
	MODELS = 7,
};

/* The last is new. */
static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "big",
	 .kind = ENTRY_REG,
	 .mode = 0644,
	 .size = BIG,
	 .zeros = HOLE_START,
	 .zeros_end = HOLE_END},
	{.path = "block", .kind = ENTRY_REG, .mode = 0644, .size = BLOCK},
	{.path = "block-and-1", .kind = ENTRY_REG, .mode = 0644, .size = BLOCK + 1},
	{.path = "empty", .kind = ENTRY_REG, .mode = 0644},
	{.path = "small", .kind = ENTRY_REG, .mode = 0644, .size = 1000},
	{.path = "two-blocks-less-1", .kind = ENTRY_REG, .mode = 0644, .size = 2 * BLOCK - 1},
};

struct model {
	uint64_t ino;
	uint32_t size;
	uint8_t bytes[SIZE_MAX_MODEL];
};

static struct model models[MODELS];

static void setup(void)
{
	sample_session_make(files, ARRAY_LEN(files));
	for (size_t i = 0; i < MODELS; i++) {
		struct model *m = &models[i];
		const struct sample_file *f = &files[i + 1];
		if (i == MODELS - 1) {
			*m = (struct model){.ino = sample_add("new", S_IFREG | 0644)};
			break;
		}
		m->ino = sample_ino(f->path);
		m->size = (uint32_t)f->size;
		for (uint32_t at = 0; at < m->size; at++)
			m->bytes[at] = sample_byte(f, at);
	}
}

static void check_model(const struct model *m)
{
	sample_check(m->ino, m->bytes, m->size);
}

static void check_models(void)
{
	for (size_t i = 0; i < MODELS; i++)
		check_model(&models[i]);
}

/* Often at a border, and often where the file ends. */
static uint32_t pick_offset(uint64_t *random, const struct model *m)
{
	const uint32_t borders = SIZE_MAX_MODEL / 2 / BLOCK;
	uint32_t at;

	switch (sample_random(random, 4)) {
	case 0:
		at = sample_random(random, borders) * BLOCK;
		break;
	case 1:
		at = m->size;
		break;
	case 2:
		at = sample_random(random, 3 * BLOCK);
		break;
	default:
		at = sample_random(random, SIZE_MAX_MODEL / 2);
	}
	const uint32_t shift = sample_random(random, 3);
	at += shift;
	at = at > 0 ? at - 1 : 0;
	return at < SIZE_MAX_MODEL ? at : SIZE_MAX_MODEL - 1;
}

static uint32_t pick_length(uint64_t *random, uint32_t at)
{
	static const uint32_t lengths[] = {1,     2,         100,       BLOCK - 1,
					   BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 7};
	const uint32_t len = lengths[sample_random(random, ARRAY_LEN(lengths))];

	return len < SIZE_MAX_MODEL - at ? len : SIZE_MAX_MODEL - at;
}

/* What the model is when the file ends at `size`. */
static void model_resize(struct model *m, uint32_t size)
{
	if (size < m->size)
		memset(m->bytes + size, 0, m->size - size);
	m->size = size;
}

enum op { OP_WRITE, OP_TRUNCATE, OP_PUNCH, OP_ZERO, OP_ALLOCATE, OPS };

struct step {
	enum op op;
	uint32_t at, len;
	uint8_t fill;
};

static struct step pick(uint64_t *random, const struct model *m)
{
	struct step st = {.at = pick_offset(random, m)};
	const uint32_t dice = sample_random(random, 10);

	st.op = dice < 5 ? OP_WRITE : dice < 7 ? OP_TRUNCATE : (enum op)(dice - 5);
	st.len = pick_length(random, st.at);
	st.fill = (uint8_t)(1 + sample_random(random, 200));
	return st;
}

static void apply_to_model(struct model *m, const struct step *st)
{
	const uint32_t end = st->at + st->len;

	switch (st->op) {
	case OP_WRITE:
		if (end > m->size)
			model_resize(m, end);
		for (uint32_t i = st->at; i < end; i++)
			m->bytes[i] = (uint8_t)(st->fill + i % 7);
		break;
	case OP_TRUNCATE:
		model_resize(m, st->at);
		break;
	case OP_PUNCH:
		if (st->at < m->size)
			memset(m->bytes + st->at, 0, (end < m->size ? end : m->size) - st->at);
		break;
	case OP_ZERO:
		if (end > m->size)
			model_resize(m, end);
		memset(m->bytes + st->at, 0, st->len);
		break;
	case OP_ALLOCATE:
		if (end > m->size)
			model_resize(m, end);
		break;
	case OPS:
		break;
	}
}

static void apply(const struct model *m, const struct step *st)
{
	static uint8_t buf[SIZE_MAX_MODEL];
	static const int modes[OPS] = {
		[OP_PUNCH] = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		[OP_ZERO] = FALLOC_FL_ZERO_RANGE,
	};
	struct err e = ERR_INIT;

	if (st->op == OP_WRITE) {
		for (uint32_t i = 0; i < st->len; i++)
			buf[i] = (uint8_t)(st->fill + (st->at + i) % 7);
		sample_write(m->ino, st->at, buf, st->len);
	} else if (st->op == OP_TRUNCATE) {
		sample_truncate(m->ino, st->at);
	} else {
		session_fallocate(sample_session, &sample_caller, m->ino, modes[st->op], st->at,
				  st->len, &e);
		ck_assert_no_err(&e);
	}
}

/*
 * What a write that failed, or a process that died, may have left in a data file: bytes behind the
 * end, and in blocks that no row says are there.
 */
static void spoil(const struct model *m)
{
	static uint8_t junk[BLOCK];
	struct session_inode in;
	struct session_extent x;
	struct err e = ERR_INIT;
	char name[64];

	ck_assert_int_eq(session_load(sample_session, m->ino, &in, &e), 0);
	if (in.place != SESSION_IN_FILE)
		return;
	memset(junk, JUNK, sizeof(junk));
	snprintf(name, sizeof(name), "data/%llu.%u", (unsigned long long)in.ino, in.version);
	SCOPE_FD int fd = open(sample_session_file(name), O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	for (uint64_t at = 0; at * BLOCK < in.lower_size; at++) {
		if (session_db_extent(sample_session->db, in.ino, at, &x, &e) == 1 && x.start <= at)
			continue;
		ck_assert_int_eq(pwrite(fd, junk, BLOCK, (off_t)(at * BLOCK)), BLOCK);
	}
	ck_assert_no_err(&e);
	const uint64_t behind = (in.size + BLOCK - 1) / BLOCK * BLOCK;
	if (in.size >= (in.lower_size + BLOCK - 1) / BLOCK * BLOCK)
		ck_assert_int_eq(pwrite(fd, junk, behind - in.size, (off_t)in.size),
				 (ssize_t)(behind - in.size));
	ck_assert_int_eq(pwrite(fd, junk, BLOCK, (off_t)behind), BLOCK);
}

static void do_steps(uint64_t *random, unsigned count, bool is_spoiled)
{
	for (unsigned i = 0; i < count; i++) {
		struct model *m = &models[sample_random(random, MODELS)];
		const struct step st = pick(random, m);
		if (is_spoiled)
			spoil(m);
		apply(m, &st);
		apply_to_model(m, &st);
		check_model(m);
	}
}

START_TEST(random_operations_give_what_arrays_give)
{
	uint64_t random = 0x9e3779b97f4a7c15 + (uint64_t)_i;

	check_models();
	do_steps(&random, 400, false);
	check_models();
	sample_session_reopen(0);
	check_models();
	do_steps(&random, 100, false);
	sample_session_reopen(SESSION_TAKE_OVER);
	check_models();
}
END_TEST

START_TEST(what_no_row_speaks_of_is_never_seen)
{
	uint64_t random = 77 + (uint64_t)_i;

	do_steps(&random, 400, true);
	check_models();
	sample_session_reopen(0);
	check_models();
}
END_TEST

/* A write that ends inside of the last block of the base, in a file that has grown: the rest of
 * that block is zeros, whatever a write that failed has left there. */
START_TEST(the_last_block_of_the_base_is_copied_up_whole)
{
	static uint8_t want[3 * BLOCK];
	struct model *m = &models[2]; /* a block and 1 */

	ck_assert_uint_eq(m->size, BLOCK + 1);
	sample_write(m->ino, 3 * BLOCK - 1, "x", 1);
	spoil(m);
	sample_write(m->ino, BLOCK, "yz", 2);
	memcpy(want, m->bytes, BLOCK);
	memcpy(want + BLOCK, "yz", 2);
	want[3 * BLOCK - 1] = 'x';
	sample_check(m->ino, want, sizeof(want));
}
END_TEST

START_TEST(a_file_cut_and_grown_again_shows_zeros)
{
	static uint8_t want[4 * BLOCK], text[4 * BLOCK];
	const uint64_t ino = sample_add("cut", S_IFREG | 0644);

	memset(text, 'a', sizeof(text));
	for (uint32_t keep = 0; keep <= 2 * BLOCK; keep += BLOCK / 2 + 1) {
		sample_write(ino, 0, text, sizeof(text));
		sample_truncate(ino, keep);
		if (_i)
			sample_session_reopen(0);
		sample_truncate(ino, sizeof(want));
		memset(want, 0, sizeof(want));
		memset(want, 'a', keep);
		sample_check(ino, want, sizeof(want));
		/* And once more by a write behind the end. */
		sample_truncate(ino, keep);
		sample_write(ino, sizeof(want) - 1, "b", 1);
		want[sizeof(want) - 1] = 'b';
		sample_check(ino, want, sizeof(want));
	}
}
END_TEST

/* Only what is small is in the database. */
START_TEST(a_row_grows_into_a_file)
{
	static uint8_t want[SESSION_ROW_MAX + 1];
	const uint64_t ino = sample_add("grows", S_IFREG | 0644);

	memset(want, 'r', sizeof(want));
	sample_write(ino, 0, want, SESSION_ROW_MAX);
	ck_assert_int_eq(sample_session_data_count(), 0);
	sample_check(ino, want, SESSION_ROW_MAX);
	sample_write(ino, SESSION_ROW_MAX, want, 1);
	ck_assert_int_eq(sample_session_data_count(), 1);
	sample_check(ino, want, sizeof(want));
	sample_truncate(ino, 0);
	/* A power loss may need it until the rows are on the disk. */
	ck_assert_int_eq(sample_session_data_count(), 1);
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 0);
	sample_check(ino, "", 0);
	sample_write(ino, 0, "again", 5);
	sample_check(ino, "again", 5);
	ck_assert_int_eq(sample_session_data_count(), 0);
}
END_TEST

/* One byte of a large file copies a block of it. */
START_TEST(copy_up_is_by_block)
{
	struct model *m = &models[0];
	struct session_extent x;
	struct err e = ERR_INIT;

	sample_write(m->ino, 5 * BLOCK + 10, "!", 1);
	m->bytes[5 * BLOCK + 10] = '!';
	check_model(m);
	ck_assert_int_eq(session_db_extent(sample_session->db, m->ino, 0, &x, &e), 1);
	ck_assert_uint_eq(x.start, 5);
	ck_assert_uint_eq(x.end, 6);
	ck_assert_int_eq(session_db_extent(sample_session->db, m->ino, x.end, &x, &e), 0);
	/* chmod, chown and a rename copy none. */
	const struct stat st = {.st_mode = 0600};
	session_setattr(sample_session, &sample_caller, models[5].ino, &st, SESSION_SET_MODE, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(sample_session_data_count(), 1);
	check_models();
}
END_TEST

/* Holes are zeros, and together with data make up the file. */
static void check_holes(const struct model *m)
{
	struct err e = ERR_INIT;
	int64_t at = 0;

	while (at < (int64_t)m->size) {
		int64_t data = session_seek(sample_session, m->ino, (uint64_t)at, SEEK_DATA, &e);
		if (data < 0) {
			ck_assert_int_eq(sample_errno(-1, &e), ENXIO);
			data = (int64_t)m->size;
		}
		ck_assert_int_ge(data, at);
		for (; at < data; at++)
			if (m->bytes[at] != 0)
				ck_abort_msg("data at %lld is called a hole", (long long)at);
		if (at == (int64_t)m->size)
			break;
		at = session_seek(sample_session, m->ino, (uint64_t)data, SEEK_HOLE, &e);
		ck_assert_no_err(&e);
		ck_assert_int_gt(at, data);
		ck_assert_int_le(at, m->size);
	}
	ck_assert_int_eq(session_seek(sample_session, m->ino, m->size, SEEK_DATA, &e), -1);
	ck_assert_int_eq(sample_errno(-1, &e), ENXIO);
	ck_assert_int_eq(session_seek(sample_session, m->ino, m->size, SEEK_HOLE, &e), -1);
	ck_assert_int_eq(sample_errno(-1, &e), ENXIO);
}

START_TEST(seek_finds_holes_of_the_base_and_of_files)
{
	uint64_t random = 5;
	struct err e = ERR_INIT;
	const struct model *big = &models[0];

	/* Of the base: whole blocks, as the layer has them. */
	ck_assert_int_eq(session_seek(sample_session, big->ino, 0, SEEK_HOLE, &e), 10 * BLOCK);
	ck_assert_int_eq(session_seek(sample_session, big->ino, 10 * BLOCK, SEEK_DATA, &e),
			 29 * BLOCK);
	for (unsigned i = 0; i < 40; i++) {
		do_steps(&random, 10, false);
		for (size_t k = 0; k < MODELS; k++)
			check_holes(&models[k]);
	}
	/* One that is punched is a hole. */
	const uint64_t ino = sample_add("punched", S_IFREG | 0644);
	static uint8_t text[8 * BLOCK];
	memset(text, 'p', sizeof(text));
	sample_write(ino, 0, text, sizeof(text));
	session_fallocate(sample_session, &sample_caller, ino,
			  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * BLOCK, 3 * BLOCK, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(session_seek(sample_session, ino, 0, SEEK_HOLE, &e), 2 * BLOCK);
	ck_assert_int_eq(session_seek(sample_session, ino, 2 * BLOCK, SEEK_DATA, &e), 5 * BLOCK);
}
END_TEST

START_TEST(refuses_what_no_file_can_do)
{
	const uint64_t dir = sample_add("dir", S_IFDIR | 0755);
	const uint64_t fifo = sample_add("fifo", S_IFIFO | 0644);
	const uint64_t ino = models[0].ino;
	struct err e = ERR_INIT;
	struct session *s = sample_session;
	uint8_t byte = 0;

	ck_assert_int_eq(sample_errno((int)session_read(s, dir, 0, &byte, 1, &e), &e), EISDIR);
	ck_assert_int_eq(sample_errno((int)session_read(s, fifo, 0, &byte, 1, &e), &e), EINVAL);
	ck_assert_int_eq(
		sample_errno(session_write(s, &sample_caller, dir, 0, &byte, 1, 0, &e), &e),
		EINVAL);
	ck_assert_int_eq(
		sample_errno(session_write(s, &sample_caller, ino, INT64_MAX, &byte, 1, 0, &e), &e),
		EFBIG);
	ck_assert_int_eq(sample_errno(session_fallocate(s, &sample_caller, ino, 0, 0, 0, &e), &e),
			 EINVAL);
	ck_assert_int_eq(
		sample_errno(session_fallocate(s, &sample_caller, ino, 0, 1, INT64_MAX, &e), &e),
		EFBIG);
	ck_assert_int_eq(sample_errno(session_fallocate(s, &sample_caller, ino,
							FALLOC_FL_COLLAPSE_RANGE, 0, BLOCK, &e),
				      &e),
			 EOPNOTSUPP);
	ck_assert_int_eq(sample_errno(session_fallocate(s, &sample_caller, dir, 0, 0, 1, &e), &e),
			 EISDIR);
	session_read(s, 1234567, 0, &byte, 1, &e);
	ck_assert_err(&e, ERR_NOT_FOUND, "1234567");
	check_models();
}
END_TEST

/* KEEP_SIZE: room, and no other length. */
START_TEST(room_behind_the_end_is_not_the_files_length)
{
	struct model *m = &models[0];
	struct err e = ERR_INIT;

	session_fallocate(sample_session, &sample_caller, m->ino, FALLOC_FL_KEEP_SIZE, 0,
			  SIZE_MAX_MODEL, &e);
	ck_assert_no_err(&e);
	check_model(m);
	model_resize(m, BIG + 3 * BLOCK);
	sample_truncate(m->ino, BIG + 3 * BLOCK);
	check_model(m);
}
END_TEST

/* Those that are kept open for the next request are given up for the one that is asked for. */
START_TEST(files_are_opened_without_descriptors_to_spare)
{
	enum { COUNT = 20 };
	static uint8_t content[SESSION_ROW_MAX + 1];
	struct rlimit limit;
	uint64_t inos[COUNT];
	char name[16];

	memset(content, 'c', sizeof(content));
	getrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned i = 0; i < 2 * COUNT; i++) {
		if (i == COUNT) {
			const int next = dup(0);
			close(next);
			limit.rlim_cur = (rlim_t)next;
			ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
			ck_assert_int_eq(dup(0), -1);
		}
		snprintf(name, sizeof(name), "n%u", i);
		const uint64_t ino = sample_add(name, S_IFREG | 0644);
		inos[i % COUNT] = ino;
		sample_write(ino, 0, content, sizeof(content));
	}
	for (unsigned i = 0; i < COUNT; i++)
		sample_check(inos[i], content, sizeof(content));
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
END_TEST

/* More files than are kept open. */
START_TEST(many_files_are_read_and_written)
{
	enum { COUNT = 3 * SESSION_FILES_OPEN };
	static uint8_t bytes[5 * BLOCK];
	uint64_t inos[COUNT];
	char name[16];

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "many-%u", i);
		inos[i] = sample_add(name, S_IFREG | 0644);
		memset(bytes, (int)i, sizeof(bytes));
		sample_write(inos[i], 0, bytes, sizeof(bytes));
	}
	ck_assert_int_eq(sample_session_data_count(), COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		memset(bytes, (int)i, sizeof(bytes));
		sample_check(inos[i], bytes, sizeof(bytes));
	}
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "many-%u", i);
		sample_unlink(name);
	}
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 0);
}
END_TEST

/* What a child tells of itself before it dies. */
struct shared {
	_Atomic uint64_t done;    /* operations that returned */
	_Atomic size_t which;     /* the model of the one that is going on */
	struct model now[MODELS]; /* but for that one, which is this or `after` */
	struct model after;
};

static void child(struct shared *sh, uint64_t random, unsigned count)
{
	sample_session_open(0);
	for (unsigned i = 0; count == 0 || i < count; i++) {
		const size_t which = sample_random(&random, MODELS);
		const struct step st = pick(&random, &sh->now[which]);
		sh->which = MODELS;
		sh->after = sh->now[which];
		apply_to_model(&sh->after, &st);
		sh->which = which;
		apply(&sh->after, &st);
		sh->now[which] = sh->after;
		sh->done++;
	}
}

/* Each byte is as before or after the operation that was going on. */
static void check_interrupted(const struct model *a, const struct model *b)
{
	static uint8_t buf[SIZE_MAX_MODEL];
	struct err e = ERR_INIT;

	const ssize_t n = session_read(sample_session, a->ino, 0, buf, sizeof(buf), &e);
	ck_assert_no_err(&e);
	ck_assert(n == (ssize_t)a->size || n == (ssize_t)b->size);
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != a->bytes[i] && buf[i] != b->bytes[i])
			ck_abort_msg("byte %zd of inode %llu", i, (unsigned long long)a->ino);
}

static void kill_one(struct shared *sh, int round)
{
	const struct timespec wait = {0, 3 * 1000 * 1000 + 1700 * 1000 * (round % 17)};
	const bool is_quiet = round % 3 == 0;
	const uint64_t first = sh->done;
	int status;

	sh->which = MODELS;
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		child(sh, 1000 + (uint64_t)round, is_quiet ? 30 : 0);
		_exit(0);
	}
	if (!is_quiet) {
		while (sh->done < first + 3) /* until it is at work */
			sched_yield();
		nanosleep(&wait, NULL);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(is_quiet ? WIFEXITED(status) && WEXITSTATUS(status) == 0
			   : WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	sample_session_open(round % 2 ? SESSION_TAKE_OVER : 0);
	for (size_t i = 0; i < MODELS; i++)
		check_interrupted(&sh->now[i], sh->which == i ? &sh->after : &sh->now[i]);
	/* From what is there now the next one goes on. */
	for (size_t i = 0; i < MODELS; i++) {
		struct err e = ERR_INIT;
		struct model *m = &sh->now[i];
		memset(m->bytes, 0, sizeof(m->bytes));
		const ssize_t n =
			session_read(sample_session, m->ino, 0, m->bytes, sizeof(m->bytes), &e);
		ck_assert_no_err(&e);
		m->size = (uint32_t)n;
	}
	sample_session_close();
}

START_TEST(a_killed_process_loses_nothing_that_was_done)
{
	struct shared *sh =
		mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(sh, MAP_FAILED);
	memcpy(sh->now, models, sizeof(models));
	sample_session_close();
	for (int round = 0; round < UNIT_LOOPS(24); round++)
		kill_one(sh, round);
	munmap(sh, sizeof(*sh));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_data");
	TCase *tc = tcase_create("content");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, random_operations_give_what_arrays_give, 0, UNIT_LOOPS(6));
	tcase_add_loop_test(tc, what_no_row_speaks_of_is_never_seen, 0, UNIT_LOOPS(6));
	tcase_add_test(tc, the_last_block_of_the_base_is_copied_up_whole);
	tcase_add_loop_test(tc, a_file_cut_and_grown_again_shows_zeros, 0, 2);
	tcase_add_test(tc, a_row_grows_into_a_file);
	tcase_add_test(tc, copy_up_is_by_block);
	tcase_add_test(tc, seek_finds_holes_of_the_base_and_of_files);
	tcase_add_test(tc, refuses_what_no_file_can_do);
	tcase_add_test(tc, room_behind_the_end_is_not_the_files_length);
	tcase_add_test(tc, many_files_are_read_and_written);
	tcase_add_test(tc, files_are_opened_without_descriptors_to_spare);
	tcase_add_test(tc, a_killed_process_loses_nothing_that_was_done);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
