/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session_export.h"

#include <inttypes.h>

#include "base/str.h"
#include "cli/output.h"
#include "cli/support.h"
#include "cli/support_session.h"
#include "fs/session_tar.h"
#include "packer/export.h"
#include "store/outside.h"

struct rescue {
	const struct support_session *from; /* while it is open */
	struct progress *progress;
	struct session_tar_result result;
	bool is_without_image;
};

/* export_archive: fill */
static int fill(void *ctx, struct tar_archive *to, struct err *e)
{
	struct rescue *r = ctx;

	progress_begin(r->progress, "exporting", 0);
	const int written =
		r->from->has_no_image
			? session_tar_salvage(r->from->session, to, r->progress, &r->result, e)
			: session_tar_write(r->from->session, to, r->progress, &r->result, e);
	if (written < 0)
		return -1;
	return support_session_check(r->from, e);
}

static int write_tar(const struct invocation *in, const struct export_dest *dest, struct rescue *r,
		     struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;
	uint64_t bytes;

	if (support_store(in, 0, &s, e) < 0 ||
	    (dest->path && outside_check(s, dest->path, e) < 0) ||
	    lease_open(s, in->command->name, &l, e) < 0 ||
	    support_session_rescue(in, 1, s, l, r->progress, &x, e) < 0)
		return -1;
	r->from = &x;
	r->is_without_image = x.has_no_image;
	const int written = export_archive(dest, fill, r, r->progress, &bytes, e);
	r->from = NULL;
	return written;
}

/* The archive is there; whether all is in it. */
static int tell(const struct rescue *r, const struct export_dest *dest, struct err *e)
{
	if (r->result.left_out > 0)
		return err_set(e, ERR_DIGEST,
			       "files that cannot be read were left out: %" PRIu64
			       " names; the rest was exported",
			       r->result.left_out);
	/* What moved with a directory of the image has no row, and nobody knows of it. */
	if (r->is_without_image)
		return err_set(e, ERR_DIGEST, "only what the session has by itself was exported");
	return dest->path ? outputf(e, "%" PRIu64 " files and directories\n", r->result.members)
			  : 0;
}

int session_export_run(const struct invocation *in, struct err *e)
{
	SCOPE(export_dest) struct export_dest dest = EXPORT_DEST_INIT;
	SCOPE(progress_line) struct progress_line line;
	struct rescue rescue = {.progress = &line.progress};

	dest.kind = EXPORT_ROOTFS;
	progress_line_init(&line, invocation_has(in, "quiet"));
	if (!str_equal(in->args[2], "-")) {
		dest.path = str_dup(in->args[2], e);
		if (!dest.path)
			return -1;
	}
	const int r = write_tar(in, &dest, &rescue, e);
	progress_line_fini(&line);
	return r < 0 ? -1 : tell(&rescue, &dest, e);
}
