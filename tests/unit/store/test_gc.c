/* SPDX-License-Identifier: Apache-2.0 */
#include "store/gc.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hasher.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "store/blobs.h"
#include "store/lease.h"
#include "store/refs.h"
#include "tests/unit/store/fixture.h"

enum { ROUNDS = 25, TIMEOUT_S = 120 };

static struct gc_report run(bool is_dry_run)
{
	struct err e = ERR_INIT;
	struct gc_report r;
	const int rc = gc_run(fixture_store(), is_dry_run, NULL, &r, &e);

	ck_assert_no_err(&e);
	ck_assert_int_eq(rc, 0);
	return r;
}

static void check_refused(enum err_code code, const char *word)
{
	struct err e = ERR_INIT;
	struct gc_report r;

	ck_assert_int_eq(gc_run(fixture_store(), false, NULL, &r, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "run fsck"));
	ck_assert_err(&e, code, word);
}

static void remove_ref(const char *key)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(refs_remove(fixture_store(), key, &e), 1);
}

static void touch(const char *folder, const struct digest *d, const char *suffix)
{
	char hex[DIGEST_HEX_MAX], path[300];

	snprintf(path, sizeof(path), "store/shale/%s/%s%s", folder, digest_hex(d, hex), suffix);
	scratch_write(path, "x");
}

static bool is_there(const char *folder, const struct digest *d, const char *suffix)
{
	char hex[DIGEST_HEX_MAX], path[300];

	snprintf(path, sizeof(path), "shale/%s/%s%s", folder, digest_hex(d, hex), suffix);
	return access(fixture_file(path), F_OK) == 0;
}

START_TEST(what_a_ref_names_stays_and_all_else_goes)
{
	struct descriptor a, b;
	struct digest layer_a, layer_b;

	fixture_fake_image("localhost/a:1", &a, &layer_a);
	fixture_fake_image("localhost/b:1", &b, &layer_b);
	const struct digest stray = fixture_put("stray");
	touch("catalogs", &a.digest, "");
	touch("catalogs", &b.digest, "");
	touch("layers", &layer_a, ".index");
	touch("layers", &layer_b, ".index");
	touch("layers", &layer_b, ".frames");
	scratch_write("store/blobs/sha256/readme", "of another tool");
	scratch_write("store/shale/catalogs/.shale-0123456789abcdef.tmp", "");
	scratch_write("store/.shale-0123456789abcdef.tmp", "");
	remove_ref("localhost/b:1");

	struct gc_report r = run(true);
	ck_assert_uint_eq(r.removed_blobs, 4);
	ck_assert_uint_eq(r.removed_derived, 3);
	ck_assert_uint_eq(r.removed_litter, 2);
	ck_assert_uint_eq(r.kept_blobs, 3);
	ck_assert_uint_gt(r.freed_bytes, 0);
	ck_assert(fixture_has(&stray) && fixture_has(&b.digest));

	const struct gc_report again = run(false);
	ck_assert_mem_eq(&r, &again, sizeof(r));
	ck_assert(fixture_has(&a.digest) && fixture_has(&layer_a));
	ck_assert(!fixture_has(&stray) && !fixture_has(&b.digest) && !fixture_has(&layer_b));
	ck_assert(is_there("catalogs", &a.digest, "") && is_there("layers", &layer_a, ".index"));
	ck_assert(!is_there("catalogs", &b.digest, "") && !is_there("layers", &layer_b, ".index"));
	ck_assert(!is_there("layers", &layer_b, ".frames"));
	ck_assert_int_eq(access(fixture_file("blobs/sha256/readme"), F_OK), 0);

	r = run(false);
	ck_assert_uint_eq(r.removed_blobs + r.removed_derived + r.removed_litter, 0);
	descriptor_fini(&a);
	descriptor_fini(&b);
}
END_TEST

/* Who shares the store may keep files there, of whatever name. */
START_TEST(files_of_other_names_stay)
{
	static const char *const names[] = {"", ".zsync", ".index.old", ".frames~", "."};
	const struct digest d = hasher_sha256("x", 1);

	touch("layers", &d, ".frames");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		touch("layers", &d, names[i]);
	const struct gc_report r = run(false);
	ck_assert_uint_eq(r.removed_derived, 1);
	ck_assert(!is_there("layers", &d, ".frames"));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_msg(is_there("layers", &d, names[i]), "removed '*%s'", names[i]);
}
END_TEST

