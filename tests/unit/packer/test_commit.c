/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/commit.h"

#include "base/array.h"
#include "main.h"
#include "packer/stages.h"
#include "store/image.h"
#include "store/refs.h"
#include "tests/support/failalloc.h"

static const char base_config[] =
	"{\"architecture\":\"amd64\",\"author\":\"Base\",\"config\":{\"Cmd\":[\"run\"],\"Env\":["
	"\"PATH=/bin\",\"A=1\"],\"Labels\":{\"l\":\"v\"},\"OnBuild\":[\"ENV T=1\"],\"User\":\"u\""
	"},\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[],\"type\":\"layers\"}}";

/* The "config" of what changes make of the base's. */
static const struct {
	const char *changes[4];
	const char *config;
} carried_out[] = {
	{{NULL},
	 "{\"Cmd\":[\"run\"],\"Env\":[\"PATH=/bin\",\"A=1\"],\"Labels\":{\"l\":\"v\"},\"OnBuild\":["
	 "\"ENV T=1\"],\"User\":\"u\"}"},
	{{"ENV A=2 B=${PATH}:/x", "LABEL m=n"},
	 "{\"Cmd\":[\"run\"],\"Env\":[\"PATH=/bin\",\"A=2\",\"B=/bin:/x\"],\"Labels\":{\"l\":\"v\","
	 "\"m\":\"n\"},\"OnBuild\":[\"ENV T=1\"],\"User\":\"u\"}"},
	{{"cmd [\"a\", \"b\"]", "USER 5:6", "WORKDIR /w/x", "EXPOSE 80"},
	 "{\"ArgsEscaped\":true,\"Cmd\":[\"a\",\"b\"],\"Env\":[\"PATH=/"
	 "bin\",\"A=1\"],\"ExposedPorts\":{\"80/tcp\":{}},"
	 "\"Labels\":{\"l\":\"v\"},\"OnBuild\":[\"ENV T=1\"],\"User\":\"5:6\",\"WorkingDir\":\"/w/"
	 "x\"}"},
	{{"ENTRYPOINT [\"e\"]", "VOLUME /v", "STOPSIGNAL SIGINT"},
	 "{\"Entrypoint\":[\"e\"],\"Env\":[\"PATH=/bin\",\"A=1\"],\"Labels\":{\"l\":\"v\"},"
	 "\"OnBuild\":[\"ENV T=1\"],\"StopSignal\":\"SIGINT\",\"User\":\"u\",\"Volumes\""
	 ":{\"/v\":{}}}"},
};

static int change(const char *const *texts, size_t count, struct str *out, struct err *e)
{
	SCOPE(image_config) struct image_config c;
	SCOPE(strlist) struct strlist changes = STRLIST_INIT;

	image_config_init(&c);
	for (size_t i = 0; i < count && texts[i]; i++) {
		if (strlist_add(&changes, texts[i], e) < 0)
			return -1;
	}
	if (image_config_parse(&c, base_config, strlen(base_config), e) < 0 ||
	    commit_change(&c, &changes, e) < 0)
		return -1;
	return image_config_format(&c, out, e);
}

START_TEST(changes_the_config)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	change(carried_out[_i].changes, 4, &text, &e);
	ck_assert_no_err(&e);
	ck_assert_msg(strstr(text.data, carried_out[_i].config), "no %s in %s",
		      carried_out[_i].config, text.data);
}
END_TEST

static const struct {
	const char *change;
	enum err_code code;
	const char *word;
} refused[] = {
	{"COPY a b", ERR_USAGE, "'COPY a b'"},
	{"FROM scratch", ERR_USAGE, "one instruction"},
	{"ONBUILD ENV A=B", ERR_USAGE, "one instruction"},
	{"RUN true", ERR_USAGE, "one instruction"},
	{"ARG A", ERR_USAGE, "one instruction"},
	{"NOTHING x", ERR_USAGE, "one instruction"},
	{"", ERR_USAGE, "one instruction"},
	{"# ENV A=B", ERR_USAGE, "one instruction"},
	{"ENV A=B\nCOPY a b", ERR_USAGE, "one instruction"},
	{"ENV A=B \\", ERR_USAGE, "one instruction"},
	{"EXPOSE no-port", ERR_SYNTAX, "option '--change': --change:2:"},
	{"ENV A", ERR_SYNTAX, "option '--change': --change:2:"},
};

