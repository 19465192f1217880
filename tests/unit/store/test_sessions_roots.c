/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions keep their image: what gc leaves alone for them, and what fsck says of them.
 */
#include "store/roots.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hasher.h"
#include "store/fsck.h"
#include "store/gc.h"
#include "store/refs.h"
#include "store/sessions_private.h"
#include "tests/unit/store/fixture_sessions.h"

enum { FINDINGS_MAX = 16, TEXT_MAX = 400, ROUNDS = 25, MAKERS = 3, TIMEOUT_S = 120 };

static struct gc_report run_gc(bool is_dry_run)
{
	struct err e = ERR_INIT;
	struct gc_report r;
	const int rc = gc_run(fixture_store(), is_dry_run, NULL, &r, &e);

	ck_assert_no_err(&e);
	ck_assert_int_eq(rc, 0);
	return r;
}

static struct {
	enum fsck_severity severity;
	enum err_code code;
	char text[TEXT_MAX]; /* "subject: text" */
} findings[FINDINGS_MAX];
static int finding_count;

static void note(void *ctx, const struct fsck_finding *f)
{
	(void)ctx;
	ck_assert_int_lt(finding_count, FINDINGS_MAX);
	findings[finding_count].severity = f->severity;
	findings[finding_count].code = f->code;
	snprintf(findings[finding_count++].text, TEXT_MAX, "%s: %s", f->subject, f->text);
}

