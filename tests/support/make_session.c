/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-session IMAGE [NAME [WHAT]]: makes an edit session over an image of the store, as a mount
 * does, and prints its name.  With WHAT it is in use, as by who does that, until standard input
 * ends.
 *
 * For cases that need a session and no mount.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "store/sessions.h"

static int make(const char *text, const char *name, struct session_folder **out, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;

	if (store_open(NULL, STORE_WRITE, &s, e) < 0 || lease_open(s, "make-session", &l, e) < 0 ||
	    image_load_leased(s, l, text, NULL, &im, e) < 0)
		return -1;
	return sessions_create(s, name, &im, out, e);
}

static void wait_for_end(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	SCOPE(sessions) struct session_folder *f = NULL;
	struct err e = ERR_INIT;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: make-session IMAGE [NAME [WHAT]]\n");
		return 2;
	}
	if (make(argv[1], argc > 2 ? argv[2] : NULL, &f, &e) < 0 ||
	    (argc > 3 && sessions_set_use(f, argv[3], &e) < 0)) {
		const int status = err_exit_status(&e);
		log_err(&e);
		err_clear(&e);
		return status;
	}
	puts(sessions_name(f));
	fflush(stdout);
	if (argc > 3)
		wait_for_end();
	return 0;
}
