/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/export_rewrite.h"

#include "base/hasher.h"
#include "base/limits.h"
#include "image/mediatype.h"
#include "main.h"
#include "tests/support/failalloc.h"

#define OLD    "\"sha256:" OLD_HEX "\""
#define NEW    "\"sha256:" NEW_HEX "\""
#define DOCKER "application/vnd.docker."

/* sha256sum of "old" and of "new". */
#define OLD_HEX "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4"
#define NEW_HEX "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"

/* What an old descriptor turns into: gzip, 3 bytes, and an annotation. */
static void make_new(const char *text, const char *type, struct descriptor *out)
{
	struct err e = ERR_INIT;
	const struct digest d = hasher_sha256(text, strlen(text));

	ck_assert_int_eq(descriptor_set(out, type, &d, strlen(text), &e), 0);
}

static void make_text(const char *text, struct str *out)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_append(out, text, strlen(text), &e), 0);
}

static const struct {
	const char *what;
	const char *layer; /* of the old manifest */
	const char *want;  /* of the new one */
} layers[] = {
	{"type, digest and size",
	 "{\"mediaType\":\"" MEDIATYPE_LAYER_ZSTD "\",\"digest\":" OLD ",\"size\":99}",
	 "{\"digest\":" NEW ",\"mediaType\":\"" MEDIATYPE_LAYER_GZIP "\",\"size\":3}"},
	{"members and annotations that say nothing of the bytes stay",
	 "{\"mediaType\":\"" MEDIATYPE_LAYER "\",\"digest\":" OLD
	 ",\"size\":99,\"annotations\":{\"z\":\"1\",\"io.shale.note\":\"kept\"},\"x-more\":[1.5,"
	 "null]}",
	 "{\"annotations\":{\"io.shale.note\":\"kept\",\"z\":\"1\"},\"digest\":" NEW
	 ",\"mediaType\":\"" MEDIATYPE_LAYER_GZIP "\",\"size\":3,\"x-more\":[1.5,null]}"},
	{"those that do go",
	 "{\"mediaType\":\"" MEDIATYPE_LAYER_ZSTD "\",\"digest\":" OLD
	 ",\"size\":99,\"urls\":[\"http://x\"],\"data\":\"AAAA\",\"annotations\":{"
	 "\"io.shale.layer-index.digest\":\"1\",\"io.shale.layer-index.offset\":\"2\","
	 "\"io.shale.layer-index.size\":\"3\",\"containerd.io/snapshot/stargz/toc.digest\":\"4\","
	 "\"io.containers.estargz.uncompressed-size\":\"5\","
	 "\"io.github.containers.zstd-chunked.manifest-checksum\":\"6\","
	 "\"io.containers.zstd-chunked.manifest-position\":\"7\",\"kept\":\"8\"}}",
	 "{\"annotations\":{\"kept\":\"8\"},\"digest\":" NEW
	 ",\"mediaType\":\"" MEDIATYPE_LAYER_GZIP "\",\"size\":3}"},
	{"no annotations are left",
	 "{\"mediaType\":\"" MEDIATYPE_LAYER_ZSTD "\",\"digest\":" OLD
	 ",\"size\":99,\"annotations\":{\"io.shale.layer-index.size\":\"3\"}}",
	 "{\"digest\":" NEW ",\"mediaType\":\"" MEDIATYPE_LAYER_GZIP "\",\"size\":3}"},
	{"null annotations",
	 "{\"mediaType\":\"" MEDIATYPE_LAYER_ZSTD "\",\"digest\":" OLD
	 ",\"size\":99,\"annotations\":null}",
	 "{\"digest\":" NEW ",\"mediaType\":\"" MEDIATYPE_LAYER_GZIP "\",\"size\":3}"},
};

#define HEAD(type, config) \
	"{\"config\":{\"digest\":" OLD ",\"mediaType\":\"" config "\",\"size\":7},\"layers\":["
#define TAIL(type) "],\"mediaType\":\"" type "\",\"schemaVersion\":2,\"x\":{\"unknown\":true}}"

