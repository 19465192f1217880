/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sides of a power failure of an edit session, for tests/support/power_session.py.
 *
 *	power-session edit IMAGE FOLDER SEED COUNT open|take-over close|die alone|beside
 *
 * uses the session in FOLDER as a mount does, over IMAGE of the store: COUNT random changes, syncs
 * among them.  When one has returned, a single write to standard output says so, and how the
 * session is then:
 *
 *	did NAME ERRNO synced|pending	synced: all that was done before is on the disk
 *	(the lines of session_text, then content of the file that it was about)
 *	end
 *
 * "beside": another thread syncs all the time, as other programs may, and says "synced N" when all
 * was on the disk that N changes had done.
 *
 *	power-session look IMAGE
 *
 * reads folders, one a line, and tells of each session in there what it shows (the lines of
 * session_text, then "end"), or "failed: WHY": it opens, its rows fit together, all of it can be
 * written to and synced, and no file of data is left that no row names; and then it opens again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "base/log.h"
#include "fs/session_check.h"
#include "fs/session_files.h"
#include "tests/support/random_edits.h"
#include "tests/support/session_text.h"

enum { SYNC_EVERY_NS = 4000000 };

struct place {
	int dirfd, datafd;
};

static void close_place(const struct place *p)
{
	if (p->dirfd >= 0)
		close(p->dirfd);
	if (p->datafd >= 0)
		close(p->datafd);
}
SCOPE_DEFINE_VALUE(place, const struct place, close_place)

static int open_place(const char *folder, struct place *out, struct err *e)
{
	out->dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->dirfd >= 0)
		out->datafd = openat(out->dirfd, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return out->datafd < 0 ? err_sys(e, errno, "cannot open '%s'", folder) : 0;
}

static int say(struct str *text, struct err *e)
{
	if (io_write_all(STDOUT_FILENO, text->data, text->len) < 0)
		return err_sys(e, errno, "cannot write to standard output");
	str_truncate(text, 0);
	return 0;
}

/* `ino` 0: no content. */
static int tell(struct session *s, const struct random_edit *did, struct str *text, struct err *e)
{
	if (str_appendf(text, e, "did %s %d %s\n", did->name, did->refused,
			did->is_synced ? "synced" : "pending") < 0 ||
	    session_text(s, text, e) < 0 ||
	    (did->ino && session_text_content(s, did->ino, text, e) < 0) ||
	    str_append_z(text, "end\n", e) < 0)
		return -1;
	return say(text, e);
}

struct contents {
	struct session *session;
	struct str *text;
};

static int tell_content(void *ctx, uint64_t ino, struct err *e)
{
	const struct contents *c = ctx;

	return session_text_content(c->session, ino, c->text, e);
}

/* That it was opened, with the content of all files. */
static int tell_all(struct session *s, struct str *text, struct err *e)
{
	struct contents c = {s, text};

	if (str_append_z(text, "did open 0 pending\n", e) < 0 || session_text(s, text, e) < 0 ||
	    session_text_files(s, SESSION_ROOT, tell_content, &c, e) < 0 ||
	    str_append_z(text, "end\n", e) < 0)
		return -1;
	return say(text, e);
}

/* Who syncs beside. */
struct syncer {
	struct session *session;
	pthread_t thread;
	atomic_uint_least64_t done; /* changes that have returned */
	atomic_bool is_ending;
	struct err e;
};

static int sync_once(struct syncer *y, struct str *text)
{
	const uint64_t done = atomic_load(&y->done);

	if (session_sync(y->session, &y->e) < 0 ||
	    str_appendf(text, &y->e, "synced %llu\n", (unsigned long long)done) < 0)
		return -1;
	return say(text, &y->e);
}

static void *sync_beside(void *ctx)
{
	const struct timespec pause = {0, SYNC_EVERY_NS};
	SCOPE(str) struct str text = STR_INIT;
	struct syncer *y = ctx;

	while (!atomic_load(&y->is_ending) && sync_once(y, &text) == 0)
		nanosleep(&pause, NULL);
	return NULL;
}