static void run_fsck(bool repair, int want_findings)
{
	const struct fsck_options opt = {.repair = repair, .found = note};
	struct fsck_report r;
	struct err e = ERR_INIT;

	finding_count = 0;
	ck_assert_int_eq(fsck_run(fixture_store(), &opt, &r, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_msg(finding_count == want_findings, "%d findings: %s", finding_count,
		      findings[0].text);
}

static void check_finding(int at, enum fsck_severity severity, enum err_code code,
			  const char *subject, const char *text)
{
	ck_assert_int_eq(findings[at].severity, severity);
	ck_assert_int_eq(findings[at].code, code);
	ck_assert_msg(str_has_prefix(findings[at].text, subject), "%s", findings[at].text);
	ck_assert_msg(strstr(findings[at].text, text) != NULL, "no '%s' in: %s", text,
		      findings[at].text);
}

static const struct descriptor *manifest(void)
{
	return &fixture_sessions_image()->chosen;
}

static const struct digest *layer(void)
{
	return &fixture_sessions_image()->manifest.layers[0].digest;
}

static void forget_image(void)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(refs_remove(fixture_store(), "localhost/team/web:1", &e), 1);
}

START_TEST(the_image_of_a_session_stays_until_the_session_goes)
{
	struct err e = ERR_INIT;
	char catalog[200], hex[DIGEST_HEX_MAX];

	snprintf(catalog, sizeof(catalog), "store/shale/catalogs/%s",
		 digest_hex(&manifest()->digest, hex));
	scratch_write(catalog, "x");
	fixture_session_closed("one");
	struct session_folder *f = fixture_session("two");
	forget_image();
	ck_assert_uint_eq(run_gc(true).removed_blobs, 0);
	ck_assert_uint_eq(run_gc(false).removed_blobs, 0);
	ck_assert(fixture_has(&manifest()->digest));
	ck_assert(fixture_has(layer()));
	ck_assert_int_eq(access(scratch_file(catalog), F_OK), 0);

	ck_assert_int_eq(sessions_remove(fixture_store(), "one", &e), 0);
	sessions_close(f);
	ck_assert_uint_eq(run_gc(false).kept_blobs, 3);
	ck_assert_int_eq(sessions_remove(fixture_store(), "two", &e), 0);
	run_fsck(false, 4);
	check_finding(0, FSCK_NOTE, ERR_EXISTS, "", "gc removes it");
	ck_assert_uint_eq(run_gc(false).kept_blobs, 0);
	ck_assert(!fixture_has(layer()));
	ck_assert_int_eq(access(scratch_file(catalog), F_OK), -1);
}
END_TEST

START_TEST(signatures_of_a_sessions_image_stay)
{
	struct descriptor signature;

	fixture_signature("localhost/team/web", &manifest()->digest, &signature);
	fixture_session_closed("one");
	forget_image();
	run_fsck(false, 0);
	ck_assert_uint_eq(run_gc(false).removed_refs, 0);
	ck_assert(fixture_has(&signature.digest));
	descriptor_fini(&signature);
}
END_TEST

static void check_gc_refused(enum err_code code, const char *word)
{
	struct err e = ERR_INIT;
	struct gc_report r;

	for (int is_dry_run = 0; is_dry_run < 2; is_dry_run++) {
		ck_assert_int_eq(gc_run(fixture_store(), is_dry_run, NULL, &r, &e), -1);
		ck_assert_ptr_nonnull(strstr(e.msg, "nothing was removed"));
		ck_assert_err(&e, code, word);
	}
	ck_assert(fixture_has(&manifest()->digest));
	ck_assert(fixture_has(layer()));
}

START_TEST(nothing_is_removed_while_a_session_cannot_be_read)
{
	struct err e = ERR_INIT;
	char id[SESSIONS_ID_LEN + 1], subject[100], advice[100];
	const struct digest stray = fixture_put("stray");

	snprintf(id, sizeof(id), "%s", fixture_session_closed("one"));
	snprintf(subject, sizeof(subject), "session %s: ", id);
	snprintf(advice, sizeof(advice), "'shale session rm %s'", id);
	forget_image();
	ck_assert_int_eq(unlink(fixture_session_file(id, "session.json")), 0);
	check_gc_refused(ERR_FORMAT, advice);
	run_fsck(false, 1);
	check_finding(0, FSCK_ERROR, ERR_FORMAT, subject, "has no 'session.json'");

	snprintf(advice, sizeof(advice), "store/shale/sessions/%s/session.json", id);
	scratch_write(advice, "{\"version\":2}");
	check_gc_refused(ERR_UNSUPPORTED, "use a newer shale");
	run_fsck(true, 1);
	check_finding(0, FSCK_ERROR, ERR_UNSUPPORTED, subject, "has version 2");

	ck_assert_int_eq(sessions_remove(fixture_store(), id, &e), 0);
	ck_assert_uint_eq(run_gc(false).removed_blobs, 4);
	ck_assert(!fixture_has(&stray));
}
END_TEST

START_TEST(a_session_without_its_manifest_is_told)
{
	fixture_session_closed("one");
	forget_image();
	ck_assert_int_eq(unlink(fixture_blob_file(&manifest()->digest)), 0);
	run_fsck(false, 1);
	check_finding(0, FSCK_ERROR, ERR_NOT_FOUND, "blob sha256:", "(used by 'session one')");
	run_fsck(true, 2);
	check_finding(1, FSCK_LOST, ERR_DIGEST, "session one: ",
		      "1 blob of its image 'localhost/team/web:1' is damaged or missing");
}
END_TEST

START_TEST(a_session_without_a_layer_is_told)
{
	struct err e = ERR_INIT;
	struct gc_report r;

	fixture_session_closed("one");
	forget_image();
	ck_assert_int_eq(unlink(fixture_blob_file(layer())), 0);
	run_fsck(false, 1);
	check_finding(0, FSCK_ERROR, ERR_NOT_FOUND, "blob sha256:", "(used by 'session one')");
	/* What it needs is known; it is only not there. */
	ck_assert_int_eq(gc_run(fixture_store(), false, NULL, &r, &e), 0);
	ck_assert_uint_eq(r.removed_blobs, 0);
}
END_TEST

START_TEST(a_session_without_its_parts_is_told)
{
	char id[SESSIONS_ID_LEN + 1];

	snprintf(id, sizeof(id), "%s", fixture_session_closed("one"));
	ck_assert_int_eq(unlink(fixture_session_file(id, "lock")), 0);
	run_fsck(false, 1);
	check_finding(0, FSCK_ERROR, ERR_FORMAT, "session one: ", "it has no 'lock'");
	ck_assert_int_eq(rmdir(fixture_session_file(id, "data")), 0);
	run_fsck(false, 1);
	check_finding(0, FSCK_ERROR, ERR_FORMAT, "session one: ", "it has no 'data'");
}
END_TEST

START_TEST(a_session_is_found_when_all_names_are_lost)
{
	const struct digest stray = fixture_put("stray");

	fixture_session_closed("one");
	ck_assert_int_eq(unlink(fixture_file("index.json")), 0);
	run_fsck(false, 2);
	check_finding(0, FSCK_ERROR, ERR_FORMAT, "index.json: ", "names of all images are lost");
	check_finding(1, FSCK_NOTE, ERR_EXISTS, "image sha256:", "has no name");
	ck_assert(fixture_has(&stray));
}
END_TEST

/* As a process leaves it that dies. */
static void leave(const char *prefix)
{
	char from[500], name[200];
	const char *id = fixture_session_closed(NULL);

	snprintf(from, sizeof(from), "%s", fixture_session_file(id, ""));
	snprintf(name, sizeof(name), "shale/sessions/%s%s", prefix, id);
	ck_assert_int_eq(rename(from, fixture_file(name)), 0);
}

START_TEST(gc_removes_what_dead_processes_left)
{
	leave(SESSIONS_MAKING);
	/* What clears first is the next one that is made. */
	struct session_folder *f = fixture_session("one");
	ck_assert_int_eq(fixture_sessions_count(), 1);
	sessions_close(f);
	leave(SESSIONS_REMOVING);
	run_fsck(false, 1);
	check_finding(0, FSCK_NOTE, ERR_EXISTS, "folder .removing-", "gc removes it");
	struct gc_report r = run_gc(true);
	ck_assert_uint_eq(r.removed_litter, 1);
	ck_assert_uint_gt(r.freed_bytes, 0);
	ck_assert_int_eq(fixture_sessions_count(), 2);
	ck_assert_uint_eq(run_gc(false).removed_litter, 1);
	ck_assert_int_eq(fixture_sessions_count(), 1);
	ck_assert_uint_eq(run_gc(false).removed_litter, 0);
	run_fsck(false, 0);
}
END_TEST

START_TEST(fsck_removes_what_dead_processes_left)
{
	leave(SESSIONS_MAKING);
	run_fsck(false, 1);
	check_finding(0, FSCK_NOTE, ERR_EXISTS, "folder .making-", "gc removes it");
	run_fsck(true, 1);
	check_finding(0, FSCK_NOTE, ERR_EXISTS, "folder .making-", "died: removed");
	ck_assert_int_eq(fixture_sessions_count(), 0);
	run_fsck(true, 0);
}
END_TEST

/* An image that a build makes and gives no name, and a session over it. */
static void make_sessions(int number)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct err e = ERR_INIT;
		SCOPE(lease) struct lease *l = NULL;
		SCOPE(image) struct image im = IMAGE_INIT;
		SCOPE(sessions) struct session_folder *f = NULL;
		if (lease_open(fixture_store(), "test", &l, &e) < 0 ||
		    image_load_leased(fixture_store(), l, "team/web:1", NULL, &im, &e) < 0 ||
		    sessions_create(fixture_store(), NULL, &im, &f, &e) < 0)
			_exit(1);
		lease_close(steal_ptr(&l));
		usleep((unsigned)(500 * number));
		if (!fixture_has(&im.chosen.digest))
			_exit(2);
		const char *id = sessions_id(f);
		char copy[SESSIONS_ID_LEN + 1];
		memcpy(copy, id, sizeof(copy));
		sessions_close(steal_ptr(&f));
		if (sessions_remove(fixture_store(), copy, &e) < 0)
			_exit(3);
	}
	_exit(0);
}

