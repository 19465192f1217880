/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out at any allocation: a clean error, nothing lost, nothing leaked, and the
 * store is whole.
 */
#include <stdio.h>

#include "store/blobs.h"
#include "store/catalogs.h"
#include "store/fsck.h"
#include "store/gc.h"
#include "store/lease.h"
#include "store/refs.h"
#include "store/sessions.h"
#include "tests/support/failalloc.h"
#include "tests/unit/store/fixture.h"

enum { TIMEOUT_S = 120 };

static const struct layers_options options = {.workers = 0};

static struct fixture_layer layers[2];
static struct image image;
static struct session_folder *session;

static void setup(void)
{
	static const char *const platforms[] = {"linux/amd64"};
	struct err e = ERR_INIT;
	struct descriptor d, index, signature;

	fixture_make();
	fixture_layer("own", "one", &layers[0]);
	fixture_foreign_layer("zstd", "three", LAYER_ZSTD, &layers[1]);
	fixture_image(NULL, layers, 2, &d);
	fixture_index("localhost/app:1", &d, platforms, 1, &index);
	fixture_signature("localhost/app", &index.digest, &signature);
	descriptor_fini(&d);
	descriptor_fini(&index);
	descriptor_fini(&signature);
	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &image, &e), 0);
	ck_assert_int_eq(sessions_create(fixture_store(), NULL, &image, &session, &e), 0);
}

static void teardown(void)
{
	sessions_close(session);
	fixture_check_whole();
	fixture_layer_fini(&layers[0]);
	fixture_layer_fini(&layers[1]);
	image_fini(&image);
	fixture_remove();
}

static int try_open(void *arg, struct err *e)
{
	SCOPE(store) struct store *s = NULL;

	(void)arg;
	return store_open(store_path(fixture_store()), STORE_CREATE, &s, e);
}

static int try_put(void *arg, struct err *e)
{
	struct digest d;
	SCOPE(lease) struct lease *l = NULL;

	(void)arg;
	if (lease_open(fixture_store(), "test", &l, e) < 0)
		return -1;
	return blobs_put_bytes(fixture_store(), l, "new", 3, &d, e);
}

static int try_set(void *arg, struct err *e)
{
	(void)arg;
	if (refs_set(fixture_store(), "localhost/other:1", &image.top, e) < 0)
		return -1;
	return refs_remove(fixture_store(), "localhost/other:1", e) < 0 ? -1 : 0;
}

static int try_load(void *arg, struct err *e)
{
	SCOPE(image) struct image im = IMAGE_INIT;

	return image_load(fixture_store(), arg, NULL, &im, e);
}

static int try_catalog(void *arg, struct err *e)
{
	const unsigned *flags = arg;
	SCOPE(catalog) struct catalog *c = NULL;

	return catalogs_open(fixture_store(), &image, *flags, &options, &c, e);
}

static int try_prove(void *arg, struct err *e)
{
	const struct fixture_layer *l = arg;

	return layers_prove(fixture_store(), &l->descriptor, &l->diff_id, &options, e);
}

static int try_gc(void *arg, struct err *e)
{
	struct gc_report r;

	(void)arg;
	return gc_run(fixture_store(), false, NULL, &r, e);
}

static int try_fsck(void *arg, struct err *e)
{
	const struct fsck_options opt = {.read_data = true};
	struct fsck_report r;

	(void)arg;
	if (fsck_run(fixture_store(), &opt, &r, e) < 0)
		return -1;
	/* Memory that runs out is no damage. */
	return r.errors + r.derived == 0 ? 0 : err_set(e, ERR_FORMAT, "a finding");
}

static int use_session(const char *id, struct err *e)
{
	SCOPE(sessions) struct session_folder *f = NULL;

	if (sessions_open(fixture_store(), id, SESSIONS_LOCK, &f, e) < 0)
		return -1;
	return sessions_set_use(f, "tested", e);
}

static int try_session(void *arg, struct err *e)
{
	SCOPE(sessions) struct session_folder *f = NULL;
	struct err ignored = ERR_INIT;
	char id[SESSIONS_ID_LEN + 1];

	(void)arg;
	if (sessions_create(fixture_store(), NULL, &image, &f, e) < 0)
		return -1;
	memcpy(id, sessions_id(f), sizeof(id));
	sessions_close(steal_ptr(&f));
	if (use_session(id, e) == 0 && sessions_remove(fixture_store(), id, e) == 0)
		return 0;
	/* Else there would be more to read each time. */
	ck_assert_int_eq(sessions_remove(fixture_store(), id, &ignored), 0);
	return -1;
}

/* Of the one that setup made. */
static int try_sessions(void *arg, struct err *e)
{
	SCOPE(session_list) struct session_list l = SESSION_LIST_INIT;
	struct session_folder *none = NULL;
	struct err why = ERR_INIT;

	(void)arg;
	if (sessions_list(fixture_store(), &l, e) < 0)
		return -1;
	for (size_t i = 0; i < l.count; i++) {
		/* Memory that runs out is no damage. */
		if (!l.items[i].name)
			return err_set(e, ERR_FORMAT, "a session that cannot be read");
	}
	if (sessions_open(fixture_store(), "app-0", SESSIONS_LOCK, &none, &why) == 0)
		return err_set(e, ERR_FORMAT, "a session that is not there");
	if (why.code == ERR_NOMEM)
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

START_TEST(every_allocation_may_fail)
{
	static const unsigned kept = 0, fresh = CATALOGS_FRESH;
	static char name[] = "app:1";

	failalloc_each(try_open, NULL);
	failalloc_each(try_put, NULL);
	failalloc_each(try_set, NULL);
	failalloc_each(try_load, name);
	failalloc_each(try_prove, &layers[_i]);
	failalloc_each(try_catalog, (void *)(uintptr_t)&kept);
	failalloc_each(try_catalog, (void *)(uintptr_t)&fresh);
	failalloc_each(try_session, NULL);
	failalloc_each(try_sessions, NULL);
	failalloc_each(try_fsck, NULL);
	failalloc_each(try_gc, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/nomem");
	TCase *tc = tcase_create("nomem");

	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, every_allocation_may_fail, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
