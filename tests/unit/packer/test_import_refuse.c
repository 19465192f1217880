/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts and archives that are not what they say. */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "image/mediatype.h"
#include "image/seek_table.h"
#include "main.h"
#include "packer/layer_text.h"
#include "packer/layouts.h"
#include "tests/support/scratch.h"

/* Layouts that are wrong, made from the layout of one good image. */
struct broken {
	const char *file; /* replaced by `text`; NULL text: removed */
	const char *text;
	enum err_code code;
	const char *word;
};

#define NAMED(name) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
#define SHA_64      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENTRY(digest, size)                                                        \
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIATYPE_MANIFEST \
	"\",\"digest\":\"" digest "\",\"size\":" size "}]}"

static const struct broken broken_layouts[] = {
	{"oci-layout", NULL, ERR_FORMAT, "no file oci-layout"},
	{"oci-layout", "", ERR_FORMAT, "oci-layout"},
	{"oci-layout", "{}", ERR_FORMAT, "imageLayoutVersion"},
	{"oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}", ERR_UNSUPPORTED, "version '2.0.0'"},
	{"oci-layout", "{\"imageLayoutVersion\":2}", ERR_FORMAT, "imageLayoutVersion"},
	{"index.json", NULL, ERR_FORMAT, "no file index.json"},
	{"index.json", "garbage", ERR_FORMAT, "index"},
	{"index.json", "[]", ERR_FORMAT, "index"},
	{"index.json", "{\"schemaVersion\":2,\"manifests\":[]}", ERR_NOT_FOUND, "no image"},
	{"index.json", "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", ERR_FORMAT,
	 "layers"},
	{"index.json", ENTRY("sha256:../../../../etc/passwd", "7"), ERR_FORMAT, "digest"},
	{"index.json", ENTRY("md5:d41d8cd98f00b204e9800998ecf8427e", "7"), ERR_FORMAT, "md5"},
	{"index.json", ENTRY("sha256:" SHA_64, "7"), ERR_FORMAT, SHA_64},
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
	layouts_pack("layout.tar");
	layouts_refuse("oci:layout", "x", b->code, b->word);
	layouts_refuse("oci-archive:layout.tar", "x", b->code, b->word);
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
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "symbolic link");
	ck_assert_int_eq(unlinkat(scratch_fd(), blob, 0), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd(), blob, 0644), 0);
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "regular file");
	ck_assert_int_eq(unlinkat(scratch_fd(), blob, 0), 0);
	ck_assert_int_eq(renameat(scratch_fd(), "elsewhere", scratch_fd(), blob), 0);

	ck_assert_int_eq(renameat(scratch_fd(), "layout/blobs", scratch_fd(), "blobs"), 0);
	ck_assert_int_eq(symlinkat("../blobs", scratch_fd(), "layout/blobs"), 0);
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "symbolic link");
	ck_assert_int_eq(unlinkat(scratch_fd(), "layout/blobs", 0), 0);
	ck_assert_int_eq(renameat(scratch_fd(), "blobs", scratch_fd(), "layout/blobs"), 0);

	ck_assert_int_eq(renameat(scratch_fd(), "layout/index.json", scratch_fd(), "index"), 0);
	ck_assert_int_eq(symlinkat("../index", scratch_fd(), "layout/index.json"), 0);
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "symbolic link");
	ck_assert_int_eq(unlinkat(scratch_fd(), "layout/index.json", 0), 0);
	ck_assert_int_eq(renameat(scratch_fd(), "index", scratch_fd(), "layout/index.json"), 0);
	layouts_take("oci:layout", "x", "localhost/x:latest");
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
	layouts_pack("layout.tar");
	layouts_refuse("oci:layout", "x", ERR_DIGEST, layout_hex(layer));
	layouts_refuse("oci-archive:layout.tar", "x", ERR_DIGEST, layout_hex(layer));
	layout_write(layer_blob, tar.data, tar.len - 1);
	layouts_pack("layout.tar");
	/* By its size, before anything is read. */
	SCOPE_FREE char *word = str_dupf(&e, "'%s' has %zu bytes, not %zu",
					 layer_blob + strlen("layout/"), tar.len - 1, tar.len);
	layouts_refuse("oci:layout", "x", ERR_DIGEST, word);
	layouts_refuse("oci-archive:layout.tar", "x", ERR_DIGEST, "digest");
	tar.data[600] ^= 1;
	layout_write(layer_blob, tar.data, tar.len);
	layout_write(blob, "{}", 2);
	layouts_pack("layout.tar");
	layouts_refuse("oci:layout", "x", ERR_DIGEST, layout_hex(m));
	layouts_refuse("oci-archive:layout.tar", "x", ERR_DIGEST, layout_hex(m));
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
	layouts_pack("layout.tar");
	layouts_refuse("oci:layout", "x", code, word);
	layouts_refuse("oci-archive:layout.tar", "x", code, word);
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

