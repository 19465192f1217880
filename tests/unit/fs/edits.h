/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edit session over an image of tests/unit/fs/sample_image.h, edited by paths.
 */
#ifndef TESTS_UNIT_FS_EDITS_H
#define TESTS_UNIT_FS_EDITS_H

#include <stdbool.h>

#include "fs/commit_layer.h"
#include "fs/sample_image.h"
#include "fs/session.h"

struct edits_session {
	struct view *base;
	int dirfd, datafd;
	struct session *session;
};

/* In a folder `name` of the scratch folder, which is new; ck_assert-ed. */
void edits_open(struct edits_session *s, const struct image *im, const char *name);
void edits_close(struct edits_session *s);

/*
 * One edit: words with blanks between; as root.  0, or the errno.
 *
 *	write PATH TEXT		a new file, or another content of one that is there
 *	patch PATH OFFSET TEXT	a part of one
 *	cut PATH SIZE
 *	mkdir PATH [MODE]	fifo PATH, sock PATH, char PATH MINOR
 *	symlink PATH TARGET	ln OLD NEW
 *	rm PATH			of a directory all that it holds, too
 *	mv OLD NEW		swap OLD NEW
 *	chmod PATH MODE		chown PATH UID
 *	setx PATH NAME VALUE	delx PATH NAME
 *	touch PATH SECONDS
 */
int edits_try(struct session *s, const char *edit);
/* Each must work. */
void edits_do(struct session *s, const char *const *edits, size_t count);

/*
 * All that can be seen, a line for each name, in the order of a layer: kind, mode, owner, device,
 * size, content, xattrs, the first name of the same file, and the mtime if asked for.  Freed by the
 * caller.
 */
char *edits_tree(struct session *s, bool has_times);

/* Writes the layer into the store: `out` is empty when nothing differs. */
void edits_layer(struct session *s, const struct commit_layer_options *opt,
		 struct layer_result *layer, struct commit_layer_result *out);
/* One more image: `base` and the layer over it. */
void edits_image(const struct image *base, const struct layer_result *layer, const char *name,
		 struct image *out);

#endif
