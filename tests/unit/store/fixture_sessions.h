/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of sessions share: an image to make them over, and a look at their folders.
 *
 * As a checked fixture: tcase_add_checked_fixture(tc, fixture_sessions_make,
 * fixture_sessions_remove).
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_SESSIONS_H
#define TESTS_UNIT_STORE_FIXTURE_SESSIONS_H

#include "store/sessions.h"
#include "tests/unit/store/fixture.h"

/* The image is localhost/team/web:1. */
void fixture_sessions_make(void);
void fixture_sessions_remove(void);
const struct image *fixture_sessions_image(void);

/* A new session, which the caller closes; `name` may be NULL. */
struct session_folder *fixture_session(const char *name);
/* The same, closed; its id is good until the next call. */
const char *fixture_session_closed(const char *name);

/* "shale/sessions/<id>/<name>" of the store, as fixture_file. */
const char *fixture_session_file(const char *id, const char *name);

/* How many names shale/sessions holds. */
int fixture_sessions_count(void);

/* Opening fails in this way. */
void fixture_check_no_session(const char *text, enum sessions_how how, enum err_code code,
			      const char *word);

#endif
