/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/fixture_sessions.h"

#include <dirent.h>

static struct image image;

void fixture_sessions_make(void)
{
	SCOPE(descriptor) struct descriptor manifest = DESCRIPTOR_INIT;
	struct digest layer;
	struct err e = ERR_INIT;

	fixture_make();
	fixture_fake_image("localhost/team/web:1", &manifest, &layer);
	image = (struct image)IMAGE_INIT;
	ck_assert_int_eq(image_load(fixture_store(), "team/web:1", NULL, &image, &e), 0);
}

void fixture_sessions_remove(void)
{
	image_fini(&image);
	fixture_remove();
}

const struct image *fixture_sessions_image(void)
{
	return &image;
}

struct session_folder *fixture_session(const char *name)
{
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;

	ck_assert_msg(sessions_create(fixture_store(), name, &image, &f, &e) == 0, "%s", e.msg);
	ck_assert_no_err(&e);
	return f;
}

const char *fixture_session_closed(const char *name)
{
	static char id[SESSIONS_ID_LEN + 1];
	struct session_folder *f = fixture_session(name);

	snprintf(id, sizeof(id), "%s", sessions_id(f));
	sessions_close(f);
	return id;
}

const char *fixture_session_file(const char *id, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "shale/sessions/%s/%s", id, name);
	return fixture_file(path);
}

int fixture_sessions_count(void)
{
	DIR *dir = opendir(fixture_file("shale/sessions"));
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
		count += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	closedir(dir);
	return count;
}

void fixture_check_no_session(const char *text, enum sessions_how how, enum err_code code,
			      const char *word)
{
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;

	ck_assert_int_eq(sessions_open(fixture_store(), text, how, &f, &e), -1);
	ck_assert_ptr_null(f);
	ck_assert_err(&e, code, word);
}
