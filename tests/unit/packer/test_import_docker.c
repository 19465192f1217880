/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "image/mediatype.h"
#include "main.h"
#include "packer/import.h"
#include "packer/layouts.h"
#include "store/image.h"
#include "tests/support/scratch.h"

static const struct platform amd64 = {"linux", "amd64", ""};

static void setup(void)
{
	layouts_setup();
	ck_assert_int_eq(mkdirat(scratch_fd(), "saved", 0755), 0);
}

/* Writes a layer and a config below "saved". */
static void make_image(const char *config, const char *layer, const char *content)
{
	SCOPE(str) struct str tar = STR_INIT;
	struct err e = ERR_INIT;
	char hex[DIGEST_HEX_MAX], path[128];

	layout_tar(content, &tar);
	snprintf(path, sizeof(path), "saved/%s", layer);
	layout_write(path, tar.data, tar.len);
	const struct digest d = hasher_sha256(tar.data, tar.len);
	SCOPE_FREE char *doc =
		str_dupf(&e,
			 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"container_config\":{},"
			 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\"]}}",
			 digest_hex(&d, hex));
	snprintf(path, sizeof(path), "saved/%s", config);
	layout_write(path, doc, strlen(doc));
}

static void pack(void)
{
	const char *const argv[] = {"tar", "-C", "saved", "-cf", "saved.tar", ".", NULL};

	layouts_run(argv);
}

/* `name` may be a place, "@1". */
static int import(const char *name, const char *tag, struct import_result *out, struct err *e)
{
	const bool has_at = name && name[0] == '@';
	const struct import_options opt = {
		.tag = tag, .platform = &amd64, .compression = COMPRESSION_DEFAULT};
	SCOPE_FREE char *path = str_dup(scratch_file("saved.tar"), e);
	SCOPE_FREE char *copy = name && !has_at ? str_dup(name, e) : NULL;
	const struct import_source src = {IMPORT_DOCKER_ARCHIVE, path, copy, has_at,
					  has_at ? strtoul(name + 1, NULL, 10) : 0};

	return import_run(layouts_store, &src, &opt, out, e);
}