/* Frames of a layer, and behind them an index that gives its file another mode. */
static void forge_layer(struct str *out, struct layer_result *r)
{
	const struct layer_options opt = {{FRAME_ZSTD, 1}, 0};
	struct err e = ERR_INIT;
	struct entry en = {.path = "file", .path_len = 4, .kind = ENTRY_REG, .mode = 0644};
	SCOPE_FD int fd = layer_file();
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	SCOPE(str) struct str index = STR_INIT;

	layer_writer_add(w, &en, NULL, &e);
	layer_writer_finish(w, r, &e);
	SCOPE(layer_index) struct layer_index *ix = layer_file_index(fd, r);
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	layer_index_entry(ix, 0, &scratch, &en, &e);
	en.mode = 04755;
	layer_index_builder_add(b, &en, &e);
	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame f = layer_index_frame(ix, i);
		layer_index_builder_add_frame(b, &f, &e);
	}
	layer_index_builder_encode(b, FRAME_ZSTD, &r->diff_id, r->tar_size, &index, &e);
	str_append_zeros(out, r->index_offset - SKIPPABLE_HEADER_SIZE, &e);
	ck_assert_int_ge(pread(fd, out->data, out->len, 0), 0);
	skippable_header_append(out, SKIPPABLE_MAGIC_LAYER_INDEX, (uint32_t)index.len, &e);
	r->index = hasher_sha256(index.data, index.len);
	r->index_size = index.len;
	str_append(out, index.data, index.len, &e);
	ck_assert_no_err(&e);
}

START_TEST(refuses_an_index_that_tells_another_tree)
{
	struct err e = ERR_INIT;
	struct layer_result r;
	SCOPE(str) struct str blob = STR_INIT;
	char index[DIGEST_STR_MAX], diff_id[DIGEST_STR_MAX];

	forge_layer(&blob, &r);
	SCOPE_FREE char *more = str_dupf(
		&e,
		",\"annotations\":{\"" LAYER_INDEX_DIGEST_KEY "\":\"%s\",\"" LAYER_INDEX_OFFSET_KEY
		"\":\"%" PRIu64 "\",\"" LAYER_INDEX_SIZE_KEY "\":\"%" PRIu64 "\"}",
		digest_format(&r.index, index), r.index_offset, r.index_size);
	SCOPE_FREE char *layer = layout_blob(MEDIATYPE_LAYER_ZSTD, blob.data, blob.len, more);
	SCOPE_FREE char *plain = layout_blob(MEDIATYPE_LAYER_ZSTD, blob.data, blob.len, "");
	SCOPE_FREE char *text = str_dupf(
		&e,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"%s\"]}}",
		digest_format(&r.diff_id, diff_id));
	SCOPE_FREE char *config = layout_blob(MEDIATYPE_CONFIG, text, strlen(text), "");
	SCOPE_FREE char *lie = layout_manifest(config, layer, "");
	SCOPE_FREE char *truth = layout_manifest(config, plain, "");

	layout_index(truth);
	layouts_take("oci:layout", "x", "localhost/x:latest");
	layout_index(lie);
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "layer 1");
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
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "manifests");
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), "");
	layout_index(ix);
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "config");
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
	layouts_refuse("oci:layout", "x", ERR_UNSUPPORTED, "index inside");
	SCOPE_FREE char *none =
		layout_blob(MEDIATYPE_INDEX, "{\"schemaVersion\":2,\"manifests\":[]}", 34, "");
	layout_index(none);
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "names no image");
}
END_TEST

