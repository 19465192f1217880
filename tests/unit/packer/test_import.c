/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/import.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/hasher.h"
#include "image/mediatype.h"
#include "main.h"
#include "packer/layouts.h"
#include "store/blobs.h"
#include "store/image.h"
#include "store/refs.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

#define NAMED(name)        ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
#define PLATFORM(os, arch) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"

static const struct platform amd64 = {"linux", "amd64", ""};

/* Imports `what` ("oci:layout", its path below the scratch folder): 0 or -1. */
static int import(const char *what, const char *tag, struct import_result *out, struct err *e)
{
	const struct import_options opt = {.tag = tag, .platform = &amd64, .level = 3};
	const char *colon = strchr(what, ':');
	SCOPE(str) struct str text = STR_INIT;
	struct import_source src;
	int r;

	str_appendf(&text, e, "%.*s:%s/%s", (int)(colon - what), what, scratch_path(), colon + 1);
	import_source_parse(&src, str_text(&text), e);
	ck_assert_no_err(e);
	r = import_run(layouts_store, &src, &opt, out, e);
	import_source_fini(&src);
	return r;
}

/* Imports, checks the name, and gives the digest. */
static struct digest take(const char *what, const char *tag, const char *name)
{
	struct import_result r = {.name = NULL};
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	import(what, tag, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(r.name, name);
	ck_assert_int_eq(refs_get(layouts_store, name, &d, &e), 1);
	ck_assert(digest_equal(&d.digest, &r.top.digest));
	import_result_fini(&r);
	return d.digest;
}

static void refuse(const char *what, const char *tag, enum err_code code, const char *word)
{
	const size_t before = layouts_refs();
	struct import_result r = {.name = NULL};
	struct err e = ERR_INIT;

	ck_assert_int_eq(import(what, tag, &r, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_ptr_null(r.name);
	/* What failed has no name. */
	ck_assert_uint_eq(layouts_refs(), before);
}

static void check_hex(const struct digest *d, const char *descriptor)
{
	char hex[DIGEST_HEX_MAX];

	ck_assert_str_eq(digest_hex(d, hex), layout_hex(descriptor));
}

static bool has_blob(const char *descriptor)
{
	struct err e = ERR_INIT;
	struct digest d;
	SCOPE_FREE char *text = str_dupf(&e, "sha256:%s", layout_hex(descriptor));

	ck_assert_int_eq(digest_parse(&d, text, strlen(text), &e), 0);
	SCOPE_FD int fd = blobs_open(layouts_store, &d, BLOBS_ANY_SIZE, &e);
	err_clear(&e);
	return fd >= 0;
}

static void pack(const char *archive)
{
	const char *const argv[] = {"tar", "-C", "layout", "-cf", archive, ".", NULL};

	layouts_run(argv);
}

/* A layout is the same as a directory and as an archive. */
static const char *const layout_sources[] = {"oci:layout", "oci-archive:layout.tar"};

START_TEST(takes_the_only_image)
{
	SCOPE(image) struct image im = IMAGE_INIT;
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "hello", NAMED("app:1"));

	layout_index(m);
	pack("layout.tar");
	const struct digest d = take(layout_sources[_i], NULL, "localhost/app:1");
	check_hex(&d, m);
	take(layout_sources[_i], "other", "localhost/other:latest");
	ck_assert_int_eq(image_load(layouts_store, "app:1", &amd64, &im, &e), 0);
	ck_assert_uint_eq(im.manifest.layer_count, 1);
}
END_TEST

START_TEST(keeps_an_index_whole)
{
	struct err e = ERR_INIT;
	struct import_result r = {.name = NULL};
	SCOPE_FREE char *a = layout_image("amd64", "a", PLATFORM("linux", "amd64"));
	SCOPE_FREE char *b = layout_image("arm64", "b", PLATFORM("linux", "arm64"));
	SCOPE_FREE char *doc = str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", a, b);
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), NAMED("app:1"));

	layout_index(ix);
	pack("layout.tar");
	ck_assert_int_eq(import(layout_sources[_i], NULL, &r, &e), 0);
	check_hex(&r.top.digest, ix);
	ck_assert_str_eq(r.top.media_type, MEDIATYPE_INDEX);
	ck_assert_uint_eq(r.layers, 2);
	ck_assert_uint_eq(r.reframed, 0);
	ck_assert(has_blob(a) && has_blob(b));
	import_result_fini(&r);
}
END_TEST

