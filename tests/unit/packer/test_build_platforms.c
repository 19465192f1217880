/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/build.h"

#include "base/array.h"
#include "base/limits.h"
#include "image/mediatype.h"
#include "image/platform_list.h"
#include "main.h"
#include "packer/stages.h"
#include "store/blobs.h"
#include "store/refs.h"

enum { TARGETS_MAX = 4 };

static char app[] = "app";
static char *app_names[] = {app};

/* A build of "app" for the platforms of a list. */
struct request {
	struct platform_list platforms;
	struct build_target targets[TARGETS_MAX];
	struct progress progress;
	struct build_options opt;
	struct build_result result;
};

/* How often a layer went to the disk, and what the callbacks were told. */
static unsigned layers_written;
static struct str told;

static void show(struct progress *p, bool at_once)
{
	static const char *last;

	(void)at_once;
	if (p->phase.what != last && strcmp(p->phase.what, "writing to disk") == 0)
		layers_written++;
	last = p->phase.what;
}

static void setup(void)
{
	stages_setup();
	unsetenv("SOURCE_DATE_EPOCH");
	layers_written = 0;
	stages_write("amd64", "1");
	stages_write("arm64", "2");
	stages_write("same", "same");
}

static void teardown(void)
{
	str_fini(&told);
	told = (struct str)STR_INIT;
	stages_teardown();
}

static void request_init(struct request *r, const char *platforms)
{
	struct err e = ERR_INIT;

	*r = (struct request){.platforms = PLATFORM_LIST_INIT};
	ck_assert_int_eq(platform_list_parse(&r->platforms, platforms, &e), 0);
	ck_assert_uint_le(r->platforms.count, TARGETS_MAX);
	for (size_t i = 0; i < r->platforms.count; i++)
		r->targets[i].platform = r->platforms.items[i];
	r->progress.show = show;
	r->opt = (struct build_options){
		.tags = {.items = app_names, .count = 1, .cap = 1},
		.targets = r->targets,
		.target_count = r->platforms.count,
		.compression = COMPRESSION_DEFAULT,
		.progress = &r->progress,
		.step = stages_note_step,
		.warn = stages_note_warning,
		.ctx = &told,
	};
}

static void request_fini(struct request *r)
{
	build_result_fini(&r->result);
	platform_list_fini(&r->platforms);
}
SCOPE_DEFINE_VALUE(request, struct request, request_fini)

static int request_run(struct request *r, const char *manifest, struct err *e)
{
	stages_write("Shalefile", manifest);
	SCOPE_FREE char *context = str_dup(scratch_file("context"), e);
	ck_assert_no_err(e);
	r->opt.context = context;
	return build_run(fixture_store(), &r->opt, &r->result, e);
}

static void request_make(struct request *r, const char *platforms, const char *manifest)
{
	struct err e = ERR_INIT;

	request_init(r, platforms);
	request_run(r, manifest, &e);
	ck_assert_no_err(&e);
}

static void refuse(const char *platforms, const char *manifest, enum err_code code,
		   const char *word)
{
	SCOPE(request) struct request r;
	struct err e = ERR_INIT;

	request_init(&r, platforms);
	ck_assert_int_eq(request_run(&r, manifest, &e), -1);
	ck_assert_uint_eq(r.result.image_count, 0);
	ck_assert_err(&e, code, word);
	ck_assert(!fixture_has_ref("localhost/app:latest"));
}

static void load(const char *platform, struct image *im)
{
	struct platform want;
	struct err e = ERR_INIT;

	ck_assert_int_eq(platform_parse(&want, platform, &e), 0);
	image_load(fixture_store(), "app", &want, im, &e);
	ck_assert_no_err(&e);
}

static void load_index(const struct descriptor *d, struct image_index *ix)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_str_eq(d->media_type, MEDIATYPE_INDEX);
	ck_assert_int_eq(
		blobs_read(fixture_store(), &d->digest, d->size, LIMIT_DOCUMENT, &text, &e), 0);
	ck_assert_int_eq(image_index_parse(ix, text.data, text.len, MEDIATYPE_INDEX,
					   LIMIT_INDEX_ENTRIES, &e),
			 0);
}