START_TEST(refuses_archives_that_are_none)
{
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	const char *const doubled[] = {
		"tar",        "-C",         "layout",     "-cf",   "double.tar",
		"oci-layout", "index.json", "index.json", "blobs", "--hard-dereference",
		NULL};

	layout_index(m);
	scratch_write("text", "this is no archive, just some text that is long enough\n");
	layouts_refuse("oci-archive:text", "x", ERR_FORMAT, "text");
	layouts_refuse("docker-archive:text", "x", ERR_FORMAT, "text");
	layouts_refuse("oci-archive:none", "x", ERR_NOT_FOUND, "no such file");
	layouts_refuse("oci-archive:layout", "x", ERR_USAGE, "oci:");
	layouts_refuse("oci:text", "x", ERR_USAGE, "oci-archive:");
	layouts_refuse("oci:none", "x", ERR_NOT_FOUND, "no such directory");
	ck_assert_int_eq(mkfifoat(scratch_fd(), "fifo", 0644), 0);
	layouts_refuse("oci-archive:fifo", "x", ERR_UNSUPPORTED, "regular");
	layouts_run(doubled);
	layouts_refuse("oci-archive:double.tar", "x", ERR_FORMAT, "twice");
	layouts_pack("layout.tar");
	layouts_refuse("docker-archive:layout.tar", "x", ERR_FORMAT, "no file 'manifest.json'");
}
END_TEST

/* Shell commands that make "x" of an archive that is good. */
static const struct {
	const char *command;
	enum err_code code;
	const char *word;
} wrapped[] = {
	{"{ gzip -c layout.tar; printf garbage; } >x", ERR_FORMAT,
	 "garbage after the compressed data"},
	{"gzip -c layout.tar | gzip -c >x", ERR_UNSUPPORTED, "compressed more than once"},
	{"{ cat layout.tar; printf x; } >x", ERR_FORMAT, "data after the end of the archive"},
	{"{ cat layout.tar; head -c 100000000 /dev/zero; } | xz -0c >x", ERR_LIMIT,
	 "expands more than 1000 times"},
	{"head -c 5000000 /dev/zero | tr '\\0' ' ' >>layout/oci-layout;"
	 "tar -C layout -cf x .",
	 ERR_LIMIT, "'oci-layout' has more than 4194304 bytes"},
};

START_TEST(refuses_what_a_good_archive_is_wrapped_in)
{
	const char *const shell[] = {"sh", "-c", wrapped[_i].command, NULL};
	SCOPE_FREE char *m = layout_image("amd64", "a", "");

	layout_index(m);
	layouts_pack("layout.tar");
	layouts_run(shell);
	layouts_refuse("oci-archive:x", "x", wrapped[_i].code, wrapped[_i].word);
}
END_TEST

/* All that the image would need is there: what comes first is what is wrong. */
START_TEST(refuses_a_config_that_is_no_document)
{
	SCOPE(str) struct str tar = STR_INIT;

	layout_tar("a", &tar);
	SCOPE_FREE char *layer = layout_blob(MEDIATYPE_LAYER, tar.data, tar.len, "");
	SCOPE_FREE char *m =
		layout_manifest("{\"mediaType\":\"" MEDIATYPE_CONFIG
				"\",\"digest\":\"sha256:" SHA_64 "\",\"size\":4194305}",
				layer, "");
	layout_index(m);
	layouts_refuse("oci:layout", "x", ERR_LIMIT, "config of more than 4194304 bytes");
}
END_TEST