START_TEST(names_the_platform_that_is_missing)
{
	struct err e = ERR_INIT;
	char path[256];
	SCOPE_FREE char *a = layout_image("amd64", "a", PLATFORM("linux", "amd64"));
	SCOPE_FREE char *b = layout_image("arm64", "b", PLATFORM("linux", "arm64"));
	SCOPE_FREE char *doc = str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", a, b);
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), NAMED("app:1"));

	layout_index(ix);
	snprintf(path, sizeof(path), "layout/blobs/sha256/%s", layout_hex(b));
	ck_assert_int_eq(unlinkat(scratch_fd(), path, 0), 0);
	pack("layout.tar");
	refuse(layout_sources[_i], NULL, ERR_NOT_FOUND, "manifest for linux/arm64");
}
END_TEST

START_TEST(attestations_come_along)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *a = layout_image("amd64", "a", PLATFORM("linux", "amd64"));
	SCOPE_FREE char *config = layout_blob(MEDIATYPE_CONFIG, "{}", 2, "");
	SCOPE_FREE char *layer = layout_blob("application/vnd.in-toto+json", "[1]", 3, "");
	SCOPE_FREE char *b = layout_manifest(config, layer, PLATFORM("unknown", "unknown"));
	SCOPE_FREE char *other = layout_blob("application/x-thing", "thing", 5, "");
	SCOPE_FREE char *doc =
		str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s,%s,%s]}", a, b, other);
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), NAMED("app:1"));

	layout_index(ix);
	take("oci:layout", NULL, "localhost/app:1");
	ck_assert(has_blob(b) && has_blob(layer) && has_blob(other));
}
END_TEST

START_TEST(chooses_by_name)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *a = layout_image("amd64", "a", NAMED("one"));
	SCOPE_FREE char *b = layout_image("amd64", "b", NAMED("localhost/two:latest"));
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", a, b);

	layout_index(both);
	pack("layout.tar");
	refuse("oci:layout", NULL, ERR_USAGE, "'one', 'localhost/two:latest'");
	refuse("oci:layout:three", NULL, ERR_USAGE, "no image 'three'; it has 'one'");
	struct digest d = take("oci:layout:one", "x", "localhost/x:latest");
	check_hex(&d, a);
	d = take("oci:layout:two", NULL, "localhost/two:latest");
	check_hex(&d, b);
	d = take("oci-archive:layout.tar:one", NULL, "localhost/one:latest");
	check_hex(&d, a);
}
END_TEST

START_TEST(a_name_has_one_meaning)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *a = layout_image("amd64", "a", NAMED("one"));
	SCOPE_FREE char *b = layout_image("amd64", "b", NAMED("one"));
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", a, b);

	layout_index(both);
	refuse("oci:layout:one", NULL, ERR_FORMAT, "'one' names more than one");
}
END_TEST

START_TEST(a_source_without_a_name_needs_a_tag)
{
	SCOPE_FREE char *m = layout_image("amd64", "a", "");

	layout_index(m);
	refuse("oci:layout", NULL, ERR_USAGE, "--tag");
	take("oci:layout", "app", "localhost/app:latest");
	SCOPE_FREE char *bad = layout_image("amd64", "a", NAMED("Not A Name"));
	layout_index(bad);
	refuse("oci:layout", NULL, ERR_USAGE, "--tag");
	refuse("oci:layout", "Bad Tag", ERR_SYNTAX, "lower");
	mkdirat(scratch_fd(), "root", 0755);
	refuse("dir:root", NULL, ERR_USAGE, "--tag");
}
END_TEST

START_TEST(a_digest_in_the_tag_must_be_right)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	SCOPE_FREE char *good = str_dupf(&e, "app:1@sha256:%s", layout_hex(m));
	SCOPE_FREE char *bad = str_dup(good, &e);
	SCOPE_FREE char *only = str_dupf(&e, "app@sha256:%s", layout_hex(m));

	layout_index(m);
	take("oci:layout", good, "localhost/app:1");
	bad[strlen(bad) - 1] = bad[strlen(bad) - 1] == '0' ? '1' : '0';
	refuse("oci:layout", bad, ERR_DIGEST, "what the name says");
	refuse("oci:layout", only, ERR_USAGE, "tag");
}
END_TEST

