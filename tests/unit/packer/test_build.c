/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/build.h"

#include <fcntl.h>
#include <unistd.h>

#include "image/mediatype.h"
#include "main.h"
#include "packer/stages.h"
#include "store/refs.h"

static const struct platform amd64 = {"linux", "amd64", ""};

/* The names to set: "app" alone. */
static char app[] = "app";
static char *app_names[] = {app};
#define APP                                              \
	{                                                \
		.items = app_names, .count = 1, .cap = 1 \
	}

/* What the callbacks were told. */
static struct str told;

static void setup(void)
{
	stages_setup();
	unsetenv("SOURCE_DATE_EPOCH");
	stages_write("a", "a");
	stages_dir("dir");
	stages_write("dir/b", "bb");
}

static void teardown(void)
{
	str_fini(&told);
	told = (struct str)STR_INIT;
	stages_teardown();
}

static int build_with(struct build_options *opt, const char *manifest, struct build_result *out,
		      struct err *e)
{
	if (manifest)
		stages_write("Shalefile", manifest);
	SCOPE_FREE char *context = str_dup(scratch_file("context"), e);
	ck_assert_no_err(e);
	opt->context = context;
	opt->compression = (struct compression)COMPRESSION_DEFAULT;
	struct build_target one = {.platform = amd64};
	const bool has_target = opt->target_count > 0;
	if (!has_target) {
		opt->targets = &one;
		opt->target_count = 1;
	}
	opt->ctx = &told;
	const int r = build_run(fixture_store(), opt, out, e);
	if (!has_target) {
		opt->targets = NULL;
		opt->target_count = 0;
	}
	return r;
}

/* Builds "app", which must work, and loads it as the image of this platform. */
static void build_for(const char *manifest, const struct platform *platform, struct image *im)
{
	struct build_options opt = {.tags = APP};
	struct build_result r;
	struct err e = ERR_INIT;

	build_with(&opt, manifest, &r, &e);
	ck_assert_no_err(&e);
	image_load(fixture_store(), "app", platform, im, &e);
	ck_assert_no_err(&e);
	ck_assert(digest_equal(&im->top.digest, &r.top.digest));
	ck_assert(digest_equal(&im->manifest.config.digest, &r.images[0].config));
	build_result_fini(&r);
}

static void build(const char *manifest, struct image *im)
{
	build_for(manifest, &amd64, im);
}