START_TEST(refuses_other_instructions)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(change(&refused[_i].change, 1, &text, &e), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

static int change_once(void *arg, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	(void)arg;
	return change(carried_out[3].changes, 4, &text, e);
}

START_TEST(survives_a_lack_of_memory)
{
	failalloc_each(change_once, NULL);
}
END_TEST

static const struct stages_file files[] = {{ENTRY_REG, "a", "text"}, {ENTRY_DIR, NULL, NULL}};

/* A commit of `layer`, or of nothing, loaded again as "localhost/new:1". */
static void commit(struct commit_options *opt, const struct fixture_layer *layer, struct image *out)
{
	SCOPE(image) struct image base = IMAGE_INIT;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;
	const int64_t a_day = 86400;
	struct commit c;
	struct err e = ERR_INIT;

	image_load(fixture_store(), "localhost/base:1", NULL, &base, &e);
	ck_assert_no_err(&e);
	strlist_add(&opt->tags, "new:1", &e);
	lease_open(fixture_store(), "test", &l, &e);
	commit_init(&c, fixture_store(), opt, &base, &e);
	ck_assert_no_err(&e);
	commit_finish(&c, l, layer ? &layer->descriptor : NULL, layer ? &layer->diff_id : NULL,
		      layer ? &a_day : NULL, &top, &e);
	ck_assert_no_err(&e);
	commit_fini(&c);
	image_load(fixture_store(), "new:1", NULL, out, &e);
	ck_assert_no_err(&e);
	ck_assert(digest_equal(&out->top.digest, &top.digest));
}

static void free_options(struct commit_options *opt)
{
	strlist_fini(&opt->tags);
	strmap_fini(&opt->labels);
	strmap_fini(&opt->annotations);
}

START_TEST(adds_a_layer_to_the_base)
{
	struct commit_options opt = {.created_by = "by", .message = "why", .author = "Me"};
	SCOPE(image) struct image im = IMAGE_INIT;
	struct fixture_layer layer;
	struct err e = ERR_INIT;

	stages_image("localhost/base:1", files);
	stages_layer(files, &layer);
	strmap_set(&opt.labels, "k", "v", &e);
	strmap_set(&opt.annotations, "a.b", "c", &e);
	commit(&opt, &layer, &im);
	const struct history *h = &im.config.history[im.config.history_count - 1];
	ck_assert_uint_eq(im.manifest.layer_count, 2);
	ck_assert_uint_eq(im.config.diff_id_count, 2);
	ck_assert(digest_equal(&im.manifest.layers[1].digest, &layer.descriptor.digest));
	ck_assert(digest_equal(&im.config.diff_ids[1], &layer.diff_id));
	ck_assert_str_eq(im.config.created, "1970-01-02T00:00:00Z");
	ck_assert_str_eq(im.config.author, "Me");
	ck_assert_str_eq(h->created, "1970-01-02T00:00:00Z");
	ck_assert_str_eq(h->created_by, "by");
	ck_assert_str_eq(h->comment, "why");
	ck_assert_str_eq(h->author, "Me");
	ck_assert(!h->is_empty_layer);
	ck_assert_str_eq(strmap_get(&im.config.labels, "k"), "v");
	ck_assert_str_eq(strmap_get(&im.manifest.annotations, "a.b"), "c");
	descriptor_fini(&layer.descriptor);
	free_options(&opt);
}
END_TEST

START_TEST(tells_of_a_commit_of_nothing)
{
	struct commit_options opt = {.created_by = "by"};
	SCOPE(image) struct image im = IMAGE_INIT;

	stages_image("localhost/base:1", files);
	commit(&opt, NULL, &im);
	const struct history *h = &im.config.history[im.config.history_count - 1];
	ck_assert_uint_eq(im.manifest.layer_count, 1);
	ck_assert_uint_eq(im.config.diff_id_count, 1);
	ck_assert(h->is_empty_layer);
	ck_assert_ptr_null(h->comment);
	/* The base says nothing. */
	ck_assert_str_eq(im.config.created, "1980-01-01T00:00:00Z");
	ck_assert_ptr_null(h->author);
	free_options(&opt);
}
END_TEST

START_TEST(refuses_bad_names_before_anything_is_written)
{
	struct commit_options opt = {.created_by = "by"};
	SCOPE(image) struct image base = IMAGE_INIT;
	struct commit c;
	struct err e = ERR_INIT;

	stages_image("localhost/base:1", files);
	image_load(fixture_store(), "localhost/base:1", NULL, &base, &e);
	strlist_add(&opt.tags, "no@name", &e);
	ck_assert_int_eq(commit_init(&c, fixture_store(), &opt, &base, &e), -1);
	ck_assert_int_ne(e.code, ERR_NONE);
	ck_assert_ptr_nonnull(strstr(e.msg, "option '--tag'"));
	err_clear(&e);
	commit_fini(&c);
	free_options(&opt);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/commit");
	TCase *changes = tcase_create("changes");
	TCase *images = tcase_create("images");

	tcase_add_loop_test(changes, changes_the_config, 0, ARRAY_LEN(carried_out));
	tcase_add_loop_test(changes, refuses_other_instructions, 0, ARRAY_LEN(refused));
	tcase_add_test(changes, survives_a_lack_of_memory);
	suite_add_tcase(s, changes);
	tcase_add_checked_fixture(images, stages_setup, stages_teardown);
	tcase_add_test(images, adds_a_layer_to_the_base);
	tcase_add_test(images, tells_of_a_commit_of_nothing);
	tcase_add_test(images, refuses_bad_names_before_anything_is_written);
	suite_add_tcase(s, images);
	return s;
}

UNIT_MAIN(suite_new)