START_TEST(containerd_names_are_taken)
{
	SCOPE_FREE char *m =
		layout_image("amd64", "a",
			     ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"1.0\","
			     "\"io.containerd.image.name\":\"registry.example/team/app:1.0\"}");

	layout_index(m);
	take("oci:layout", NULL, "registry.example/team/app:1.0");
}
END_TEST

/* A signature artifact for the image in `m` with these payloads, each a letter. */
static char *signatures(const char *m, const char *letters, const char *prefix)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str layers = STR_INIT;
	SCOPE_FREE char *config = layout_blob(MEDIATYPE_CONFIG, "{}", 2, "");
	SCOPE_FREE char *more = str_dupf(
		&e, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%ssha256-%s.sig\"}",
		prefix, layout_hex(m));

	for (const char *p = letters; *p; p++) {
		SCOPE_FREE char *layer = layout_blob(
			MEDIATYPE_SIMPLESIGNING, p, 1,
			",\"annotations\":{\"dev.cosignproject.cosign/signature\":\"AAAA\"}");
		str_appendf(&layers, &e, "%s%s", p > letters ? "," : "", layer);
	}
	return layout_manifest(config, str_text(&layers), more);
}

static void check_signatures(const char *m, const char *artifact)
{
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE_FREE char *key = str_dupf(&e, "localhost/new:sha256-%s.sig", layout_hex(m));

	ck_assert_int_eq(refs_get(layouts_store, key, &d, &e), 1);
	check_hex(&d.digest, artifact);
}

START_TEST(signatures_follow_their_image)
{
	static const char *const prefixes[] = {"", "localhost/app:", "elsewhere.example/x:"};
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("localhost/app:1"));
	SCOPE_FREE char *sig = signatures(m, "p", prefixes[_i]);
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", sig, m);

	layout_index(both);
	pack("layout.tar");
	take("oci:layout", "new", "localhost/new:latest");
	check_signatures(m, sig);
	ck_assert_uint_eq(layouts_refs(), 2);
	take("oci-archive:layout.tar", "new:2", "localhost/new:2");
	ck_assert_uint_eq(layouts_refs(), 3);
}
END_TEST

START_TEST(signatures_of_the_store_are_never_lost)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("localhost/app:1"));
	SCOPE_FREE char *two = signatures(m, "pq", "");
	SCOPE_FREE char *index_two = str_dupf(&e, "%s,%s", m, two);
	SCOPE_FREE char *other = signatures(m, "pr", "");
	SCOPE_FREE char *index_other = str_dupf(&e, "%s,%s", m, other);
	SCOPE_FREE char *all = signatures(m, "rqp", "");
	SCOPE_FREE char *index_all = str_dupf(&e, "%s,%s", m, all);

	layout_index(index_two);
	take("oci:layout", "new", "localhost/new:latest");
	layout_index(index_other);
	take("oci:layout", "new", "localhost/new:latest");
	check_signatures(m, two);
	layout_index(index_all);
	take("oci:layout", "new", "localhost/new:latest");
	check_signatures(m, all);
}
END_TEST

START_TEST(an_artifact_is_no_image)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("app"));
	SCOPE_FREE char *sig = signatures(m, "p", "");
	SCOPE_FREE char *what = str_dupf(&e, "oci:layout:sha256-%s.sig", layout_hex(m));

	layout_index(sig);
	refuse("oci:layout", "x", ERR_NOT_FOUND, "no image");
	refuse(what, "x", ERR_FORMAT, "signature");
}
END_TEST

/* Layouts that are wrong, made from the layout of one good image. */
struct broken {
	const char *file; /* replaced by `text`; NULL text: removed */
	const char *text;
	enum err_code code;
	const char *word;
};

#define SHA_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENTRY(digest, size)                                                        \
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIATYPE_MANIFEST \
	"\",\"digest\":\"" digest "\",\"size\":" size "}]}"