START_TEST(refuses_what_is_neither_a_manifest_nor_an_index)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	SCOPE_FREE char *config = layout_blob(MEDIATYPE_CONFIG, "{}", 2, NAMED("odd"));
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", config, m);
	SCOPE_FREE char *doc = str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s]}", both);
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), "");

	layout_index(both);
	layouts_refuse("oci:layout:odd", "x", ERR_UNSUPPORTED,
		       "is neither a manifest nor an index");
	layout_index(ix);
	layouts_refuse("oci:layout", "x", ERR_FORMAT, "'" MEDIATYPE_CONFIG "' is no manifest");
}
END_TEST

START_TEST(files_beside_the_blobs_are_none)
{
	static const char zeros[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	char path[192];

	layout_index(m);
	/* As long as "blobs/", and named as a blob of other bytes. */
	ck_assert_int_eq(mkdirat(scratch_fd(), "layout/other", 0755), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "layout/other/sha256", 0755), 0);
	snprintf(path, sizeof(path), "layout/other/sha256/%s", zeros);
	scratch_write(path, "x");
	scratch_write("layout/blobs/readme", "x");
	snprintf(path, sizeof(path), "layout/blobs/sha256/%s%s", zeros, zeros);
	scratch_write(path, "x");
	layouts_pack("layout.tar");
	layouts_take("oci-archive:layout.tar", "x", "localhost/x:latest");
}
END_TEST

START_TEST(names_in_an_archive_lead_nowhere)
{
	const char *const climbing[] = {
		"tar",   "-C",          "layout",      "-P",
		"-cf",   "hostile.tar", "--transform", "s,^extra,../../escaped,",
		"extra", "link",        "oci-layout",  "index.json",
		"blobs", NULL};
	const char *const absolute[] = {"tar",   "-C",          "layout",      "-P",
					"-cf",   "hostile.tar", "--transform", "s,^extra,/escaped,",
					"extra", "link",        "oci-layout",  "index.json",
					"blobs", NULL};
	SCOPE_FREE char *m = layout_image("amd64", "a", "");

	layout_index(m);
	scratch_write("layout/extra", "x");
	ck_assert_int_eq(symlinkat("/etc/passwd", scratch_fd(), "layout/link"), 0);
	layouts_run(climbing);
	layouts_refuse("oci-archive:hostile.tar", "x", ERR_FORMAT, "'..' component");
	layouts_run(absolute);
	layouts_take("oci-archive:hostile.tar", "x", "localhost/x:latest");
	ck_assert_int_ne(access(scratch_file("../escaped"), F_OK), 0);
	ck_assert_int_ne(access(scratch_file("escaped"), F_OK), 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/import_refuse");
	TCase *tc = tcase_create("broken");
	tcase_add_checked_fixture(tc, layouts_setup, layouts_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, refuses_broken_layouts, 0, ARRAY_LEN(broken_layouts));
	tcase_add_test(tc, refuses_links_and_fifos_in_a_layout);
	tcase_add_test(tc, refuses_blobs_with_other_bytes);
	tcase_add_test(tc, refuses_layers_that_are_not_those_of_the_config);
	tcase_add_test(tc, refuses_an_index_that_tells_another_tree);
	tcase_add_test(tc, refuses_documents_of_two_kinds);
	tcase_add_test(tc, refuses_an_index_inside_of_an_index);
	tcase_add_test(tc, refuses_archives_that_are_none);
	tcase_add_loop_test(tc, refuses_what_a_good_archive_is_wrapped_in, 0, ARRAY_LEN(wrapped));
	tcase_add_test(tc, refuses_a_config_that_is_no_document);
	tcase_add_test(tc, refuses_what_is_neither_a_manifest_nor_an_index);
	tcase_add_test(tc, files_beside_the_blobs_are_none);
	tcase_add_test(tc, names_in_an_archive_lead_nowhere);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