START_TEST(indexes_and_subjects_are_followed)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64"};
	struct err e = ERR_INIT;
	struct descriptor images[2], inner, outer, artifact = DESCRIPTOR_INIT;
	struct digest layers[2];
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(str) struct str text = STR_INIT;

	fixture_fake_image("localhost/a:1", &images[0], &layers[0]);
	fixture_fake_image("localhost/b:1", &images[1], &layers[1]);
	/* An index in an index, named by nothing but an artifact's subject. */
	fixture_index(NULL, images, platforms, 2, &inner);
	static const char *const none[] = {NULL};
	fixture_index(NULL, &inner, none, 1, &outer);
	remove_ref("localhost/a:1");
	remove_ref("localhost/b:1");
	fixture_put_as(MEDIATYPE_EMPTY, "{}", 2, &m.config);
	m.media_type = str_dup(MEDIATYPE_MANIFEST, &e);
	m.has_subject = true;
	ck_assert_int_eq(descriptor_copy(&m.subject, &outer, &e), 0);
	ck_assert_int_eq(manifest_format(&m, &text, &e), 0);
	fixture_put_document(MEDIATYPE_MANIFEST, &text, &artifact);
	fixture_set_ref("localhost/artifact:1", &artifact);

	ck_assert_uint_eq(run(false).removed_blobs, 0);
	ck_assert(fixture_has(&layers[0]) && fixture_has(&layers[1]));
	remove_ref("localhost/artifact:1");
	ck_assert_uint_eq(run(false).kept_blobs, 0);
	descriptor_fini(&images[0]);
	descriptor_fini(&images[1]);
	descriptor_fini(&inner);
	descriptor_fini(&outer);
	descriptor_fini(&artifact);
}
END_TEST

START_TEST(a_lease_keeps_a_blob_and_all_that_a_manifest_names)
{
	struct err e = ERR_INIT;
	struct descriptor a;
	struct digest layer;
	struct lease *l = NULL;
	const struct digest stray = fixture_put("stray"), later = hasher_sha256("later", 5);

	fixture_fake_image("localhost/a:1", &a, &layer);
	remove_ref("localhost/a:1");
	ck_assert_int_eq(lease_open(fixture_store(), "test", &l, &e), 0);
	ck_assert_int_eq(lease_add(l, &a.digest, &e), 0);
	ck_assert_int_eq(lease_add(l, &stray, &e), 0);
	ck_assert_int_eq(lease_add(l, &later, &e), 0);
	struct gc_report r = run(false);
	ck_assert_uint_eq(r.kept_blobs, 4);
	ck_assert_uint_eq(r.removed_blobs + r.removed_litter, 0);
	lease_close(l);
	r = run(false);
	ck_assert_uint_eq(r.kept_blobs, 0);
	ck_assert_uint_eq(r.removed_blobs, 4);
	descriptor_fini(&a);
}
END_TEST

START_TEST(the_lease_of_a_dead_process_keeps_nothing)
{
	const struct digest stray = fixture_put("stray");
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct err e = ERR_INIT;
		struct lease *l = NULL;
		const bool is_good = lease_open(fixture_store(), "x", &l, &e) == 0 &&
				     lease_add(l, &stray, &e) == 0;
		_exit(is_good ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(run(true).removed_litter, 1);
	const struct gc_report r = run(false);
	ck_assert_uint_eq(r.removed_litter, 1);
	ck_assert_uint_eq(r.removed_blobs, 1);
	ck_assert_uint_eq(run(false).removed_litter, 0);
}
END_TEST

START_TEST(signatures_go_with_their_image)
{
	struct descriptor a, sig, second, orphan;
	struct digest layer;
	const struct digest nothing = hasher_sha256("nothing", 7);

	fixture_fake_image("localhost/a:1", &a, &layer);
	fixture_signature("localhost/a", &a.digest, &sig);
	/* Of the signature itself, and of an image that is not here. */
	fixture_signature("localhost/a", &sig.digest, &second);
	fixture_signature("localhost/b", &nothing, &orphan);
	/* The one that keeps the other may come later in the index. */
	char key[300], hex[DIGEST_HEX_MAX];
	snprintf(key, sizeof(key), "localhost/a:sha256-%s.sig", digest_hex(&a.digest, hex));
	remove_ref(key);
	fixture_set_ref(key, &sig);

	struct gc_report r = run(true);
	ck_assert_uint_eq(r.removed_refs, 1);
	ck_assert(fixture_has(&orphan.digest));
	r = run(false);
	ck_assert_uint_eq(r.removed_refs, 1);
	ck_assert(!fixture_has(&orphan.digest));
	ck_assert(fixture_has(&sig.digest) && fixture_has(&second.digest));
	fixture_check_whole();

	remove_ref("localhost/a:1");
	r = run(false);
	ck_assert_uint_eq(r.removed_refs, 2);
	ck_assert_uint_eq(r.kept_blobs, 0);
	fixture_check_whole();
	descriptor_fini(&a);
	descriptor_fini(&sig);
	descriptor_fini(&second);
	descriptor_fini(&orphan);
}
END_TEST

START_TEST(a_document_that_cannot_be_read_keeps_everything)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64"};
	struct descriptor images[2], index;
	struct digest layers[2];
	const struct digest stray = fixture_put("stray");

	fixture_fake_image("localhost/a:1", &images[0], &layers[0]);
	fixture_fake_image("localhost/b:1", &images[1], &layers[1]);
	fixture_index("localhost/all:1", images, platforms, 2, &index);
	remove_ref("localhost/a:1");
	remove_ref("localhost/b:1");

	fixture_flip(fixture_blob_file(&images[0].digest), 10);
	check_refused(ERR_DIGEST, "what 'localhost/all:1' needs is not known");
	ck_assert(fixture_has(&stray));

	/* What was never copied names nothing that is here. */
	ck_assert_int_eq(unlink(fixture_blob_file(&images[0].digest)), 0);
	ck_assert_uint_eq(run(false).removed_refs, 0);
	ck_assert(!fixture_has(&stray) && fixture_has(&layers[1]));

	/* What a ref names was here once. */
	ck_assert_int_eq(unlink(fixture_blob_file(&index.digest)), 0);
	check_refused(ERR_NOT_FOUND, "localhost/all:1");
	ck_assert(fixture_has(&layers[1]));
	scratch_write("store/index.json", "{}");
	struct err e = ERR_INIT;
	struct gc_report r;
	ck_assert_int_eq(gc_run(fixture_store(), false, NULL, &r, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "index.json");
	ck_assert(fixture_has(&layers[1]));
	descriptor_fini(&images[0]);
	descriptor_fini(&images[1]);
	descriptor_fini(&index);
}
END_TEST

/* What build does: lease, reuse or put, ref, end of lease; then the ref goes again. */
static void build_and_remove(int writer)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;
	struct lease *l = NULL;
	char key[64];

	snprintf(key, sizeof(key), "localhost/w%d:1", writer);
	if (store_open(store_path(fixture_store()), 0, &s, &e) < 0)
		_exit(2);
	for (int i = 0; i < ROUNDS; i++) {
		struct digest shared, own;
		struct descriptor d = DESCRIPTOR_INIT;
		SCOPE(str) struct str text = STR_INIT;
		if (lease_open(s, "test", &l, &e) < 0 ||
		    blobs_put_bytes(s, l, "shared", 6, &shared, &e) < 0 ||
		    str_appendf(&text, &e, "%d/%d", writer, i) < 0 ||
		    blobs_put_bytes(s, l, text.data, text.len, &own, &e) < 0)
			_exit(3);
		usleep((useconds_t)(writer * 300));
		/* What was leased and seen must still be there. */
		if (blobs_has(s, l, &shared, 6, &e) != 1 ||
		    blobs_has(s, l, &own, text.len, &e) != 1)
			_exit(4);
		if (descriptor_set(&d, "text/plain", &own, text.len, &e) < 0 ||
		    refs_set(s, key, &d, &e) < 0)
			_exit(5);
		lease_close(l);
		descriptor_fini(&d);
		SCOPE(str) struct str back = STR_INIT;
		if (blobs_read(s, &own, text.len, text.len, &back, &e) < 0)
			_exit(6);
	}
	if (refs_remove(s, key, &e) != 1)
		_exit(7);
	store_close(s);
	_exit(0);
}