/* The platforms of the index: "linux/amd64 linux/arm64". */
static void check_entries(const struct build_result *r, const char *want)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str got = STR_INIT;
	char text[PLATFORM_STR_MAX];
	struct err e = ERR_INIT;

	load_index(&r->top, &ix);
	ck_assert_str_eq(ix.media_type, MEDIATYPE_INDEX);
	ck_assert_uint_eq(ix.count, r->image_count);
	for (size_t i = 0; i < ix.count; i++) {
		const struct descriptor *d = &ix.manifests[i];
		ck_assert_str_eq(d->media_type, MEDIATYPE_MANIFEST);
		ck_assert(d->has_platform);
		ck_assert(digest_equal(&d->digest, &r->images[i].manifest.digest));
		ck_assert_uint_eq(d->size, r->images[i].manifest.size);
		str_appendf(&got, &e, "%s%s", i ? " " : "", platform_format(&d->platform, text));
	}
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&got), want);
}

START_TEST(several_make_an_index)
{
	SCOPE(request) struct request r;
	SCOPE(descriptor) struct descriptor ref = DESCRIPTOR_INIT;
	struct err e = ERR_INIT;

	request_make(&r, "linux/arm64,linux/amd64/v1,linux/arm",
		     "FROM scratch\nARG TARGETPLATFORM\nARG TARGETVARIANT\n"
		     "ENV P=$TARGETPLATFORM V=$TARGETVARIANT\nCOPY same /\n");
	check_entries(&r.result, "linux/arm64 linux/amd64 linux/arm/v7");
	ck_assert_int_eq(refs_get(fixture_store(), "localhost/app:latest", &ref, &e), 1);
	ck_assert(digest_equal(&ref.digest, &r.result.top.digest));
	static const char *const want[][3] = {{"linux/arm64", "P=linux/arm64", "V="},
					      {"linux/amd64", "P=linux/amd64", "V="},
					      {"linux/arm/v7", "P=linux/arm/v7", "V=v7"}};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		SCOPE(image) struct image im = IMAGE_INIT;
		char text[PLATFORM_STR_MAX];
		load(want[i][0], &im);
		ck_assert(digest_equal(&im.chosen.digest, &r.result.images[i].manifest.digest));
		ck_assert(digest_equal(&im.manifest.config.digest, &r.result.images[i].config));
		ck_assert_str_eq(platform_format(&im.config.platform, text), want[i][0]);
		ck_assert_str_eq(im.config.env.items[im.config.env.count - 2], want[i][1]);
		ck_assert_str_eq(im.config.env.items[im.config.env.count - 1], want[i][2]);
	}
	fixture_check_whole();
}
END_TEST

START_TEST(one_makes_no_index)
{
	SCOPE(request) struct request r;

	request_make(&r, "linux/arm64,linux/arm64/v8,linux/aarch64", "FROM scratch\nCOPY same /\n");
	ck_assert_str_eq(r.result.top.media_type, MEDIATYPE_MANIFEST);
	ck_assert(!r.result.top.has_platform);
	ck_assert_uint_eq(r.result.image_count, 1);
	ck_assert_ptr_nonnull(strstr(told.data, "[1/1] COPY same /"));
}
END_TEST

/* What is in the index is what a build for the platform alone makes; and again the same. */
START_TEST(an_entry_is_the_image_of_its_platform)
{
	static const char manifest[] = "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n"
				       "COPY same /\nLABEL a=$TARGETARCH\n";
	SCOPE(request) struct request both;
	SCOPE(request) struct request again;

	request_make(&both, "linux/amd64,linux/arm64", manifest);
	for (size_t i = 0; i < both.result.image_count; i++) {
		SCOPE(request) struct request alone;
		char text[PLATFORM_STR_MAX];
		const struct descriptor *d = &both.result.images[i].manifest;
		request_make(&alone, platform_format(&d->platform, text), manifest);
		ck_assert(digest_equal(&alone.result.top.digest, &d->digest));
	}
	request_make(&again, "linux/amd64,linux/arm64", manifest);
	ck_assert(digest_equal(&again.result.top.digest, &both.result.top.digest));
	ck_assert(!digest_equal(&both.result.images[0].manifest.digest,
				&both.result.images[1].manifest.digest));
}
END_TEST

