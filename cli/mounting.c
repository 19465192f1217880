/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/mounting.h"

#include <errno.h>

#include "base/log.h"
#include "base/quote.h"
#include "base/workers.h"
#include "cli/output.h"
#include "cli/support_session.h"
#include "fs/edit.h"
#include "signer/verify.h"

int mounting_init(struct mounting *m, const struct invocation *in, const char *mountpoint,
		  struct err *e)
{
	*m = (struct mounting){
		.opt = {.mountpoint = mountpoint},
		.flags = invocation_has(in, "key") ? CATALOGS_FRESH : 0,
		.cache_bytes = VIEW_CACHE_DEFAULT,
		.is_quiet = invocation_has(in, "quiet"),
		.owner = getpid(),
	};
	if (invocation_has(in, "identity") && !invocation_has(in, "key"))
		return err_set(e, ERR_USAGE, "option '--identity' goes with '--key'");
	m->what = str_dupf(e, "mount %s", mountpoint);
	return m->what ? 0 : -1;
}

void mounting_fini(struct mounting *m)
{
	free(m->what);
}

struct view *mounting_open_view(void *ctx, struct err *e)
{
	const struct mounting *m = ctx;
	SCOPE(progress_line) struct progress_line line;
	const struct layers_options opt = {.workers = workers_default_count(),
					   .progress = &line.progress};

	progress_line_init(&line, m->is_quiet);
	line.owner = m->owner;
	struct view *v = view_open(m->store, m->image, m->flags, m->cache_bytes, m->what, &opt, e);
	if (!v && m->resumed)
		support_session_advise(m->resumed, e);
	return v;
}

/* Trust starts at the signature: the image is the one that was verified, and nothing that the store
 * derived and keeps is believed. */
static int load_signed(const struct invocation *in, const struct store *s, struct image *im,
		       struct err *e)
{
	SCOPE(verify_report) struct verify_report report = VERIFY_REPORT_INIT;
	struct public_key key;
	struct platform room;
	struct verify_options opt = {.key = &key, .identity = invocation_value(in, "identity")};

	if (support_platform(in, &room, &opt.platform, e) < 0 ||
	    public_key_read(&key, invocation_value(in, "key"), e) < 0)
		return -1;
	return verify_image(s, in->args[0], &opt, &report, im, e);
}

int mounting_load_image(const struct invocation *in, const struct store *s, struct image *im,
			struct err *e)
{
	struct platform room;
	const struct platform *want;

	if (invocation_has(in, "key"))
		return load_signed(in, s, im, e);
	if (support_platform(in, &room, &want, e) < 0)
		return -1;
	return image_load(s, in->args[0], want, im, e);
}

int mounting_check_editor(struct err *e)
{
	if (geteuid() == 0)
		return 0;
	return err_sys(e, EPERM, "only root can edit: as a user, mount inside of 'shale unshare'");
}

int mounting_new_session(const struct invocation *in, const struct store *s, struct lease *l,
			 struct image *im, struct session_folder **folder, struct err *e)
{
	struct platform room;
	const struct platform *want;

	if (invocation_has(in, "key")) {
		if (load_signed(in, s, im, e) < 0)
			return -1;
	} else if (support_platform(in, &room, &want, e) < 0 ||
		   image_load_leased(s, l, in->args[0], want, im, e) < 0) {
		return -1;
	}
	if (lease_add(l, &im->chosen.digest, e) < 0)
		return -1;
	return sessions_create(s, invocation_value(in, "session"), im, folder, e);
}

int mounting_load_base(const struct store *s, struct lease *l, const struct session_folder *folder,
		       struct image *im, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	digest_format(&sessions_manifest(folder)->digest, digest);
	if (image_load_leased(s, l, digest, NULL, im, e) < 0)
		return support_session_advise(sessions_name(folder), e);
	return 0;
}

void mounting_remove_unused(const struct store *s, struct session_folder *folder)
{
	struct err ignored = ERR_INIT;
	SCOPE_FREE char *id = str_dup(sessions_id(folder), &ignored);

	sessions_close(folder);
	if (id && sessions_remove(s, id, &ignored) < 0)
		log_warning("cannot remove the new session: %s", ignored.msg);
	err_clear(&ignored);
}

int mounting_edit(struct mounting *m, const struct store *s, const struct image *im,
		  struct session_folder *folder, struct err *e)
{
	SCOPE_FREE char *source = edit_source(folder, e);
	SCOPE_FREE char *place = realpath(m->opt.mountpoint, NULL);
	SCOPE_FREE char *use =
		m->use ? str_dup(m->use, e)
		       : str_dupf(e, "mounted at %s", place ? place : m->opt.mountpoint);
	struct edit served = {.folder = folder,
			      .use = use,
			      .is_writeback = m->opt.is_writeback,
			      .open_view = mounting_open_view,
			      .ctx = m};
	const struct mount_service service = edit_service(&served);

	if (!source || !use || sessions_set_use(folder, use, e) < 0)
		return -1;
	m->store = s;
	m->image = im;
	m->opt.source = source;
	/* Ids and modes are the image's, for everybody. */
	m->opt.allow_other = true;
	return mount_run(&m->opt, &service, e);
}