static int start_syncer(struct syncer *y, struct session *s, struct err *e)
{
	y->session = s;
	const int r = pthread_create(&y->thread, NULL, sync_beside, y);
	return r ? err_sys(e, r, "cannot start a thread") : 0;
}

/* `r`: what is returned, when the thread has not failed. */
static int stop_syncer(struct syncer *y, int r, struct err *e)
{
	atomic_store(&y->is_ending, true);
	pthread_join(y->thread, NULL);
	if (r == 0 && y->e.code)
		return err_move(e, &y->e);
	err_clear(&y->e);
	return r;
}

struct orders {
	const char *folder;
	uint64_t seed, count;
	unsigned flags;
	bool dies, has_syncer;
};

static int change(struct session *s, int dirfd, const struct orders *o, struct syncer *y,
		  struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct random_edits r;
	struct random_edit did;

	random_edits_init(&r, s, dirfd, o->seed);
	for (uint64_t i = 0; i < o->count; i++) {
		if (random_edits_step(&r, &did, e) < 0)
			return -1;
		atomic_store(&y->done, i + 1);
		if (tell(s, &did, &text, e) < 0)
			return -1;
	}
	return 0;
}

static int live(struct session *s, int dirfd, const struct orders *o, struct err *e)
{
	struct syncer y = {.e = ERR_INIT};
	SCOPE(str) struct str text = STR_INIT;

	if (tell_all(s, &text, e) < 0)
		return -1;
	if (!o->has_syncer)
		return change(s, dirfd, o, &y, e);
	if (start_syncer(&y, s, e) < 0)
		return -1;
	return stop_syncer(&y, change(s, dirfd, o, &y, e), e);
}

static int edit(struct view *base, const struct orders *o, struct err *e)
{
	SCOPE(place) struct place p = {-1, -1};
	struct session *s = NULL;

	if (open_place(o->folder, &p, e) < 0 ||
	    session_open(base, p.dirfd, p.datafd, o->flags, &s, e) < 0)
		return -1;
	const int r = live(s, p.dirfd, o, e);
	/* As one that is killed: what it did not sync the kernel may still write. */
	if (r == 0 && o->dies)
		_exit(0);
	session_close(s);
	if (r == 0 && io_write_all(STDOUT_FILENO, "closed\n", strlen("closed\n")) < 0)
		return err_sys(e, errno, "cannot write to standard output");
	return r;
}

static int count_file(void *ctx, const char *name, uint64_t ino, uint32_t version, struct err *e)
{
	uint64_t *count = ctx;

	(void)name;
	(void)ino;
	(void)version;
	(void)e;
	(*count)++;
	return 0;
}

/* All of it can be changed, and a sync changes nothing that it shows. */
static int use(struct session *s, int dirfd, struct str *after, struct err *e)
{
	SCOPE(str) struct str again = STR_INIT;
	struct random_edits r;

	random_edits_init(&r, s, dirfd, 0);
	if (random_edits_all(&r, e) < 0 || session_check(s, NULL, e) < 0 ||
	    session_text(s, after, e) < 0 || session_sync(s, e) < 0 ||
	    session_text(s, &again, e) < 0)
		return -1;
	if (!str_equal(str_text(after), str_text(&again)))
		return err_set(e, ERR_FORMAT, "a sync changed what it shows");
	return 0;
}

static int look_first(struct view *base, const struct place *p, struct str *text, struct str *after,
		      struct err *e)
{
	SCOPE(session) struct session *s = NULL;

	if (session_open(base, p->dirfd, p->datafd, SESSION_CREATE, &s, e) < 0)
		return err_wrap(e, "when it is opened");
	if (session_check(s, NULL, e) < 0 || session_text(s, text, e) < 0)
		return err_wrap(e, "when it is looked at");
	if (use(s, p->dirfd, after, e) < 0)
		return err_wrap(e, "when it is used");
	return 0;
}