START_TEST(steps_name_their_platform)
{
	SCOPE(request) struct request r;

	request_make(&r, "linux/amd64,linux/arm64",
		     "FROM scratch\nARG TARGETARCH\nENV A=$TARGETARCH B=$NONE\nWORKDIR w\n");
	/* A warning for all of them is said once. */
	ck_assert_str_eq(
		told.data,
		"Shalefile:3:21: warning: variable '$NONE' is not set\n"
		"ENV A=$TARGETARCH B=$NONE\n                    ^\n"
		"Shalefile:4:9: warning: a relative WORKDIR depends on the one of the base image\n"
		"WORKDIR w\n        ^\n"
		"[amd64 1/3] ARG TARGETARCH=amd64\n[amd64 2/3] ENV A=amd64 B=\n[amd64 3/3] WORKDIR "
		"/w\n"
		"[arm64 1/3] ARG TARGETARCH=arm64\n[arm64 2/3] ENV A=arm64 B=\n[arm64 3/3] WORKDIR "
		"/w\n");
}
END_TEST

/* Also when nothing that is remembered may be used. */
START_TEST(a_layer_of_all_is_made_once)
{
	SCOPE(request) struct request r;
	SCOPE(image) struct image amd64 = IMAGE_INIT;
	SCOPE(image) struct image arm64 = IMAGE_INIT;
	struct err e = ERR_INIT;

	request_init(&r, "linux/amd64,linux/arm64");
	r.opt.is_fresh = true;
	ck_assert_int_eq(request_run(&r,
				     "FROM scratch\nARG TARGETARCH\nCOPY same /\n"
				     "COPY $TARGETARCH /arch\nCOPY <<X /x\ntext\nX\n",
				     &e),
			 0);
	ck_assert_uint_eq(layers_written, 4);
	load("linux/amd64", &amd64);
	load("linux/arm64", &arm64);
	static const bool is_shared[] = {true, false, true};
	for (size_t i = 0; i < ARRAY_LEN(is_shared); i++)
		ck_assert(digest_equal(&amd64.manifest.layers[i].digest,
				       &arm64.manifest.layers[i].digest) == is_shared[i]);
}
END_TEST

/* The index "base" of images for amd64 and arm64, in which "d" is a file for arm64 alone. */
static void make_base(const char *amd64_variant)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64/v8"};
	SCOPE_FREE char *amd64 = NULL;
	struct descriptor manifests[] = {DESCRIPTOR_INIT, DESCRIPTOR_INIT};
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;
	struct fixture_layer layer;
	struct err e = ERR_INIT;

	amd64 = str_dupf(&e, "linux/amd64%s", amd64_variant);
	fixture_layer("other", "x", &layer);
	fixture_image_for(NULL, amd64, &layer, 1, &manifests[0]);
	fixture_layer_fini(&layer);
	fixture_layer("d", "x", &layer);
	fixture_image_for(NULL, platforms[1], &layer, 1, &manifests[1]);
	fixture_layer_fini(&layer);
	fixture_index("localhost/base:latest", manifests, platforms, 2, &top);
	descriptor_fini(&manifests[0]);
	descriptor_fini(&manifests[1]);
}

START_TEST(each_has_its_base)
{
	SCOPE(request) struct request r;
	SCOPE(image) struct image im = IMAGE_INIT;

	make_base("");
	request_make(&r, "linux/amd64,linux/arm64", "FROM base\nCOPY same /s\n");
	check_entries(&r.result, "linux/amd64 linux/arm64");
	load("linux/arm64", &im);
	/* The config is the base's. */
	ck_assert_str_eq(im.config.platform.variant, "v8");
	ck_assert_uint_eq(im.manifest.layer_count, 2);
}
END_TEST

/* An old machine must not take it. */
START_TEST(a_demanding_base_is_told_in_the_index)
{
	SCOPE(request) struct request r;

	make_base("/v3");
	request_make(&r, "linux/arm64,linux/amd64", "FROM base\n");
	check_entries(&r.result, "linux/arm64 linux/amd64/v3");
}
END_TEST

/* Nobody would find the second of two. */
START_TEST(no_two_entries_are_for_one_platform)
{
	SCOPE(request) struct request r;

	make_base("/v3");
	refuse("linux/amd64,linux/arm64,linux/amd64/v3", "FROM base\n", ERR_UNSUPPORTED,
	       "Shalefile:1:6: for linux/amd64: the base makes the image one for linux/amd64/v3, "
	       "which is built as well");
	refuse("linux/amd64/v3,linux/amd64", "FROM base\n", ERR_UNSUPPORTED,
	       "for linux/amd64: the base makes");
	refuse("linux/amd64/v3,linux/amd64", "FROM --platform=linux/amd64/v3 scratch\n",
	       ERR_UNSUPPORTED, "for linux/amd64: the base makes");
	ck_assert_uint_eq(layers_written, 0);
	request_make(&r, "linux/amd64/v4,linux/amd64", "FROM base\n");
	check_entries(&r.result, "linux/amd64/v4 linux/amd64/v3");
	request_fini(&r);
	request_make(&r, "linux/amd64/v3,linux/amd64", "FROM scratch\n");
	check_entries(&r.result, "linux/amd64/v3 linux/amd64");
}
END_TEST