static void take(const char *name, const char *tag, const char *want)
{
	struct import_result r = {.layers = 0};
	SCOPE(image) struct image im = IMAGE_INIT;
	struct err e = ERR_INIT;

	import(name, tag, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(r.names.items[0], want);
	image_load(layouts_store, want, &amd64, &im, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(im.manifest.config.media_type, MEDIATYPE_CONFIG);
	import_result_fini(&r);
}

static void refuse(const char *name, enum err_code code, const char *word)
{
	struct import_result r = {.layers = 0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(import(name, "x", &r, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_uint_eq(layouts_refs(), 0);
}

START_TEST(takes_the_only_image)
{
	make_image("c.json", "l.tar", "text");
	scratch_write("saved/manifest.json", "[{\"Config\":\"c.json\",\"RepoTags\":[\"app:1\"],"
					     "\"Layers\":[\"l.tar\"]}]\n");
	pack();
	take(NULL, NULL, "localhost/app:1");
	take(NULL, "other", "localhost/other:latest");
	take("app:1", NULL, "localhost/app:1");
	take("localhost/app:1", NULL, "localhost/app:1");
}
END_TEST

START_TEST(layers_may_be_links_and_compressed)
{
	const char *const gzip[] = {"gzip", "-n", "saved/l.tar", NULL};
	const char *const hardlink[] = {"ln", "saved/real.json", "saved/c.json", NULL};

	make_image("real.json", "l.tar", "text");
	layouts_run(gzip);
	layouts_run(hardlink);
	ck_assert_int_eq(mkdirat(scratch_fd(), "saved/id", 0755), 0);
	ck_assert_int_eq(symlinkat("../l.tar.gz", scratch_fd(), "saved/id/layer.tar"), 0);
	scratch_write("saved/id/VERSION", "1.0");
	scratch_write("saved/repositories", "{}");
	scratch_write("saved/manifest.json",
		      "[{\"Config\":\"c.json\",\"RepoTags\":null,\"Layers\":[\"id/layer.tar\"]}]");
	pack();
	take(NULL, "app", "localhost/app:latest");
}
END_TEST

START_TEST(chooses_by_name)
{
	make_image("c.json", "l.tar", "text");
	make_image("d.json", "m.tar", "other");
	scratch_write(
		"saved/manifest.json",
		"[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\",\"b\"],\"Layers\":[\"l.tar\"]},"
		"{\"Config\":\"d.json\",\"RepoTags\":[\"registry.example/d:2\"],"
		"\"Layers\":[\"m.tar\"]}]");
	pack();
	refuse(NULL, ERR_USAGE, "'a:1', 'b', 'registry.example/d:2'");
	refuse("c", ERR_NOT_FOUND, "no image 'c'");
	take("b", NULL, "localhost/b:latest");
	take("docker.io/library/b:latest", "hub", "localhost/hub:latest");
	take("registry.example/d:2", NULL, "registry.example/d:2");
}
END_TEST

START_TEST(chooses_by_place)
{
	make_image("c.json", "l.tar", "text");
	make_image("d.json", "m.tar", "other");
	scratch_write("saved/manifest.json",
		      "[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\"],\"Layers\":[\"l.tar\"]},"
		      "{\"Config\":\"d.json\",\"RepoTags\":null,\"Layers\":[\"m.tar\"]}]");
	pack();
	refuse("@2", ERR_NOT_FOUND, "no image @2; it has 2, from @0 on");
	take("@0", NULL, "localhost/a:1");
	/* One without a name can be had no other way. */
	take("@1", "second", "localhost/second:latest");
	SCOPE(image) struct image first = IMAGE_INIT;
	SCOPE(image) struct image second = IMAGE_INIT;
	struct err e = ERR_INIT;
	image_load(layouts_store, "a:1", &amd64, &first, &e);
	image_load(layouts_store, "second", &amd64, &second, &e);
	ck_assert_no_err(&e);
	ck_assert(!digest_equal(&first.top.digest, &second.top.digest));
}
END_TEST

static void take_names(const char *name, const char *tag, const char *const want[])
{
	struct import_result r = {.layers = 0};
	struct err e = ERR_INIT;
	size_t count = 0;

	import(name, tag, &r, &e);
	ck_assert_no_err(&e);
	for (; want[count]; count++) {
		SCOPE(image) struct image im = IMAGE_INIT;
		ck_assert_uint_lt(count, r.names.count);
		ck_assert_str_eq(r.names.items[count], want[count]);
		image_load(layouts_store, want[count], &amd64, &im, &e);
		ck_assert_no_err(&e);
	}
	ck_assert_uint_eq(r.names.count, count);
	ck_assert_uint_eq(layouts_refs(), count);
	import_result_fini(&r);
}

static void save_with_names(const char *names)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "[{\"Config\":\"c.json\",\"RepoTags\":[%s],\"Layers\":[\"l.tar\"]}]", names);
	make_image("c.json", "l.tar", "text");
	scratch_write("saved/manifest.json", text);
	pack();
}

START_TEST(keeps_all_names)
{
	save_with_names("\"a:1\",\"b\",\"a:1\",\"registry.example/c:2\"");
	take_names(NULL, NULL,
		   (const char *const[]){"localhost/a:1", "localhost/b:latest",
					 "registry.example/c:2", NULL});
}
END_TEST

START_TEST(keeps_only_the_name_that_was_asked_for)
{
	save_with_names("\"a:1\",\"b\"");
	take_names("b", NULL, (const char *const[]){"localhost/b:latest", NULL});
}
END_TEST

START_TEST(keeps_only_the_name_that_was_given)
{
	save_with_names("\"a:1\",\"b\"");
	take_names(NULL, "c", (const char *const[]){"localhost/c:latest", NULL});
}
END_TEST

START_TEST(sets_no_name_when_one_is_wrong)
{
	struct import_result r = {.layers = 0};
	struct err e = ERR_INIT;

	save_with_names("\"a:1\",\"NOT A NAME\"");
	ck_assert_int_eq(import(NULL, NULL, &r, &e), -1);
	ck_assert_err(&e, ERR_USAGE, "--tag");
	ck_assert_uint_eq(layouts_refs(), 0);
}
END_TEST

static const struct {
	const char *manifest; /* NULL: none */
	enum err_code code;
	const char *word;
} broken[] = {
	{NULL, ERR_FORMAT, "no file 'manifest.json'"},
	{"", ERR_FORMAT, "manifest.json"},
	{"{}", ERR_FORMAT, "images"},
	{"[", ERR_FORMAT, "manifest.json"},
	{"[],\"x\":1", ERR_FORMAT, "more than one"},
	{"[]", ERR_NOT_FOUND, "no image"},
	{"null", ERR_NOT_FOUND, "no image"},
	{"[1]", ERR_FORMAT, "must be an object"},
	{"[{}]", ERR_FORMAT, "Config"},
	{"[{\"Config\":1}]", ERR_FORMAT, "Config"},
	{"[{\"Config\":\"none\"}]", ERR_FORMAT, "'none'"},
	{"[{\"Config\":\"/etc/passwd\"}]", ERR_FORMAT, "'/etc/passwd'"},
	{"[{\"Config\":\"../../../etc/passwd\"}]", ERR_FORMAT, "passwd"},
	{"[{\"Config\":\"c.json\",\"Layers\":[\"none\"]}]", ERR_FORMAT, "'none'"},
	{"[{\"Config\":\"c.json\",\"Layers\":[7]}]", ERR_FORMAT, "Layers"},
	{"[{\"Config\":\"c.json\",\"Layers\":\"l.tar\"}]", ERR_FORMAT, "Layers"},
	{"[{\"Config\":\"c.json\",\"Layers\":[]}]", ERR_DIGEST, "1 diff_ids for 0"},
	{"[{\"Config\":\"c.json\",\"Layers\":[\"m.tar\"]}]", ERR_DIGEST, "layer 1"},
	{"[{\"Config\":\"l.tar\",\"Layers\":[\"l.tar\"]}]", ERR_FORMAT, "config"},
	{"[{\"Config\":\"loop\",\"Layers\":[\"l.tar\"]}]", ERR_FORMAT, "links"},
	{"[{\"Config\":\"c.json\",\"RepoTags\":\"x\",\"Layers\":[]}]", ERR_FORMAT, "RepoTags"},
};

START_TEST(refuses_broken_archives)
{
	make_image("d.json", "m.tar", "other");
	make_image("c.json", "l.tar", "text");
	ck_assert_int_eq(symlinkat("loop", scratch_fd(), "saved/loop"), 0);
	if (broken[_i].manifest)
		scratch_write("saved/manifest.json", broken[_i].manifest);
	pack();
	refuse(NULL, broken[_i].code, broken[_i].word);
}
END_TEST

/* Shell commands that write "saved.tar", of one image under "saved". */
static const struct {
	const char *command;
	const char *word;
} long_ones[] = {
	{"head -c 5000000 /dev/zero | tr '\\0' ' ' >>saved/manifest.json;"
	 "tar -C saved -cf saved.tar .",
	 "'manifest.json' has more than 4194304 bytes"},
	/* The second name of a file makes each but the first a link. */
	{"ln saved/c.json saved/d.json;"
	 "yes c.json | head -n 65537 | tar -C saved -cf saved.tar -T -",
	 "more than 65536 files"},
	{"{ printf '[{\"Config\":\"c.json\",\"Layers\":[';"
	 "  yes '\"l.tar\",' | head -n 512; printf '\"l.tar\"]}]'; } >saved/manifest.json;"
	 "tar -C saved -cf saved.tar .",
	 "more than 512 in 'Layers'"},
};

START_TEST(refuses_what_is_too_long)
{
	const char *const shell[] = {"sh", "-c", long_ones[_i].command, NULL};

	make_image("c.json", "l.tar", "text");
	scratch_write("saved/manifest.json",
		      "[{\"Config\":\"c.json\",\"RepoTags\":[\"app:1\"],\"Layers\":[\"l.tar\"]}]");
	layouts_run(shell);
	refuse(NULL, ERR_LIMIT, long_ones[_i].word);
}
END_TEST

START_TEST(refuses_archives_with_two_meanings)
{
	const char *const twice[] = {"tar",
				     "-C",
				     "saved",
				     "-cf",
				     "saved.tar",
				     "manifest.json",
				     "manifest.json",
				     "c.json",
				     "l.tar",
				     "--hard-dereference",
				     NULL};
	const char *const layer_twice[] = {"tar",       "-C",    "saved",         "-cf",
					   "saved.tar", "l.tar", "manifest.json", "c.json",
					   "l.tar",     NULL};

	make_image("c.json", "l.tar", "text");
	scratch_write("saved/manifest.json",
		      "[{\"Config\":\"c.json\",\"RepoTags\":[\"app:1\"],\"Layers\":[\"l.tar\"]}]");
	layouts_run(twice);
	refuse(NULL, ERR_FORMAT, "twice");
	layouts_run(layer_twice);
	refuse(NULL, ERR_FORMAT, "'l.tar' is there twice");
}
END_TEST

START_TEST(old_archives_are_told_apart)
{
	scratch_write("saved/repositories", "{\"app\":{\"1\":\"id\"}}");
	pack();
	refuse(NULL, ERR_UNSUPPORTED, "1.10");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/import_docker");
	TCase *tc = tcase_create("archives");

	tcase_add_checked_fixture(tc, setup, layouts_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, takes_the_only_image);
	tcase_add_test(tc, layers_may_be_links_and_compressed);
	tcase_add_test(tc, chooses_by_name);
	tcase_add_test(tc, chooses_by_place);
	tcase_add_test(tc, keeps_all_names);
	tcase_add_test(tc, keeps_only_the_name_that_was_asked_for);
	tcase_add_test(tc, keeps_only_the_name_that_was_given);
	tcase_add_test(tc, sets_no_name_when_one_is_wrong);
	tcase_add_loop_test(tc, refuses_broken_archives, 0, ARRAY_LEN(broken));
	tcase_add_loop_test(tc, refuses_what_is_too_long, 0, ARRAY_LEN(long_ones));
	tcase_add_test(tc, refuses_archives_with_two_meanings);
	tcase_add_test(tc, old_archives_are_told_apart);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