START_TEST(gc_beside_writers_takes_nothing_that_is_in_use)
{
	int status, alive = 2;

	for (int i = 0; i < alive; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			build_and_remove(i);
	}
	while (alive > 0) {
		(void)run(false);
		usleep(1000);
		while (waitpid(-1, &status, WNOHANG) > 0) {
			alive--;
			ck_assert_msg(status == 0, "a writer ended with %x", (unsigned)status);
		}
	}
	ck_assert_uint_eq(run(false).kept_blobs, 0);
}
END_TEST

/* What sign does: it looks what there is, and puts a document that goes with it. */
static int put_and_set(void *ctx, struct image_index *ix, struct err *e)
{
	const char *text = ctx;
	struct digest d;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(descriptor) struct descriptor entry = DESCRIPTOR_INIT;

	if (lease_open(fixture_store(), "test", &l, e) < 0 ||
	    blobs_put_bytes(fixture_store(), l, text, strlen(text), &d, e) < 0 ||
	    descriptor_set(&entry, "text/plain", &d, strlen(text), e) < 0)
		return -1;
	while (ix->count)
		image_index_remove(ix, 0);
	return image_index_add(ix, &entry, e) < 0 ? -1 : 1;
}

START_TEST(a_change_of_refs_may_put_blobs_beside_gc)
{
	struct err e = ERR_INIT;
	char text[32];
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	for (int i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof(text), "%d", i);
		if (pid == 0)
			(void)run(false);
		else
			ck_assert_int_eq(refs_update(fixture_store(), put_and_set, text, &e), 0);
	}
	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(run(false).kept_blobs, 1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/gc");
	TCase *tc = tcase_create("gc");

	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_checked_fixture(tc, fixture_make, fixture_remove);
	tcase_add_test(tc, what_a_ref_names_stays_and_all_else_goes);
	tcase_add_test(tc, files_of_other_names_stay);
	tcase_add_test(tc, indexes_and_subjects_are_followed);
	tcase_add_test(tc, a_lease_keeps_a_blob_and_all_that_a_manifest_names);
	tcase_add_test(tc, the_lease_of_a_dead_process_keeps_nothing);
	tcase_add_test(tc, signatures_go_with_their_image);
	tcase_add_test(tc, a_document_that_cannot_be_read_keeps_everything);
	tcase_add_test(tc, gc_beside_writers_takes_nothing_that_is_in_use);
	tcase_add_test(tc, a_change_of_refs_may_put_blobs_beside_gc);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