START_TEST(what_is_wrong_for_any_is_told_at_once)
{
	make_base("");
	refuse("linux/amd64,linux/s390x,linux/ppc64le", "FROM base\nCOPY none /\n", ERR_NOT_FOUND,
	       "Shalefile:1:6: for linux/s390x: image 'localhost/base:latest': has nothing for the "
	       "platform 'linux/s390x', only: linux/amd64, linux/arm64/v8\nFROM base\n     ^\n"
	       "Shalefile:1:6: for linux/ppc64le: image 'localhost/base:latest': has nothing for "
	       "the platform 'linux/ppc64le', only: linux/amd64, linux/arm64/v8\nFROM base\n     "
	       "^\n"
	       "Shalefile:2:6: no 'none' in the context\nCOPY none /\n     ^");
	refuse("linux/amd64,linux/arm64", "FROM base\nARG TARGETARCH\nCOPY $TARGETARCH-x /\n",
	       ERR_NOT_FOUND, "Shalefile:3:6: for linux/arm64: no 'arm64-x' in the context");
	/* Wrong for all: said once, without a platform. */
	refuse("linux/amd64,linux/arm64", "FROM base\nCOPI x /\n", ERR_SYNTAX,
	       "Shalefile:2:1: unknown");
	refuse("linux/amd64,linux/arm64", "FROM $NONE\n", ERR_SYNTAX, "Shalefile:1:6: the base");
	ck_assert_uint_eq(layers_written, 0);
}
END_TEST

/* Only the work itself shows it; amd64's image is whole by then. */
START_TEST(what_fails_for_one_publishes_nothing)
{
	make_base("");
	refuse("linux/amd64,linux/arm64", "FROM base\nWORKDIR /d\n", ERR_EXISTS,
	       "for linux/arm64: Shalefile:2:1: '/d'");
	ck_assert_ptr_nonnull(strstr(told.data, "[amd64 1/1] WORKDIR /d\n[arm64 1/1] "));
	fixture_check_whole();
}
END_TEST

START_TEST(a_fixed_base_makes_no_other_platform)
{
	SCOPE(request) struct request r;
	static const char *const wrong[] = {"FROM --platform=linux/amd64 base\n",
					    "FROM --platform=linux/amd64 scratch\n"};

	make_base("");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		refuse("linux/amd64,linux/arm64", wrong[i], ERR_UNSUPPORTED,
		       "for linux/arm64: the image would be one for linux/amd64");
	request_make(&r, "linux/amd64,linux/arm64", "FROM --platform=$TARGETPLATFORM base\n");
	check_entries(&r.result, "linux/amd64 linux/arm64");
}
END_TEST

START_TEST(annotations_go_where_they_are_for)
{
	SCOPE(request) struct request r;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	struct err e = ERR_INIT;

	request_init(&r, "linux/amd64,linux/arm64");
	strmap_set(&r.targets[1].annotations, "m", "manifest", &e);
	strmap_set(&r.targets[1].descriptor_annotations, "d", "descriptor", &e);
	strmap_set(&r.opt.index_annotations, "i", "index", &e);
	request_run(&r, "FROM scratch\n", &e);
	ck_assert_no_err(&e);
	load_index(&r.result.top, &ix);
	ck_assert_uint_eq(ix.annotations.count, 1);
	ck_assert_str_eq(strmap_get(&ix.annotations, "i"), "index");
	ck_assert_uint_eq(ix.manifests[0].annotations.count, 0);
	ck_assert_uint_eq(ix.manifests[1].annotations.count, 1);
	ck_assert_str_eq(strmap_get(&ix.manifests[1].annotations, "d"), "descriptor");
	load("linux/arm64", &im);
	ck_assert_uint_eq(im.manifest.annotations.count, 1);
	ck_assert_str_eq(strmap_get(&im.manifest.annotations, "m"), "manifest");
	image_fini(&im);
	load("linux/amd64", &im);
	ck_assert_uint_eq(im.manifest.annotations.count, 0);
	strmap_fini(&r.targets[1].annotations);
	strmap_fini(&r.targets[1].descriptor_annotations);
	strmap_fini(&r.opt.index_annotations);
}
END_TEST