static void refuse(struct build_options *opt, const char *manifest, enum err_code code,
		   const char *word)
{
	struct build_result r;
	struct err e = ERR_INIT;

	ck_assert_int_eq(build_with(opt, manifest, &r, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_uint_eq(r.names.count, 0);
	if (opt->tags.count)
		ck_assert(!fixture_has_ref("localhost/app:latest"));
}

START_TEST(makes_layers_config_and_ref)
{
	SCOPE(image) struct image im = IMAGE_INIT;

	build("FROM scratch\nCOPY a /x\nENV A=1\nWORKDIR /w\nWORKDIR /\nCOPY *.none /x/\n", &im);
	ck_assert_str_eq(im.name, "localhost/app:latest");
	ck_assert_str_eq(im.manifest.media_type, MEDIATYPE_MANIFEST);
	ck_assert_str_eq(im.manifest.config.media_type, MEDIATYPE_CONFIG);
	ck_assert_uint_eq(im.manifest.layer_count, 2);
	ck_assert_str_eq(im.manifest.layers[0].media_type, MEDIATYPE_LAYER_ZSTD);
	ck_assert_uint_eq(im.config.diff_id_count, 2);
	ck_assert_str_eq(im.config.created, "1980-01-01T00:00:00Z");
	ck_assert_str_eq(im.config.working_dir, "/");
	static const bool is_empty[] = {false, true, false, true, true};
	ck_assert_uint_eq(im.config.history_count, ARRAY_LEN(is_empty));
	for (size_t i = 0; i < ARRAY_LEN(is_empty); i++)
		ck_assert_int_eq(im.config.history[i].is_empty_layer, is_empty[i]);
	fixture_check_whole();
}
END_TEST

START_TEST(tells_steps_and_warnings)
{
	struct build_options opt = {.step = stages_note_step, .warn = stages_note_warning};
	struct build_result r;
	struct err e = ERR_INIT;

	build_with(&opt, "FROM scratch\nWORKDIR w\nCOPY a /\n", &r, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(r.names.count, 0);
	build_result_fini(&r);
	ck_assert_ptr_nonnull(strstr(told.data, "Shalefile:2:9: warning: "));
	ck_assert_ptr_nonnull(strstr(told.data, "[1/2] WORKDIR /w\n[2/2] COPY a / # buildkit\n"));
}
END_TEST

START_TEST(the_same_inputs_give_the_same_digest)
{
	static const char manifest[] = "FROM scratch\nCOPY . /\nLABEL b=1 a=2\n";
	SCOPE(image) struct image one = IMAGE_INIT;
	SCOPE(image) struct image two = IMAGE_INIT;
	const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 6}};

	build(manifest, &one);
	ck_assert_int_eq(utimensat(scratch_fd(), "context/a", times, 0), 0);
	ck_assert_int_eq(fchmodat(scratch_fd(), "context/dir/b", 0640, 0), 0);
	setenv("TZ", "Asia/Kathmandu", 1);
	build(manifest, &two);
	ck_assert(digest_equal(&one.top.digest, &two.top.digest));
	image_fini(&two);
	stages_write("a", "b");
	build(manifest, &two);
	ck_assert(!digest_equal(&one.top.digest, &two.top.digest));
}
END_TEST

START_TEST(an_epoch_is_the_time_of_everything)
{
	SCOPE(image) struct image im = IMAGE_INIT;
	struct build_options opt = {.tags = APP};

	setenv("SOURCE_DATE_EPOCH", "86400", 1);
	build("FROM scratch\nCOPY a /\n", &im);
	ck_assert_str_eq(im.config.created, "1970-01-02T00:00:00Z");
	ck_assert_str_eq(im.config.history[0].created, "1970-01-02T00:00:00Z");
	refs_remove(fixture_store(), "localhost/app:latest", &(struct err)ERR_INIT);
	setenv("SOURCE_DATE_EPOCH", "now", 1);
	refuse(&opt, "FROM scratch\n", ERR_USAGE, "SOURCE_DATE_EPOCH");
}
END_TEST

START_TEST(a_base_stays_below)
{
	static const struct stages_file files[] = {
		{ENTRY_DIR, "bin", NULL},
		{ENTRY_REG, "bin/sh", "sh"},
		{ENTRY_REG, NULL, NULL},
	};
	SCOPE(image) struct image base = IMAGE_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;
	struct err e = ERR_INIT;

	stages_image("localhost/base:1", files);
	ck_assert_int_eq(image_load(fixture_store(), "base:1", &amd64, &base, &e), 0);
	build("FROM base:1\nCOPY a /bin/a\n", &im);
	ck_assert_uint_eq(im.manifest.layer_count, 2);
	ck_assert(digest_equal(&im.manifest.layers[0].digest, &base.manifest.layers[0].digest));
	ck_assert(digest_equal(&im.config.diff_ids[0], &base.config.diff_ids[0]));
	ck_assert_str_eq(strmap_get(&im.manifest.layers[0].annotations, LAYER_INDEX_OFFSET_KEY),
			 strmap_get(&base.manifest.layers[0].annotations, LAYER_INDEX_OFFSET_KEY));
}
END_TEST

/* A manifest of docker's type with one gzip layer of docker's type. */
static void docker_image(const char *key)
{
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE(str) struct str config = STR_INIT;
	struct fixture_layer l;
	struct err e = ERR_INIT;
	char diff_id[DIGEST_STR_MAX];

	fixture_foreign_layer("file", "docker's", LAYER_GZIP, &l);
	str_appendf(&config, &e,
		    "{\"architecture\":\"amd64\",\"os\":\"linux\",\"author\":\"somebody\","
		    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]},"
		    "\"history\":[{\"created_by\":\"ADD rootfs\"}]}",
		    digest_format(&l.diff_id, diff_id));
	fixture_put_document(MEDIATYPE_DOCKER_CONFIG, &config, &m.config);
	free(l.descriptor.media_type);
	l.descriptor.media_type = str_dup(MEDIATYPE_DOCKER_LAYER_GZIP, &e);
	m.media_type = str_dup(MEDIATYPE_DOCKER_MANIFEST, &e);
	manifest_add_layer(&m, &l.descriptor, &e);
	manifest_format(&m, &text, &e);
	ck_assert_no_err(&e);
	fixture_put_document(MEDIATYPE_DOCKER_MANIFEST, &text, &d);
	fixture_set_ref(key, &d);
	fixture_layer_fini(&l);
}

