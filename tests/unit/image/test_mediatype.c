/* SPDX-License-Identifier: Apache-2.0 */
#include "image/mediatype.h"

#include "tests/unit/main.h"

enum { NONE = -1 };

static const struct {
	const char *name;
	enum media_kind kind;
	int encoding;
} types[] = {
	{"application/vnd.oci.image.index.v1+json", MEDIA_INDEX, NONE},
	{"application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_INDEX, NONE},
	{"application/vnd.oci.image.manifest.v1+json", MEDIA_MANIFEST, NONE},
	{"application/vnd.docker.distribution.manifest.v2+json", MEDIA_MANIFEST, NONE},
	{"application/vnd.oci.image.config.v1+json", MEDIA_CONFIG, NONE},
	{"application/vnd.docker.container.image.v1+json", MEDIA_CONFIG, NONE},
	{"application/vnd.oci.image.layer.v1.tar", MEDIA_LAYER, LAYER_TAR},
	{"application/vnd.oci.image.layer.v1.tar+gzip", MEDIA_LAYER, LAYER_GZIP},
	{"application/vnd.oci.image.layer.v1.tar+zstd", MEDIA_LAYER, LAYER_ZSTD},
	{"application/vnd.docker.image.rootfs.diff.tar", MEDIA_LAYER, LAYER_TAR},
	{"application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_LAYER, LAYER_GZIP},
	{"application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_LAYER, LAYER_ZSTD},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_LAYER, LAYER_TAR},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_LAYER, LAYER_GZIP},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_LAYER, LAYER_ZSTD},
	{"application/vnd.docker.image.rootfs.foreign.diff.tar", MEDIA_LAYER, LAYER_TAR},
	{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_LAYER, LAYER_GZIP},
	{"application/vnd.oci.empty.v1+json", MEDIA_OTHER, NONE},
	{"application/vnd.dev.cosign.simplesigning.v1+json", MEDIA_OTHER, NONE},
	{"application/vnd.oci.image.layer.v1.tar+xz", MEDIA_OTHER, NONE},
	{"application/vnd.docker.distribution.manifest.v1+json", MEDIA_OTHER, NONE},
	{"Application/vnd.oci.image.layer.v1.tar", MEDIA_OTHER, NONE},
	{"application/vnd.oci.image.layer.v1.tar ", MEDIA_OTHER, NONE},
	{"", MEDIA_OTHER, NONE},
};

START_TEST(tells_kind_and_encoding)
{
	ck_assert_int_eq(mediatype_kind(types[_i].name), types[_i].kind);
	ck_assert_int_eq(mediatype_encoding(types[_i].name), types[_i].encoding);
	ck_assert_int_eq(mediatype_is_nondistributable(types[_i].name),
			 strstr(types[_i].name, "nondistributable") ||
				 strstr(types[_i].name, "foreign"));
}
END_TEST

/* A synonym has the kind, the encoding and the terms of what it stands for. */
START_TEST(each_type_of_docker_has_one_of_oci)
{
	const char *oci = mediatype_to_oci(types[_i].name);

	ck_assert_ptr_null(strstr(oci, "docker.container"));
	ck_assert_ptr_null(strstr(oci, "docker.image"));
	ck_assert_int_eq(mediatype_kind(oci), types[_i].kind);
	ck_assert_int_eq(mediatype_encoding(oci), types[_i].encoding);
	ck_assert_int_eq(mediatype_is_nondistributable(oci),
			 mediatype_is_nondistributable(types[_i].name));
	if (!strstr(types[_i].name, "docker"))
		ck_assert_str_eq(oci, types[_i].name);
	else if (types[_i].kind != MEDIA_OTHER)
		ck_assert_ptr_nonnull(strstr(oci, "vnd.oci.image"));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/mediatype");
	TCase *tc = tcase_create("types");

	tcase_add_loop_test(tc, tells_kind_and_encoding, 0, ARRAY_LEN(types));
	tcase_add_loop_test(tc, each_type_of_docker_has_one_of_oci, 0, ARRAY_LEN(types));
	suite_add_tcase(s, tc);
	return s;
}
UNIT_MAIN(suite_new)