/* A text of `len` bytes. */
static char *make_text(size_t len)
{
	struct err e = ERR_INIT;
	char *text = array_new(len + 1, 1, &e);

	ck_assert_no_err(&e);
	memset(text, 'x', len);
	return text;
}

/* Bytes of one annotation, and as many of them as no document can hold. */
enum { LONG = LIMIT_ANNOTATION, MANY = LIMIT_DOCUMENT / LIMIT_ANNOTATION };

static void annotate(struct strmap *to, unsigned count)
{
	SCOPE_FREE char *text = make_text(LONG);
	struct err e = ERR_INIT;
	char key[16];

	for (unsigned i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "key%u", i);
		strmap_set(to, key, text, &e);
	}
	ck_assert_no_err(&e);
}

static void check_too_large(struct request *r, const char *manifest, const char *word)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(request_run(r, manifest, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, word);
	ck_assert_uint_eq(r->result.image_count, 0);
	ck_assert_uint_eq(r->result.names.count, 0);
	ck_assert(!fixture_has_ref("localhost/app:latest"));
	fixture_check_whole();
}

/* What could not be read again is not written, and no name is set. */
START_TEST(an_index_that_would_be_too_large_is_refused)
{
	SCOPE(request) struct request r;

	request_init(&r, "linux/amd64,linux/arm64");
	annotate(&r.targets[0].descriptor_annotations, MANY / 2);
	annotate(&r.targets[1].descriptor_annotations, MANY / 2);
	check_too_large(&r, "FROM scratch\n", "image index: JSON of 419");
	strmap_fini(&r.targets[0].descriptor_annotations);
	strmap_fini(&r.targets[1].descriptor_annotations);
	request_fini(&r);
	request_init(&r, "linux/amd64,linux/arm64");
	annotate(&r.opt.index_annotations, MANY);
	check_too_large(&r, "FROM scratch\n", "image index: JSON of 419");
	strmap_fini(&r.opt.index_annotations);
}
END_TEST

START_TEST(a_manifest_that_would_be_too_large_is_refused)
{
	SCOPE(request) struct request r;

	request_init(&r, "linux/amd64,linux/arm64");
	annotate(&r.targets[1].annotations, MANY);
	check_too_large(&r, "FROM scratch\n", "for linux/arm64: cannot write what");
	r.opt.target_count = 1;
	r.targets[0] = r.targets[1];
	check_too_large(&r, "FROM scratch\n", "image manifest: JSON of 419");
	strmap_fini(&r.targets[0].annotations);
}
END_TEST

START_TEST(a_config_that_would_be_too_large_is_refused)
{
	SCOPE(request) struct request r;

	request_init(&r, "linux/amd64");
	annotate(&r.opt.labels, MANY);
	check_too_large(&r, "FROM scratch\n", "image config: JSON of 419");
	strmap_fini(&r.opt.labels);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/build_platforms");
	TCase *tc = tcase_create("platforms");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, several_make_an_index);
	tcase_add_test(tc, one_makes_no_index);
	tcase_add_test(tc, an_entry_is_the_image_of_its_platform);
	tcase_add_test(tc, steps_name_their_platform);
	tcase_add_test(tc, a_layer_of_all_is_made_once);
	tcase_add_test(tc, each_has_its_base);
	tcase_add_test(tc, a_demanding_base_is_told_in_the_index);
	tcase_add_test(tc, no_two_entries_are_for_one_platform);
	tcase_add_test(tc, what_is_wrong_for_any_is_told_at_once);
	tcase_add_test(tc, what_fails_for_one_publishes_nothing);
	tcase_add_test(tc, a_fixed_base_makes_no_other_platform);
	tcase_add_test(tc, annotations_go_where_they_are_for);
	tcase_add_test(tc, an_index_that_would_be_too_large_is_refused);
	tcase_add_test(tc, a_manifest_that_would_be_too_large_is_refused);
	tcase_add_test(tc, a_config_that_would_be_too_large_is_refused);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
