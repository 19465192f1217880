/* SPDX-License-Identifier: Apache-2.0 */
#include "image/manifest.h"

#include "base/limits.h"
#include "image/mediatype.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/documents.h"
#include "tests/unit/main.h"

#define DESC(type) "{'mediaType':'" type "','digest':'" EMPTY_SHA "','size':2}"
#define V2         "'schemaVersion':2"
#define CONFIG     "'config':" DESC(MEDIATYPE_CONFIG)
#define LAYERS     "'layers':[" DESC(MEDIATYPE_LAYER_ZSTD) "]"
#define TYPE(type) "'mediaType':'" type "'"
#define MANIFEST   V2 "," CONFIG "," LAYERS
#define INDEX      V2 ",'manifests':[]"

static int parse(struct manifest *m, const char *text, const char *media_type, struct err *e)
{
	char buf[DOCUMENT_MAX];

	document(buf, text);
	return manifest_parse(m, buf, strlen(buf), media_type, e);
}

static int parse_index(struct image_index *ix, const char *text, const char *media_type,
		       struct err *e)
{
	char buf[DOCUMENT_MAX];

	document(buf, text);
	return image_index_parse(ix, buf, strlen(buf), media_type, LIMIT_INDEX_ENTRIES, e);
}

/* What other tools write. */
static const struct {
	const char *text;
	const char *media_type; /* as announced */
	const char *want_type;
	size_t layer_count;
	uint64_t config_size;
} manifests[] = {
	{umoci_manifest, NULL, MEDIATYPE_MANIFEST, 1, 629},
	{umoci_manifest, MEDIATYPE_MANIFEST, MEDIATYPE_MANIFEST, 1, 629},
	{umoci_empty_manifest, NULL, MEDIATYPE_MANIFEST, 0, 133},
	{skopeo_docker_manifest, NULL, MEDIATYPE_DOCKER_MANIFEST, 1, 629},
	{skopeo_docker_manifest, MEDIATYPE_DOCKER_MANIFEST, MEDIATYPE_DOCKER_MANIFEST, 1, 629},
	{"{" MANIFEST ",'x':{}}", NULL, MEDIATYPE_MANIFEST, 1, 2},
	{"{" MANIFEST ",'manifests':null,'annotations':null,'subject':null}", NULL,
	 MEDIATYPE_MANIFEST, 1, 2},
	{"{" V2 "," CONFIG ",'layers':null}", NULL, MEDIATYPE_MANIFEST, 0, 2},
};