START_TEST(a_layer_is_replaced)
{
	SCOPE(descriptor) struct descriptor new = DESCRIPTOR_INIT;
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str want = STR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	make_new("new", MEDIATYPE_LAYER_GZIP, &new);
	make_text(HEAD(MEDIATYPE_MANIFEST, MEDIATYPE_CONFIG), &old);
	make_text(layers[_i].layer, &old);
	make_text(TAIL(MEDIATYPE_MANIFEST), &old);
	make_text(HEAD(MEDIATYPE_MANIFEST, MEDIATYPE_CONFIG), &want);
	make_text(layers[_i].want, &want);
	make_text(TAIL(MEDIATYPE_MANIFEST), &want);
	ck_assert_int_eq(export_rewrite_manifest(&old, &new, 1, &got, &e), 1);
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&got), str_text(&want));
}
END_TEST

START_TEST(annotations_are_added)
{
	SCOPE(descriptor) struct descriptor new = DESCRIPTOR_INIT;
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	make_new("new", MEDIATYPE_LAYER_ZSTD, &new);
	ck_assert_int_eq(strmap_set(&new.annotations, "io.shale.layer-index.size", "5", &e), 0);
	make_text(HEAD(MEDIATYPE_MANIFEST, MEDIATYPE_CONFIG), &old);
	make_text(layers[_i].layer, &old);
	make_text(TAIL(MEDIATYPE_MANIFEST), &old);
	ck_assert_int_eq(export_rewrite_manifest(&old, &new, 1, &got, &e), 1);
	ck_assert_ptr_nonnull(strstr(str_text(&got), "\"io.shale.layer-index.size\":\"5\""));
}
END_TEST

/* Docker's types, and a layer that stays: it keeps its place to be fetched from. */
START_TEST(a_manifest_that_changes_is_of_oci)
{
	struct descriptor new[2] = {DESCRIPTOR_INIT, DESCRIPTOR_INIT};
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	make_new("new", MEDIATYPE_LAYER_GZIP, &new[1]);
	make_text(
		HEAD(MEDIATYPE_DOCKER_MANIFEST,
		     MEDIATYPE_DOCKER_CONFIG) "{\"mediaType\":\"" MEDIATYPE_DOCKER_FOREIGN_GZIP
					      "\",\"digest\":" OLD
					      ",\"size\":99,\"urls\":[\"http://"
					      "x\"]},{\"mediaType\":\"" MEDIATYPE_DOCKER_LAYER_GZIP
					      "\",\"digest\":" OLD
					      ",\"size\":99}" TAIL(MEDIATYPE_DOCKER_MANIFEST),
		&old);
	ck_assert_int_eq(export_rewrite_manifest(&old, new, 2, &got, &e), 1);
	ck_assert_str_eq(
		str_text(&got),
		HEAD(MEDIATYPE_MANIFEST,
		     MEDIATYPE_CONFIG) "{\"digest\":" OLD ",\"mediaType\":\"" MEDIATYPE_FOREIGN_GZIP
				       "\",\"size\":99,\"urls\":[\"http://x\"]},{\"digest\":" NEW
				       ",\"mediaType\":\"" MEDIATYPE_LAYER_GZIP
				       "\",\"size\":3}" TAIL(MEDIATYPE_MANIFEST));
	descriptor_fini(&new[1]);
}
END_TEST

/* Not canonical, and docker's: nothing of that is touched. */
static const char *const unchanged[] = {
	"{ \"layers\": [ {\"size\": 3, \"digest\": " NEW ", \"mediaType\": \"" MEDIATYPE_LAYER_GZIP
	"\"} ], \"mediaType\": \"" MEDIATYPE_DOCKER_MANIFEST "\" }",
};

START_TEST(what_says_the_same_stays)
{
	SCOPE(descriptor) struct descriptor new = DESCRIPTOR_INIT;
	struct descriptor none = DESCRIPTOR_INIT;
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str empty = STR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	make_new("new", MEDIATYPE_LAYER_GZIP, &new);
	make_text(unchanged[0], &old);
	ck_assert_int_eq(export_rewrite_manifest(&old, &new, 1, &got, &e), 0);
	ck_assert_int_eq(export_rewrite_manifest(&old, &none, 1, &got, &e), 0);
	make_text("{\"layers\":null,\"manifests\":null}", &empty);
	ck_assert_int_eq(export_rewrite_manifest(&empty, NULL, 0, &got, &e), 0);
	ck_assert_int_eq(export_rewrite_index(&empty, NULL, 0, &got, &e), 0);
	ck_assert_uint_eq(got.len, 0);
}
END_TEST