START_TEST(types_of_docker_become_those_of_oci)
{
	SCOPE(image) struct image im = IMAGE_INIT;

	docker_image("docker.io/library/base:latest");
	/* What is not of this machine is docker.io's. */
	build("FROM base\nCOPY a /\n", &im);
	ck_assert_str_eq(im.manifest.layers[0].media_type, MEDIATYPE_LAYER_GZIP);
	ck_assert_str_eq(im.manifest.media_type, MEDIATYPE_MANIFEST);
	ck_assert_str_eq(im.config.author, "somebody");
	ck_assert_uint_eq(im.config.history_count, 2);
	ck_assert_str_eq(im.config.history[0].created_by, "ADD rootfs");
}
END_TEST

START_TEST(the_platform_is_the_bases)
{
	static const struct platform arm = {"linux", "arm64", ""}, s390x = {"linux", "s390x", ""};
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	struct build_target target = {.platform = arm};
	struct build_options opt = {.tags = APP, .targets = &target, .target_count = 1};
	struct build_result r;
	struct fixture_layer l;
	struct err e = ERR_INIT;

	fixture_layer("x", "x", &l);
	fixture_image_for("localhost/base:v2", "linux/amd64/v2", &l, 1, &d);
	fixture_layer_fini(&l);
	build("FROM base:v2\n", &im);
	ck_assert_str_eq(im.config.platform.architecture, "amd64");
	ck_assert_str_eq(im.config.platform.variant, "v2");
	image_fini(&im);
	build_for("FROM --platform=linux/s390x scratch\n", &s390x, &im);
	ck_assert_str_eq(im.config.platform.architecture, "s390x");
	image_fini(&im);
	build_with(&opt, "FROM scratch\nARG TARGETARCH\nENV A=$TARGETARCH\n", &r, &e);
	ck_assert_no_err(&e);
	build_result_fini(&r);
	ck_assert_int_eq(image_load(fixture_store(), "app", &arm, &im, &e), 0);
	ck_assert_str_eq(im.config.env.items[im.config.env.count - 1], "A=arm64");
}
END_TEST

static const struct {
	const char *manifest;
	enum err_code code;
	const char *word;
} refused[] = {
	{"", ERR_SYNTAX, "Shalefile"},
	{"FROM scratch\nCOPI a /\n", ERR_SYNTAX, "Shalefile:2:1: "},
	{"FROM scratch\nRUN x\n", ERR_UNSUPPORTED, "Shalefile:2:1: "},
	{"FROM none\n", ERR_NOT_FOUND, "Shalefile:1:6: "},
	{"FROM scratch\nCOPY a /\nCOPY none /\n", ERR_NOT_FOUND, "Shalefile:3:6: no 'none'"},
	{"FROM scratch\nCOPY --chown=x a /\n", ERR_NOT_FOUND, "Shalefile:2:14: no user 'x'"},
	{"FROM scratch\nCOPY a /x\nWORKDIR /x\n", ERR_EXISTS, "Shalefile:3:1: '/x'"},
};

START_TEST(refuses)
{
	struct build_options opt = {.tags = APP};

	refuse(&opt, refused[_i].manifest, refused[_i].code, refused[_i].word);
}
END_TEST