static const struct broken broken_layouts[] = {
	{"oci-layout", NULL, ERR_FORMAT, "oci-layout"},
	{"oci-layout", "", ERR_FORMAT, "oci-layout"},
	{"oci-layout", "{}", ERR_FORMAT, "imageLayoutVersion"},
	{"oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}", ERR_UNSUPPORTED, "version '2.0.0'"},
	{"oci-layout", "{\"imageLayoutVersion\":2}", ERR_FORMAT, "imageLayoutVersion"},
	{"index.json", NULL, ERR_FORMAT, "index.json"},
	{"index.json", "garbage", ERR_FORMAT, "index"},
	{"index.json", "[]", ERR_FORMAT, "index"},
	{"index.json", "{\"schemaVersion\":2,\"manifests\":[]}", ERR_NOT_FOUND, "no image"},
	{"index.json", "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", ERR_FORMAT,
	 "layers"},
	{"index.json", ENTRY("sha256:../../../../etc/passwd", "7"), ERR_FORMAT, "digest"},
	{"index.json", ENTRY("md5:d41d8cd98f00b204e9800998ecf8427e", "7"), ERR_FORMAT, "md5"},
	{"index.json", ENTRY("sha256:" SHA_64, "7"), ERR_NOT_FOUND, SHA_64},
	{"index.json", ENTRY("sha256:" SHA_64, "99999999999"), ERR_LIMIT, "document"},
};

START_TEST(refuses_broken_layouts)
{
	const struct broken *b = &broken_layouts[_i];
	char path[64];
	SCOPE_FREE char *m = layout_image("amd64", "a", "");

	layout_index(m);
	snprintf(path, sizeof(path), "layout/%s", b->file);
	ck_assert_int_eq(unlinkat(scratch_fd(), path, 0), 0);
	if (b->text)
		scratch_write(path, b->text);
	pack("layout.tar");
	refuse("oci:layout", "x", b->code, b->word);
	refuse("oci-archive:layout.tar", "x", b->code, b->word);
}
END_TEST

START_TEST(refuses_links_and_fifos_in_a_layout)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	SCOPE_FREE char *blob = str_dupf(&e, "layout/blobs/sha256/%s", layout_hex(m));

	layout_index(m);
	ck_assert_int_eq(renameat(scratch_fd(), blob, scratch_fd(), "elsewhere"), 0);
	ck_assert_int_eq(symlinkat("../../../elsewhere", scratch_fd(), blob), 0);
	refuse("oci:layout", "x", ERR_FORMAT, "symbolic link");
	ck_assert_int_eq(unlinkat(scratch_fd(), blob, 0), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd(), blob, 0644), 0);
	refuse("oci:layout", "x", ERR_FORMAT, "regular file");
	ck_assert_int_eq(unlinkat(scratch_fd(), blob, 0), 0);
	ck_assert_int_eq(renameat(scratch_fd(), "elsewhere", scratch_fd(), blob), 0);

	ck_assert_int_eq(renameat(scratch_fd(), "layout/blobs", scratch_fd(), "blobs"), 0);
	ck_assert_int_eq(symlinkat("../blobs", scratch_fd(), "layout/blobs"), 0);
	refuse("oci:layout", "x", ERR_FORMAT, "symbolic link");
	ck_assert_int_eq(unlinkat(scratch_fd(), "layout/blobs", 0), 0);
	ck_assert_int_eq(renameat(scratch_fd(), "blobs", scratch_fd(), "layout/blobs"), 0);

	ck_assert_int_eq(renameat(scratch_fd(), "layout/index.json", scratch_fd(), "index"), 0);
	ck_assert_int_eq(symlinkat("../index", scratch_fd(), "layout/index.json"), 0);
	refuse("oci:layout", "x", ERR_FORMAT, "symbolic link");
	ck_assert_int_eq(unlinkat(scratch_fd(), "layout/index.json", 0), 0);
	ck_assert_int_eq(renameat(scratch_fd(), "index", scratch_fd(), "layout/index.json"), 0);
	take("oci:layout", "x", "localhost/x:latest");
}
END_TEST

START_TEST(refuses_blobs_with_other_bytes)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	SCOPE_FREE char *blob = str_dupf(&e, "layout/blobs/sha256/%s", layout_hex(m));
	SCOPE(str) struct str tar = STR_INIT;

	layout_index(m);
	layout_tar("a", &tar);
	SCOPE_FREE char *layer = layout_blob(MEDIATYPE_LAYER, tar.data, tar.len, "");
	SCOPE_FREE char *layer_blob = str_dupf(&e, "layout/blobs/sha256/%s", layout_hex(layer));
	tar.data[600] ^= 1;
	layout_write(layer_blob, tar.data, tar.len);
	pack("layout.tar");
	refuse("oci:layout", "x", ERR_DIGEST, layout_hex(layer));
	refuse("oci-archive:layout.tar", "x", ERR_DIGEST, layout_hex(layer));
	layout_write(layer_blob, tar.data, tar.len - 1);
	pack("layout.tar");
	refuse("oci:layout", "x", ERR_DIGEST, "bytes");
	refuse("oci-archive:layout.tar", "x", ERR_DIGEST, "digest");
	tar.data[600] ^= 1;
	layout_write(layer_blob, tar.data, tar.len);
	layout_write(blob, "{}", 2);
	pack("layout.tar");
	refuse("oci:layout", "x", ERR_DIGEST, layout_hex(m));
	refuse("oci-archive:layout.tar", "x", ERR_DIGEST, layout_hex(m));
}
END_TEST