START_TEST(parse_accepts)
{
	struct err e = ERR_INIT;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT, again = MANIFEST_INIT;
	SCOPE(str) struct str text = STR_INIT, text_again = STR_INIT;

	ck_assert_int_eq(parse(&m, manifests[_i].text, manifests[_i].media_type, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(m.media_type, manifests[_i].want_type);
	ck_assert_uint_eq(m.layer_count, manifests[_i].layer_count);
	ck_assert_uint_eq(m.config.size, manifests[_i].config_size);
	ck_assert_int_eq(manifest_kind(&m), MANIFEST_IMAGE);
	ck_assert_int_eq(manifest_check_image(&m, &e), 0);

	ck_assert_int_eq(manifest_format(&m, &text, &e), 0);
	ck_assert_int_eq(manifest_parse(&again, text.data, text.len, m.media_type, &e), 0);
	ck_assert_int_eq(manifest_format(&again, &text_again, &e), 0);
	ck_assert_str_eq(text.data, text_again.data);
}
END_TEST

static const struct {
	const char *text;
	const char *media_type;
	const char *word;
} refused[] = {
	{"", NULL, "JSON"},
	{"[]", NULL, "not an object"},
	{"{" MANIFEST "} x", NULL, "garbage"},
	{"\xef\xbb\xbf{" MANIFEST "}", NULL, "byte order mark"},
	{"{" CONFIG "," LAYERS "}", NULL, "'schemaVersion' is missing"},
	{"{'schemaVersion':1," CONFIG "," LAYERS "}", NULL, "schemaVersion is not 2"},
	{"{'schemaVersion':3," CONFIG "," LAYERS "}", NULL, "schemaVersion is not 2"},
	{"{'schemaVersion':'2'," CONFIG "," LAYERS "}", NULL, "'schemaVersion' is not an integer"},
	{"{'schemaVersion':2.0," CONFIG "," LAYERS "}", NULL, "'schemaVersion' is not an integer"},
	{"{" V2 "," LAYERS "}", NULL, "'config' is missing"},
	{"{" V2 ",'config':null," LAYERS "}", NULL, "'config' is missing"},
	{"{" V2 ",'config':[]," LAYERS "}", NULL, "'config' is not an object"},
	{"{" V2 ",'config':{}," LAYERS "}", NULL, "image manifest: config: member 'mediaType'"},
	{"{" V2 "," CONFIG "}", NULL, "'layers' is missing"},
	{"{" V2 "," CONFIG ",'layers':{}}", NULL, "'layers' is not an array"},
	{"{" V2 "," CONFIG ",'layers':[" DESC("a/b") ",7]}", NULL, "layer 2"},
	{"{" V2 "," CONFIG ",'layers':[" DESC("a/b") ",{}]}", NULL, "layer 2: member 'mediaType'"},
	/* Two readers could see two documents in these. */
	{"{" MANIFEST ",'manifests':[]}", NULL, "'manifests' belongs to another kind"},
	{"{" MANIFEST ",'manifests':[]," TYPE(MEDIATYPE_MANIFEST) "}", NULL, "'manifests' belongs"},
	{"{" MANIFEST ",'fsLayers':[]}", NULL, "'fsLayers' belongs"},
	{"{" MANIFEST ",'history':[]}", NULL, "'history' belongs"},
	{"{" MANIFEST ",'Layers':[]}", NULL, "'Layers' must be spelled 'layers'"},
	{"{" MANIFEST ",'Manifests':[]}", NULL, "must be spelled 'manifests'"},
	{"{" MANIFEST ",'layer\\u017f':[]}", NULL, "must be spelled 'layers'"},
	{"{" MANIFEST ",'layers':[]}", NULL, "duplicate"},
	{"{" MANIFEST "," TYPE(MEDIATYPE_INDEX) "}", NULL, "another kind of document"},
	{"{" MANIFEST "," TYPE("application/json") "}", NULL, "'application/json' is another kind"},
	{"{" MANIFEST ",'mediaType':''}", NULL, "another kind"},
	{"{" MANIFEST ",'mediaType':7}", NULL, "'mediaType' is not a string"},
	{"{" MANIFEST "," TYPE(MEDIATYPE_MANIFEST) "}", MEDIATYPE_DOCKER_MANIFEST, "announced"},
	{"{" MANIFEST "," TYPE(MEDIATYPE_INDEX) "}", MEDIATYPE_MANIFEST, "announced"},
	{"{" MANIFEST "}", MEDIATYPE_INDEX, "another kind of document"},
	{"{" MANIFEST "}", "text/html", "'text/html' is another kind"},
	{"{" INDEX "}", NULL, "'manifests' belongs"},
	{"{" MANIFEST ",'annotations':{'a':1}}", NULL, "image manifest: member 'a'"},
	{"{" MANIFEST ",'subject':'x'}", NULL, "'subject' is not an object"},
	{"{" MANIFEST ",'subject':{}}", NULL, "image manifest: subject"},
	{"{" MANIFEST ",'artifactType':1}", NULL, "'artifactType' is not a string"},
};

START_TEST(parse_refuses)
{
	struct err e = ERR_INIT;
	struct manifest before, m;

	memset(&m, 0xa5, sizeof(m));
	before = m;
	ck_assert_int_eq(parse(&m, refused[_i].text, refused[_i].media_type, &e), -1);
	ck_assert_mem_eq(&m, &before, sizeof(m));
	ck_assert_err(&e, ERR_FORMAT, refused[_i].word);
}
END_TEST

START_TEST(format_is_canonical)
{
	struct err e = ERR_INIT;
	char want[DOCUMENT_MAX];
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(parse(&m,
			       "{'subject':" DESC("a/s") " ,\n" MANIFEST
							 ",'annotations':{'b':'2','a':'1'},"
							 "'artifactType':'a/t'}",
			       MEDIATYPE_DOCKER_MANIFEST, &e),
			 0);
	ck_assert(m.has_subject);
	ck_assert_int_eq(manifest_format(&m, &text, &e), 0);
	document(want, "{'annotations':{'a':'1','b':'2'},'artifactType':'a/"
		       "t','config':{'digest':'" EMPTY_SHA "','mediaType':'" MEDIATYPE_CONFIG
		       "','size':2},'layers':[{'digest"
		       "':'" EMPTY_SHA "','mediaType':'" MEDIATYPE_LAYER_ZSTD "','size':2}],"
		       "'mediaType':'" MEDIATYPE_DOCKER_MANIFEST "','schemaVersion':2,'subject':{"
		       "'digest':'" EMPTY_SHA "','mediaType':'a/s','size':2}}");
	ck_assert_str_eq(text.data, want);
}
END_TEST

/* `name` with `count` descriptors, after `head`. */
static void append_many(struct str *out, const char *head, const char *name, size_t count)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_appendf(out, &e, "{%s'%s':[", head, name), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(str_appendf(out, &e, "%s%s", i ? "," : "", DESC(MEDIATYPE_LAYER)),
				 0);
	ck_assert_int_eq(str_append_z(out, "]}", &e), 0);
	for (char *p = strchr(out->data, '\''); p; p = strchr(p, '\''))
		*p = '"';
}

START_TEST(layers_have_a_limit)
{
	struct err e = ERR_INIT;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT, more = MANIFEST_INIT;
	SCOPE(str) struct str most = STR_INIT, too_much = STR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	append_many(&most, V2 "," CONFIG ",", "layers", LIMIT_LAYERS);
	append_many(&too_much, V2 "," CONFIG ",", "layers", LIMIT_LAYERS + 1);
	ck_assert_int_eq(manifest_parse(&m, most.data, most.len, NULL, &e), 0);
	ck_assert_uint_eq(m.layer_count, LIMIT_LAYERS);
	ck_assert_int_eq(manifest_parse(&more, too_much.data, too_much.len, NULL, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "more than 512");

	ck_assert_int_eq(descriptor_copy(&d, &m.layers[0], &e), 0);
	ck_assert_int_eq(manifest_add_layer(&m, &d, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "512");
}
END_TEST

START_TEST(documents_have_a_limit)
{
	struct err e = ERR_INIT;
	struct manifest m = MANIFEST_INIT;
	struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(str_append_zeros(&text, LIMIT_STORE_INDEX + 1, &e), 0);
	memset(text.data, ' ', text.len);
	ck_assert_int_eq(manifest_parse(&m, text.data, LIMIT_DOCUMENT + 1, NULL, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "bytes");
	ck_assert_int_eq(image_index_parse(&ix, text.data, LIMIT_DOCUMENT + 1, NULL,
					   LIMIT_INDEX_ENTRIES, &e),
			 -1);
	ck_assert_err(&e, ERR_LIMIT, "bytes");
	/* A store's own may be longer. */
	ck_assert_int_eq(image_index_parse(&ix, text.data, LIMIT_DOCUMENT + 1, NULL,
					   LIMIT_INDEX_ENTRIES + 1, &e),
			 -1);
	ck_assert_err(&e, ERR_FORMAT, "JSON");
	ck_assert_int_eq(image_index_parse(&ix, text.data, LIMIT_STORE_INDEX + 1, NULL,
					   LIMIT_INDEX_ENTRIES + 1, &e),
			 -1);
	ck_assert_err(&e, ERR_LIMIT, "bytes");
}
END_TEST

START_TEST(nesting_has_a_limit)
{
	struct err e = ERR_INIT;
	struct manifest m = MANIFEST_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(str_append_zeros(&text, 1000 * 1000, &e), 0);
	memset(text.data, '[', text.len);
	ck_assert_int_eq(manifest_parse(&m, text.data, text.len, NULL, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "deeper");
}
END_TEST

/* In the order that is worst for a sorted map. */
START_TEST(many_annotations_are_read)
{
	struct err e = ERR_INIT;
	char buf[DOCUMENT_MAX];
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(str_appendf(&text, &e, "%s",
				     document(buf, "{" MANIFEST ","
						   "'annotations':{")),
			 0);
	for (int i = 100 * 1000; i > 0; i--)
		ck_assert_int_eq(str_appendf(&text, &e, "\"%06d\":\"\"%s", i, i > 1 ? "," : "}}"),
				 0);
	ck_assert_int_eq(manifest_parse(&m, text.data, text.len, NULL, &e), 0);
	ck_assert_uint_eq(m.annotations.count, 100 * 1000);
	ck_assert_str_eq(m.annotations.items[0].key, "000001");
}
END_TEST

static const struct {
	const char *text;
	enum manifest_kind kind;
	const char *word;
} no_images[] = {
	{"{" V2 "," CONFIG ",'layers':[" DESC(MEDIATYPE_SIMPLESIGNING) "]}", MANIFEST_ARTIFACT,
	 "a signature by cosign, not an image"},
	{"{" V2
	 ",'config':" DESC("application/vnd.dev.cosign.artifact.sig.v1+json") ",'layers':[" DESC(
		 MEDIATYPE_SIMPLESIGNING) "]}",
	 MANIFEST_ARTIFACT, "a signature by cosign"},
	{"{" V2 "," CONFIG ",'layers':[" DESC("application/vnd.in-toto+json") "]}",
	 MANIFEST_ARTIFACT, "an attestation, not an image"},
	{"{" V2 ",'config':" DESC(MEDIATYPE_EMPTY) ",'artifactType':'application/x.y',"
						   "'layers':[" DESC("text/plain") "]}",
	 MANIFEST_ARTIFACT, "an artifact of type 'application/x.y', not an image"},
	{"{" V2 ",'config':" DESC("application/vnd.cncf.helm.config.v1+json") ",'layers':[" DESC(
		 "application/vnd.cncf.helm.chart.content.v1.tar+gzip") "]}",
	 MANIFEST_ARTIFACT, "a Helm chart"},
	{"{" V2 ",'config':" DESC("application/vnd.z+json") "," LAYERS "}", MANIFEST_ARTIFACT,
	 "an artifact of type 'application/vnd.z+json'"},
	{"{" V2 "," CONFIG ",'layers':[" DESC(MEDIATYPE_LAYER) "," DESC("text/x") "]}",
	 MANIFEST_UNKNOWN_LAYERS, "layer 2 has the type 'text/x'"},
	{"{" V2 "," CONFIG
	 ",'layers':[" DESC("application/vnd.oci.image.layer.nondistributable.v1.tar+xz") "]}",
	 MANIFEST_UNKNOWN_LAYERS, "no file system layer"},
	/* Wherever it is that a layer tells what this is. */
	{"{" V2 "," CONFIG
	 ",'layers':[" DESC("text/x") "," DESC("application/vnd.in-toto+json") "]}",
	 MANIFEST_ARTIFACT, "an attestation, not an image"},
	{"{" V2 "," CONFIG ",'layers':[" DESC(MEDIATYPE_LAYER_GZIP "+encrypted") "]}",
	 MANIFEST_UNKNOWN_LAYERS, "layer 1 has the type"},
	{"{" V2 ",'config':" DESC(MEDIATYPE_MANIFEST) "," LAYERS "}", MANIFEST_ARTIFACT,
	 "artifact"},
};

START_TEST(artifacts_are_no_images)
{
	struct err e = ERR_INIT;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;

	ck_assert_int_eq(parse(&m, no_images[_i].text, NULL, &e), 0);
	ck_assert_int_eq(manifest_kind(&m), no_images[_i].kind);
	ck_assert_int_eq(manifest_check_image(&m, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, no_images[_i].word);
}
END_TEST

static const struct {
	const char *text;
	const char *media_type;
	const char *want_type;
	size_t count;
} indexes[] = {
	{umoci_layout, NULL, MEDIATYPE_INDEX, 2},
	{buildah_index, NULL, MEDIATYPE_INDEX, 2},
	{buildah_index, MEDIATYPE_INDEX, MEDIATYPE_INDEX, 2},
	{buildah_docker_list, MEDIATYPE_DOCKER_LIST, MEDIATYPE_DOCKER_LIST, 2},
	{buildah_docker_list, NULL, MEDIATYPE_DOCKER_LIST, 2},
	{"{" V2 ",'manifests':null}", NULL, MEDIATYPE_INDEX, 0},
	{"{" INDEX ",'layers':null,'config':null}", NULL, MEDIATYPE_INDEX, 0},
	{"{" INDEX ",'annotations':{'a':'b'},'artifactType':'a/b','subject':{}}", NULL,
	 MEDIATYPE_INDEX, 0},
};

START_TEST(index_parse_accepts)
{
	struct err e = ERR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT, again = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT, text_again = STR_INIT;

	ck_assert_int_eq(parse_index(&ix, indexes[_i].text, indexes[_i].media_type, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(ix.media_type, indexes[_i].want_type);
	ck_assert_uint_eq(ix.count, indexes[_i].count);

	ck_assert_int_eq(image_index_format(&ix, &text, &e), 0);
	ck_assert_int_eq(parse_index(&again, text.data, ix.media_type, &e), 0);
	ck_assert_int_eq(image_index_format(&again, &text_again, &e), 0);
	ck_assert_str_eq(text.data, text_again.data);
}
END_TEST

static const struct {
	const char *text;
	const char *media_type;
	const char *word;
} refused_indexes[] = {
	{"{" V2 "}", NULL, "'manifests' is missing"},
	{"{'manifests':[]}", NULL, "'schemaVersion' is missing"},
	{"{'schemaVersion':1,'manifests':[]}", NULL, "schemaVersion is not 2"},
	{"{" V2 ",'manifests':{}}", NULL, "'manifests' is not an array"},
	{"{" V2 ",'manifests':[{}]}", NULL, "image index: manifest 1: member 'mediaType'"},
	{"{" INDEX ",'layers':[]}", NULL, "'layers' belongs to another kind"},
	{"{" INDEX ",'config':{}}", NULL, "'config' belongs"},
	{"{" INDEX ",'fsLayers':[]}", NULL, "'fsLayers' belongs"},
	{"{" INDEX ",'history':[]}", NULL, "'history' belongs"},
	{"{" INDEX ",'LAYERS':[]}", NULL, "must be spelled 'layers'"},
	{"{" INDEX ",'Manifests':[]}", NULL, "must be spelled 'manifests'"},
	{"{" INDEX "," TYPE(MEDIATYPE_MANIFEST) "}", NULL, "another kind of document"},
	{"{" INDEX "," TYPE(MEDIATYPE_INDEX) "}", MEDIATYPE_DOCKER_LIST, "announced"},
	{"{" INDEX "}", MEDIATYPE_MANIFEST, "another kind of document"},
	{"{" MANIFEST "}", NULL, "'config' belongs"},
	{"{" INDEX ",'artifactType':[]}", NULL, "'artifactType' is not a string"},
	{"{" INDEX ",'annotations':[]}", NULL, "'annotations' is not an object"},
};

START_TEST(index_parse_refuses)
{
	struct err e = ERR_INIT;
	struct image_index before, ix;

	memset(&ix, 0xa5, sizeof(ix));
	before = ix;
	ck_assert_int_eq(
		parse_index(&ix, refused_indexes[_i].text, refused_indexes[_i].media_type, &e), -1);
	ck_assert_mem_eq(&ix, &before, sizeof(ix));
	ck_assert_err(&e, ERR_FORMAT, refused_indexes[_i].word);
}
END_TEST

START_TEST(index_entries_have_a_limit)
{
	struct err e = ERR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT, more = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT;

	append_many(&text, V2 ",", "manifests", 4);
	ck_assert_int_eq(image_index_parse(&ix, text.data, text.len, NULL, 4, &e), 0);
	ck_assert_int_eq(image_index_parse(&more, text.data, text.len, NULL, 3, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "more than 3");
}
END_TEST

START_TEST(index_entries_come_and_go)
{
	struct err e = ERR_INIT;
	struct digest digest = {DIGEST_SHA256, {0}};
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	for (uint64_t i = 0; i < 20; i++) {
		SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
		ck_assert_int_eq(descriptor_set(&d, MEDIATYPE_MANIFEST, &digest, i, &e), 0);
		ck_assert_int_eq(image_index_add(&ix, &d, &e), 0);
	}
	image_index_remove(&ix, 19);
	image_index_remove(&ix, 0);
	image_index_remove(&ix, 1);
	ck_assert_uint_eq(ix.count, 17);
	ck_assert_uint_eq(ix.manifests[0].size, 1);
	ck_assert_uint_eq(ix.manifests[1].size, 3);
	ck_assert_uint_eq(ix.manifests[16].size, 18);
}
END_TEST

#define FOR(type, platform) \
	"{'mediaType':'" type "','digest':'" EMPTY_SHA "','size':2,'platform':{" platform "}}"
#define ARM(variant)                                                 \
	FOR(MEDIATYPE_MANIFEST, "'os':'linux','architecture':'arm'," \
				"'variant':'" variant "'")
#define AMD64 "'os':'linux','architecture':'amd64'"
#define AMD64_ARTIFACT(type)                                         \
	"{'mediaType':'" MEDIATYPE_MANIFEST "','digest':'" EMPTY_SHA \
	"','size':2,'artifactType':'" type "','platform':{" AMD64 "}}"
#define AMD64_IMAGE          FOR(MEDIATYPE_MANIFEST, AMD64)
#define AMD64_LEVEL(variant) FOR(MEDIATYPE_MANIFEST, AMD64 ",'variant':'" variant "'")

enum { NONE = -1 };

static const struct {
	const char *entries;
	const char *want;
	int at; /* NONE: no entry fits */
} choices[] = {
	{"", "linux/amd64", NONE},
	{AMD64_IMAGE, "linux/amd64", 0},
	{AMD64_IMAGE, "linux/arm64", NONE},
	{ARM("v5") "," AMD64_IMAGE "," AMD64_IMAGE, "linux/amd64", 1},
	{ARM("v5") "," ARM("v7"), "linux/arm", 1},
	{ARM("v5") "," ARM("v7"), "linux/arm/v7", 1},
	{ARM("v5") "," ARM("v7"), "linux/arm/v6", 0},
	{ARM("v7") "," ARM("v6"), "linux/arm/v5", NONE},
	{AMD64_IMAGE, "linux/amd64/v3", 0},
	/* Who does not say a variant gets what every machine runs, if there is such a one. */
	{AMD64_LEVEL("v3") "," AMD64_IMAGE, "linux/amd64", 1},
	{AMD64_LEVEL("v3") "," AMD64_LEVEL("v1"), "linux/amd64", 1},
	{AMD64_LEVEL("v3") "," AMD64_LEVEL("v2"), "linux/amd64", 0},
	/* Without a platform: only when there is no choice. */
	{DESC(MEDIATYPE_MANIFEST), "linux/amd64", 0},
	{DESC(MEDIATYPE_DOCKER_MANIFEST), "linux/amd64", 0},
	{DESC(MEDIATYPE_MANIFEST) "," DESC(MEDIATYPE_MANIFEST), "linux/amd64", NONE},
	{DESC(MEDIATYPE_MANIFEST) "," AMD64_IMAGE, "linux/amd64", 1},
	/* Not images. */
	{DESC(MEDIATYPE_INDEX), "linux/amd64", NONE},
	{FOR(MEDIATYPE_INDEX, AMD64) "," AMD64_IMAGE, "linux/amd64", 1},
	{FOR("application/x", AMD64), "linux/amd64", NONE},
	{AMD64_ARTIFACT("application/x") "," AMD64_IMAGE, "linux/amd64", 1},
	{AMD64_ARTIFACT(MEDIATYPE_CONFIG), "linux/amd64", 0},
	{FOR(MEDIATYPE_MANIFEST, "'os':'unknown','architecture':'unknown'"), "linux/amd64", NONE},
};

START_TEST(select_takes_the_first_that_fits)
{
	struct err e = ERR_INIT;
	struct platform want;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT;
	size_t at = 99;

	ck_assert_int_eq(str_appendf(&text, &e, "{" V2 ",'manifests':[%s]}", choices[_i].entries),
			 0);
	ck_assert_int_eq(parse_index(&ix, text.data, NULL, &e), 0);
	ck_assert_int_eq(platform_parse(&want, choices[_i].want, &e), 0);
	if (choices[_i].at == NONE) {
		ck_assert_int_eq(image_index_select(&ix, &want, &at), 0);
		ck_assert_uint_eq(at, 99);
		return;
	}
	ck_assert_int_eq(image_index_select(&ix, &want, &at), 1);
	ck_assert_uint_eq(at, (size_t)choices[_i].at);
}
END_TEST

static int parse_and_format(void *arg, struct err *e)
{
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(str) struct str text = STR_INIT;

	if (parse(&m, arg, NULL, e) < 0 || manifest_add_layer(&m, &m.config, e) < 0)
		return -1;
	return manifest_format(&m, &text, e);
}

static int parse_and_format_index(void *arg, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT;

	if (parse_index(&ix, arg, NULL, e) < 0 || image_index_add(&ix, &ix.manifests[0], e) < 0)
		return -1;
	return image_index_format(&ix, &text, e);
}

START_TEST(survives_lack_of_memory)
{
	char manifest[] = "{" MANIFEST ",'annotations':{'b':'1','a':'2'},'artifactType':'a/t',"
			  "'subject':" DESC("a/s") "}";
	char index[] =
		"{" V2 ",'artifactType':'a/t','annotations':{'a':'1'},'manifests':[" AMD64_IMAGE
		"," DESC(MEDIATYPE_MANIFEST) "]}";

	failalloc_each(parse_and_format, manifest);
	failalloc_each(parse_and_format_index, index);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/manifest");
	TCase *tc = tcase_create("manifest");
	TCase *index = tcase_create("index");

	tcase_add_loop_test(tc, parse_accepts, 0, ARRAY_LEN(manifests));
	tcase_add_loop_test(tc, parse_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, format_is_canonical);
	tcase_add_test(tc, layers_have_a_limit);
	tcase_add_test(tc, documents_have_a_limit);
	tcase_add_test(tc, nesting_has_a_limit);
	tcase_add_test(tc, many_annotations_are_read);
	tcase_add_loop_test(tc, artifacts_are_no_images, 0, ARRAY_LEN(no_images));
	tcase_add_test(tc, survives_lack_of_memory);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);

	tcase_add_loop_test(index, index_parse_accepts, 0, ARRAY_LEN(indexes));
	tcase_add_loop_test(index, index_parse_refuses, 0, ARRAY_LEN(refused_indexes));
	tcase_add_test(index, index_entries_have_a_limit);
	tcase_add_test(index, index_entries_come_and_go);
	tcase_add_loop_test(index, select_takes_the_first_that_fits, 0, ARRAY_LEN(choices));
	suite_add_tcase(s, index);
	return s;
}
UNIT_MAIN(suite_new)