static int look_again(struct view *base, const struct place *p, const struct str *after,
		      struct err *e)
{
	SCOPE(session) struct session *s = NULL;
	SCOPE(str) struct str text = STR_INIT;
	struct session_check_stats stats;
	uint64_t files = 0;

	if (session_files_visit(p->datafd, count_file, &files, e) < 0 ||
	    session_open(base, p->dirfd, p->datafd, 0, &s, e) < 0 ||
	    session_check(s, &stats, e) < 0 || session_text(s, &text, e) < 0)
		return err_wrap(e, "when it is opened again");
	if (!str_equal(str_text(after), str_text(&text)))
		return err_set(e, ERR_FORMAT, "opened again it shows something else");
	if (files != stats.files)
		return err_set(e, ERR_FORMAT, "there are %llu files of data, and rows name %llu",
			       (unsigned long long)files, (unsigned long long)stats.files);
	return 0;
}

static int look(struct view *base, const char *folder, struct str *text, struct err *e)
{
	SCOPE(place) struct place p = {-1, -1};
	SCOPE(str) struct str after = STR_INIT;

	if (open_place(folder, &p, e) < 0 || look_first(base, &p, text, &after, e) < 0)
		return -1;
	return look_again(base, &p, &after, e);
}

static int look_at_all(struct view *base, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	char folder[PATH_MAX];

	while (fgets(folder, sizeof(folder), stdin)) {
		struct err why = ERR_INIT;
		folder[strcspn(folder, "\n")] = '\0';
		if (look(base, folder, &text, &why) < 0) {
			str_truncate(&text, 0);
			if (str_appendf(&text, e, "failed: %s\n", why.msg) < 0)
				return -1;
		} else if (str_append_z(&text, "end\n", e) < 0) {
			return -1;
		}
		err_clear(&why);
		if (say(&text, e) < 0)
			return -1;
	}
	return 0;
}

static int run(const char *image, const struct orders *o, struct err *e)
{
	const struct layers_options opt = {.workers = 0};
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;

	if (store_open(NULL, STORE_WRITE, &s, e) < 0 || lease_open(s, "power-session", &l, e) < 0 ||
	    image_load_leased(s, l, image, NULL, &im, e) < 0)
		return -1;
	SCOPE(view)
	struct view *base = view_open(s, &im, 0, VIEW_CACHE_MIN, "power-session", &opt, e);
	if (!base)
		return -1;
	return o->folder ? edit(base, o, e) : look_at_all(base, e);
}

static bool parse(int argc, char **argv, struct orders *o)
{
	if (argc == 3 && strcmp(argv[1], "look") == 0)
		return true;
	if (argc != 9 || strcmp(argv[1], "edit") != 0 ||
	    str_to_u64(argv[4], strlen(argv[4]), 10, UINT64_MAX, &o->seed) < 0 ||
	    str_to_u64(argv[5], strlen(argv[5]), 10, UINT64_MAX, &o->count) < 0)
		return false;
	o->folder = argv[3];
	o->flags = strcmp(argv[6], "take-over") == 0 ? SESSION_TAKE_OVER : SESSION_CREATE;
	o->dies = strcmp(argv[7], "die") == 0;
	o->has_syncer = strcmp(argv[8], "beside") == 0;
	return (o->flags == SESSION_TAKE_OVER || strcmp(argv[6], "open") == 0) &&
	       (o->dies || strcmp(argv[7], "close") == 0) &&
	       (o->has_syncer || strcmp(argv[8], "alone") == 0);
}

int main(int argc, char **argv)
{
	struct orders o = {.folder = NULL};
	struct err e = ERR_INIT;

	if (!parse(argc, argv, &o)) {
		fprintf(stderr, "usage: power-session edit IMAGE FOLDER SEED COUNT"
				" open|take-over close|die alone|beside\n"
				"       power-session look IMAGE\n");
		return 2;
	}
	if (run(argv[2], &o, &e) == 0)
		return 0;
	const int status = err_exit_status(&e);
	log_err(&e);
	err_clear(&e);
	return status;
}