/* An image whose documents are right, but do not belong together. */
static void refuse_image(const char *config_text, const char *layers, enum err_code code,
			 const char *word)
{
	SCOPE_FREE char *config =
		layout_blob(MEDIATYPE_CONFIG, config_text, strlen(config_text), "");
	SCOPE_FREE char *m = layout_manifest(config, layers, "");

	layout_index(m);
	pack("layout.tar");
	refuse("oci:layout", "x", code, word);
	refuse("oci-archive:layout.tar", "x", code, word);
}

START_TEST(refuses_layers_that_are_not_those_of_the_config)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str tar = STR_INIT;

	layout_tar("a", &tar);
	SCOPE_FREE char *layer = layout_blob(MEDIATYPE_LAYER, tar.data, tar.len, "");
	SCOPE_FREE char *two = str_dupf(&e, "%s,%s", layer, layer);
	SCOPE_FREE char *good = str_dupf(
		&e,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"sha256:%s\"]}}",
		layout_hex(layer));

	refuse_image("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		     "\"diff_ids\":[\"sha256:" SHA_64 "\"]}}",
		     layer, ERR_DIGEST, "layer 1");
	refuse_image(good, two, ERR_DIGEST, "1 diff_ids for 2 layers");
	refuse_image(good, "", ERR_DIGEST, "1 diff_ids for 0 layers");
	refuse_image("{}", layer, ERR_FORMAT, "config");
	/* A layer that is no tar. */
	SCOPE_FREE char *bad = layout_blob(MEDIATYPE_LAYER, "bad", 3, "");
	refuse_image(good, bad, ERR_FORMAT, "layer 1");
	SCOPE_FREE char *gzip = layout_blob(MEDIATYPE_LAYER_GZIP, tar.data, tar.len, "");
	refuse_image(good, gzip, ERR_FORMAT, "layer 1");
}
END_TEST

START_TEST(refuses_documents_of_two_kinds)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *config = layout_blob(MEDIATYPE_CONFIG, "{}", 2, "");
	SCOPE_FREE char *doc = str_dupf(
		&e, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[],\"manifests\":[]}", config);
	SCOPE_FREE char *m = layout_blob(MEDIATYPE_MANIFEST, doc, strlen(doc), "");

	layout_index(m);
	refuse("oci:layout", "x", ERR_FORMAT, "manifests");
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), "");
	layout_index(ix);
	refuse("oci:layout", "x", ERR_FORMAT, "config");
}
END_TEST

START_TEST(refuses_an_index_inside_of_an_index)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	SCOPE_FREE char *doc = str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s]}", m);
	SCOPE_FREE char *inner = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), "");
	SCOPE_FREE char *outer_doc =
		str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s]}", inner);
	SCOPE_FREE char *outer = layout_blob(MEDIATYPE_INDEX, outer_doc, strlen(outer_doc), "");

	layout_index(outer);
	refuse("oci:layout", "x", ERR_UNSUPPORTED, "index inside");
	SCOPE_FREE char *none =
		layout_blob(MEDIATYPE_INDEX, "{\"schemaVersion\":2,\"manifests\":[]}", 34, "");
	layout_index(none);
	refuse("oci:layout", "x", ERR_FORMAT, "names no image");
}
END_TEST

START_TEST(refuses_archives_that_are_none)
{
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	const char *const twice[] = {
		"tar",        "-C",         "layout",     "-cf",   "twice.tar",
		"oci-layout", "index.json", "index.json", "blobs", "--hard-dereference",
		NULL};

	layout_index(m);
	scratch_write("text", "this is no archive, just some text that is long enough\n");
	refuse("oci-archive:text", "x", ERR_FORMAT, "text");
	refuse("docker-archive:text", "x", ERR_FORMAT, "text");
	refuse("oci-archive:none", "x", ERR_NOT_FOUND, "no such file");
	refuse("oci-archive:layout", "x", ERR_USAGE, "oci:");
	refuse("oci:text", "x", ERR_USAGE, "oci-archive:");
	refuse("oci:none", "x", ERR_NOT_FOUND, "no such directory");
	ck_assert_int_eq(mkfifoat(scratch_fd(), "fifo", 0644), 0);
	refuse("oci-archive:fifo", "x", ERR_UNSUPPORTED, "regular");
	layouts_run(twice);
	refuse("oci-archive:twice.tar", "x", ERR_FORMAT, "twice");
	pack("layout.tar");
	refuse("docker-archive:layout.tar", "x", ERR_FORMAT, "manifest.json");
}
END_TEST