START_TEST(gc_beside_who_makes_and_removes_sessions)
{
	int alive = MAKERS, status;

	for (int i = 0; i < MAKERS; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			make_sessions(i);
	}
	while (alive > 0) {
		(void)run_gc(false);
		run_fsck(false, 0);
		while (waitpid(-1, &status, WNOHANG) > 0) {
			alive--;
			ck_assert_msg(status == 0, "a maker ended with %x", (unsigned)status);
		}
	}
	ck_assert_int_eq(fixture_sessions_count(), 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/sessions_roots");
	TCase *tc = tcase_create("sessions_roots");

	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_checked_fixture(tc, fixture_sessions_make, fixture_sessions_remove);
	tcase_add_test(tc, the_image_of_a_session_stays_until_the_session_goes);
	tcase_add_test(tc, signatures_of_a_sessions_image_stay);
	tcase_add_test(tc, nothing_is_removed_while_a_session_cannot_be_read);
	tcase_add_test(tc, a_session_without_its_manifest_is_told);
	tcase_add_test(tc, a_session_without_a_layer_is_told);
	tcase_add_test(tc, a_session_without_its_parts_is_told);
	tcase_add_test(tc, a_session_is_found_when_all_names_are_lost);
	tcase_add_test(tc, gc_removes_what_dead_processes_left);
	tcase_add_test(tc, fsck_removes_what_dead_processes_left);
	tcase_add_test(tc, gc_beside_who_makes_and_removes_sessions);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