/* The platform, what is said of an entry, and the entry that stays. */
START_TEST(an_index_keeps_what_is_no_digest)
{
	struct descriptor new[2] = {DESCRIPTOR_INIT, DESCRIPTOR_INIT};
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	make_new("new", MEDIATYPE_MANIFEST, &new[0]);
	make_text("{\"schemaVersion\":2,\"annotations\":{\"a\":\"b\"},\"mediaType\":"
		  "\"" MEDIATYPE_DOCKER_LIST
		  "\",\"manifests\":[{\"mediaType\":\"" MEDIATYPE_DOCKER_MANIFEST
		  "\",\"digest\":" OLD
		  ",\"size\":99,\"data\":\"AAAA\",\"annotations\":{\"c\":\"d\"},"
		  "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"x\":1}},"
		  "{\"mediaType\":\"" MEDIATYPE_DOCKER_MANIFEST "\",\"digest\":" OLD
		  ",\"size\":99,\"data\":\"AAAA\"}]}",
		  &old);
	ck_assert_int_eq(export_rewrite_index(&old, new, 2, &got, &e), 1);
	ck_assert_str_eq(
		str_text(&got),
		"{\"annotations\":{\"a\":\"b\"},\"manifests\":[{\"annotations\":{\"c\":\"d\"},"
		"\"digest\":" NEW ",\"mediaType\":\"" MEDIATYPE_MANIFEST
		"\",\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\",\"x\":1},\"size\":3},"
		"{\"data\":\"AAAA\",\"digest\":" OLD ",\"mediaType\":\"" MEDIATYPE_DOCKER_MANIFEST
		"\",\"size\":99}],\"mediaType\":\"" MEDIATYPE_INDEX "\",\"schemaVersion\":2}");
	descriptor_fini(&new[0]);
}
END_TEST

/* A manifest that was as long as one may be, and becomes longer. */
START_TEST(a_document_that_would_be_too_long_is_refused)
{
	SCOPE(descriptor) struct descriptor new = DESCRIPTOR_INIT;
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	make_new("new", MEDIATYPE_LAYER_ZSTD, &new);
	ck_assert_int_eq(strmap_set(&new.annotations, "io.shale.layer-index.size", "5", &e), 0);
	make_text("{\"layers\":[{\"mediaType\":\"\",\"digest\":\"\",\"size\":0}],\"x\":\"", &old);
	const size_t len = LIMIT_DOCUMENT - 2 - old.len;
	ck_assert_int_eq(str_reserve(&old, len, &e), 0);
	memset(old.data + old.len, 'x', len);
	old.len += len;
	make_text("\"}", &old);
	ck_assert_int_eq(export_rewrite_manifest(&old, &new, 1, &got, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "image manifest: JSON of");
}
END_TEST

static int rewrite_once(void *arg, struct err *e)
{
	SCOPE(descriptor) struct descriptor new = DESCRIPTOR_INIT;
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	const struct digest d = {.alg = DIGEST_SHA256};
	const char *text = arg;

	if (str_append(&old, text, strlen(text), e) < 0 ||
	    descriptor_set(&new, MEDIATYPE_LAYER_ZSTD, &d, 1, e) < 0 ||
	    strmap_set(&new.annotations, "a", "b", e) < 0)
		return -1;
	return export_rewrite_manifest(&old, &new, 1, &got, e) < 0 ? -1 : 0;
}

START_TEST(survives_without_memory)
{
	static char text[] = "{\"layers\":[{\"mediaType\":\"x\"}]}";

	failalloc_each(rewrite_once, text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/export_rewrite");
	TCase *tc = tcase_create("export_rewrite");

	tcase_add_loop_test(tc, a_layer_is_replaced, 0, (int)ARRAY_LEN(layers));
	tcase_add_loop_test(tc, annotations_are_added, 0, (int)ARRAY_LEN(layers));
	tcase_add_test(tc, a_manifest_that_changes_is_of_oci);
	tcase_add_test(tc, what_says_the_same_stays);
	tcase_add_test(tc, an_index_keeps_what_is_no_digest);
	tcase_add_test(tc, a_document_that_would_be_too_long_is_refused);
	tcase_add_test(tc, survives_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