START_TEST(names_in_an_archive_lead_nowhere)
{
	const char *const hostile[] = {
		"tar",   "-C",          "layout",      "-P",
		"-cf",   "hostile.tar", "--transform", "s,^extra,../../escaped,",
		"extra", "link",        "oci-layout",  "index.json",
		"blobs", NULL};
	SCOPE_FREE char *m = layout_image("amd64", "a", "");

	layout_index(m);
	scratch_write("layout/extra", "x");
	ck_assert_int_eq(symlinkat("/etc/passwd", scratch_fd(), "layout/link"), 0);
	layouts_run(hostile);
	take("oci-archive:hostile.tar", "x", "localhost/x:latest");
	ck_assert_int_ne(access(scratch_file("../escaped"), F_OK), 0);
	ck_assert_int_ne(access(scratch_file("escaped"), F_OK), 0);
}
END_TEST

/* failalloc_each: no assertion in it, because those allocate. */
static int import_again(void *arg, struct err *e)
{
	const struct import_options opt = {.tag = "x", .platform = &amd64, .level = 1};
	struct import_result r = {.name = NULL};
	const int result = import_run(layouts_store, arg, &opt, &r, e);

	import_result_fini(&r);
	return result;
}

static const struct {
	enum import_kind kind;
	const char *path;
} short_of_memory[] = {
	{IMPORT_OCI, "layout"},
	{IMPORT_DIR, "layout"},
	{IMPORT_ROOTFS, "layout.tar"},
};

START_TEST(runs_out_of_memory_cleanly)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *path = str_dup(scratch_file(short_of_memory[_i].path), &e);
	struct import_source src = {short_of_memory[_i].kind, path, NULL};
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("app"));
	SCOPE_FREE char *sig = signatures(m, "p", "");
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", m, sig);

	layout_index(both);
	pack("layout.tar");
	failalloc_each(import_again, &src);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/import");
	TCase *tc = tcase_create("layouts");

	tcase_add_checked_fixture(tc, layouts_setup, layouts_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, takes_the_only_image, 0, 2);
	tcase_add_loop_test(tc, keeps_an_index_whole, 0, 2);
	tcase_add_loop_test(tc, names_the_platform_that_is_missing, 0, 2);
	tcase_add_test(tc, attestations_come_along);
	tcase_add_test(tc, chooses_by_name);
	tcase_add_test(tc, a_name_has_one_meaning);
	tcase_add_test(tc, a_source_without_a_name_needs_a_tag);
	tcase_add_test(tc, a_digest_in_the_tag_must_be_right);
	tcase_add_test(tc, containerd_names_are_taken);
	tcase_add_loop_test(tc, signatures_follow_their_image, 0, 3);
	tcase_add_test(tc, signatures_of_the_store_are_never_lost);
	tcase_add_test(tc, an_artifact_is_no_image);
	suite_add_tcase(s, tc);

	tc = tcase_create("memory");
	tcase_add_checked_fixture(tc, layouts_setup, layouts_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, runs_out_of_memory_cleanly, 0, ARRAY_LEN(short_of_memory));
	suite_add_tcase(s, tc);

	tc = tcase_create("broken");
	tcase_add_checked_fixture(tc, layouts_setup, layouts_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, refuses_broken_layouts, 0, ARRAY_LEN(broken_layouts));
	tcase_add_test(tc, refuses_links_and_fifos_in_a_layout);
	tcase_add_test(tc, refuses_blobs_with_other_bytes);
	tcase_add_test(tc, refuses_layers_that_are_not_those_of_the_config);
	tcase_add_test(tc, refuses_documents_of_two_kinds);
	tcase_add_test(tc, refuses_an_index_inside_of_an_index);
	tcase_add_test(tc, refuses_archives_that_are_none);
	tcase_add_test(tc, names_in_an_archive_lead_nowhere);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