static const struct {
	const char *tag;
	enum err_code code;
} wrong_tags[] = {
	{"", ERR_SYNTAX},
	{"App", ERR_SYNTAX},
	{"app:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	 ERR_USAGE},
	{"sha256:e3b0", ERR_USAGE},
	{"app:sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.sig",
	 ERR_USAGE},
};

START_TEST(a_wrong_name_is_told_first)
{
	struct build_options opt = {.tags = STRLIST_INIT};
	struct err e = ERR_INIT;

	strlist_add(&opt.tags, "app", &e);
	strlist_add(&opt.tags, wrong_tags[_i].tag, &e);
	ck_assert_no_err(&e);
	/* There is no manifest either. */
	refuse(&opt, NULL, wrong_tags[_i].code, "option '--tag'");
	strlist_fini(&opt.tags);
}
END_TEST

START_TEST(all_names_are_set)
{
	struct build_options opt = {.tags = STRLIST_INIT};
	struct build_result r;
	struct err e = ERR_INIT;

	strlist_add(&opt.tags, "app", &e);
	strlist_add(&opt.tags, "other:2", &e);
	strlist_add(&opt.tags, "localhost/app:latest", &e);
	build_with(&opt, "FROM scratch\n", &r, &e);
	ck_assert_no_err(&e);
	/* One name in two ways is one name. */
	ck_assert_uint_eq(r.names.count, 2);
	ck_assert_str_eq(r.names.items[1], "localhost/other:2");
	ck_assert(fixture_has_ref("localhost/app:latest"));
	ck_assert(fixture_has_ref("localhost/other:2"));
	build_result_fini(&r);
	strlist_fini(&opt.tags);
}
END_TEST

START_TEST(labels_and_annotations_are_added)
{
	SCOPE(image) struct image im = IMAGE_INIT;
	struct build_target target = {.platform = amd64};
	struct build_options opt = {.tags = APP, .targets = &target, .target_count = 1};
	struct build_result r;
	struct err e = ERR_INIT;

	strmap_set(&opt.labels, "a", "option", &e);
	strmap_set(&opt.labels, "c", "option", &e);
	strmap_set(&target.annotations, "note", "text", &e);
	build_with(&opt, "FROM scratch\nLABEL a=file b=file\n", &r, &e);
	ck_assert_no_err(&e);
	build_result_fini(&r);
	ck_assert_int_eq(image_load(fixture_store(), "app", &amd64, &im, &e), 0);
	ck_assert_str_eq(strmap_get(&im.config.labels, "a"), "option");
	ck_assert_str_eq(strmap_get(&im.config.labels, "b"), "file");
	ck_assert_str_eq(strmap_get(&im.config.labels, "c"), "option");
	ck_assert_uint_eq(im.config.history_count, 1);
	ck_assert_uint_eq(im.manifest.annotations.count, 1);
	ck_assert_str_eq(strmap_get(&im.manifest.annotations, "note"), "text");
	strmap_fini(&opt.labels);
	strmap_fini(&target.annotations);
}
END_TEST

START_TEST(manifests_are_found)
{
	struct build_options opt = {.tags = APP};
	struct build_result r;
	struct err e = ERR_INIT;

	refuse(&opt, NULL, ERR_NOT_FOUND, "no Shalefile, Containerfile or Dockerfile");
	SCOPE_FREE char *elsewhere = str_dup(scratch_file("elsewhere"), &e);
	opt.file = elsewhere;
	refuse(&opt, NULL, ERR_SYS, "elsewhere");
	scratch_write("elsewhere", "FROM scratch\nCOPY a /\n");
	scratch_write("elsewhere.dockerignore", "a\n");
	refuse(&opt, NULL, ERR_NOT_FOUND, "elsewhere:2:6: 'a' of the context is excluded");
	scratch_write("elsewhere.dockerignore", "!\n");
	refuse(&opt, NULL, ERR_SYNTAX, "elsewhere.dockerignore:1: ");
	scratch_write("elsewhere.dockerignore", "# nothing\n");
	stages_write(".dockerignore", "a\n");
	build_with(&opt, NULL, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(r.names.items[0], "localhost/app:latest");
	build_result_fini(&r);
}
END_TEST

START_TEST(a_failed_build_moves_no_name)
{
	SCOPE(image) struct image before = IMAGE_INIT;
	SCOPE(descriptor) struct descriptor after = DESCRIPTOR_INIT;
	struct build_options opt = {.tags = APP};
	struct build_result r;
	struct err e = ERR_INIT;

	build("FROM scratch\nCOPY a /\n", &before);
	ck_assert_int_eq(build_with(&opt, "FROM scratch\nCOPY a /x\nCOPY no /\n", &r, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no 'no'");
	ck_assert_int_eq(refs_get(fixture_store(), "localhost/app:latest", &after, &e), 1);
	ck_assert(digest_equal(&after.digest, &before.top.digest));
	fixture_check_whole();
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/build");
	TCase *tc = tcase_create("build");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, makes_layers_config_and_ref);
	tcase_add_test(tc, tells_steps_and_warnings);
	tcase_add_test(tc, the_same_inputs_give_the_same_digest);
	tcase_add_test(tc, an_epoch_is_the_time_of_everything);
	tcase_add_test(tc, a_base_stays_below);
	tcase_add_test(tc, types_of_docker_become_those_of_oci);
	tcase_add_test(tc, the_platform_is_the_bases);
	tcase_add_test(tc, a_failed_build_moves_no_name);
	suite_add_tcase(s, tc);
	tc = tcase_create("refusals");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, a_wrong_name_is_told_first, 0, ARRAY_LEN(wrong_tags));
	tcase_add_test(tc, all_names_are_set);
	tcase_add_test(tc, labels_and_annotations_are_added);
	tcase_add_test(tc, manifests_are_found);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
