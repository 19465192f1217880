/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/stages.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/layer_write.h"
#include "store/blobs.h"

enum { STAGES_MAX = 8 };

static const struct platform amd64 = {"linux", "amd64", ""};
static const struct layers_options layers_opt = {.workers = 0};

static struct stage *stages[STAGES_MAX];
static struct image bases[STAGES_MAX];
static size_t stage_count;

void stages_setup(void)
{
	fixture_make_leased();
	ck_assert_int_eq(mkdirat(scratch_fd(), "context", 0755), 0);
}

void stages_teardown(void)
{
	for (size_t i = 0; i < stage_count; i++) {
		stage_free(stages[i]);
		image_fini(&bases[i]);
	}
	stage_count = 0;
	fixture_remove_leased();
}

static const char *in_context(const char *name)
{
	static char path[4400];

	snprintf(path, sizeof(path), "context/%s", name);
	return path;
}

void stages_write(const char *name, const char *text)
{
	scratch_write(in_context(name), text);
}

void stages_dir(const char *name)
{
	ck_assert_int_eq(mkdirat(scratch_fd(), in_context(name), 0755), 0);
}

void stages_symlink(const char *target, const char *name)
{
	ck_assert_int_eq(symlinkat(target, scratch_fd(), in_context(name)), 0);
}

struct context *stages_context(void)
{
	struct err e = ERR_INIT;
	struct context *c = context_open(scratch_file("context"), &e);

	ck_assert_no_err(&e);
	return c;
}

static int read_text(void *ctx, void *buf, size_t len, struct err *e)
{
	const char **text = ctx;

	(void)e;
	memcpy(buf, *text, len);
	*text += len;
	return 0;
}

static void add(struct layer_writer *w, const struct stages_file *f)
{
	const bool is_file = f->kind == ENTRY_REG;
	const bool is_link = f->kind == ENTRY_SYMLINK || f->kind == ENTRY_HARDLINK;
	const char *text = f->text;
	const struct layer_source src = {read_text, &text};
	struct err e = ERR_INIT;
	const struct entry en = {
		.kind = f->kind,
		.path = f->path,
		.path_len = strlen(f->path),
		.link = is_link ? f->text : NULL,
		.link_len = is_link ? strlen(f->text) : 0,
		.mode = f->kind == ENTRY_DIR ? 0755 : 0644,
		.size = is_file ? strlen(f->text) : 0,
	};

	layer_writer_add(w, &en, &src, &e);
	ck_assert_no_err(&e);
}

void stages_layer(const struct stages_file *files, struct fixture_layer *out)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	struct err e = ERR_INIT;
	struct layer_result r;
	SCOPE_FD int fd = blobs_tmpfile(fixture_store(), &e);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);

	ck_assert_ptr_nonnull(w);
	for (const struct stages_file *f = files; f->path; f++)
		add(w, f);
	layer_writer_finish(w, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(layers_publish(fixture_store(), fixture_lease(), fd, w, &r, &e), 0);
	*out = (struct fixture_layer){DESCRIPTOR_INIT, r.diff_id};
	ck_assert_int_eq(layer_result_descriptor(&r, &out->descriptor, &e), 0);
}

void stages_image(const char *key, const struct stages_file *files)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	struct fixture_layer l;

	stages_layer(files, &l);
	fixture_image(key, &l, 1, &d);
	fixture_layer_fini(&l);
}

struct stage *stages_new(const struct stages_file *files)
{
	struct err e = ERR_INIT;
	struct image *base = &bases[stage_count];

	ck_assert_uint_lt(stage_count, STAGES_MAX);
	*base = (struct image)IMAGE_INIT;
	if (files) {
		stages_image("localhost/base:latest", files);
		image_load(fixture_store(), "base", &amd64, base, &e);
		ck_assert_no_err(&e);
	}
	struct stage *st =
		stage_new(fixture_store(), fixture_lease(), files ? base : NULL, &layers_opt, &e);
	ck_assert_no_err(&e);
	stages[stage_count++] = st;
	return st;
}

void stages_note_step(void *ctx, const struct platform *platform, unsigned at, unsigned count,
		      const char *text)
{
	struct err e = ERR_INIT;

	str_appendf(ctx, &e, "[%s%s%u/%u] %s\n", platform ? platform->architecture : "",
		    platform ? " " : "", at, count, text);
	ck_assert_no_err(&e);
}

void stages_note_warning(void *ctx, const char *text)
{
	struct err e = ERR_INIT;

	str_append_z(ctx, text, &e);
	ck_assert_no_err(&e);
}
