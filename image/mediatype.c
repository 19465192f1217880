/* SPDX-License-Identifier: Apache-2.0 */
#include "image/mediatype.h"

#include <string.h>

#include "base/scope.h"

enum { NO_ENCODING = -1 };

static const struct known_type {
	const char *name;
	const char *oci; /* what OCI calls it; NULL: it is OCI's */
	enum media_kind kind;
	int encoding; /* enum layer_encoding */
	bool is_nondistributable;
} known_types[] = {
	{MEDIATYPE_INDEX, NULL, MEDIA_INDEX, NO_ENCODING, false},
	{MEDIATYPE_DOCKER_LIST, MEDIATYPE_INDEX, MEDIA_INDEX, NO_ENCODING, false},
	{MEDIATYPE_MANIFEST, NULL, MEDIA_MANIFEST, NO_ENCODING, false},
	{MEDIATYPE_DOCKER_MANIFEST, MEDIATYPE_MANIFEST, MEDIA_MANIFEST, NO_ENCODING, false},
	{MEDIATYPE_CONFIG, NULL, MEDIA_CONFIG, NO_ENCODING, false},
	{MEDIATYPE_DOCKER_CONFIG, MEDIATYPE_CONFIG, MEDIA_CONFIG, NO_ENCODING, false},
	{MEDIATYPE_LAYER, NULL, MEDIA_LAYER, LAYER_TAR, false},
	{MEDIATYPE_DOCKER_LAYER, MEDIATYPE_LAYER, MEDIA_LAYER, LAYER_TAR, false},
	{MEDIATYPE_LAYER_GZIP, NULL, MEDIA_LAYER, LAYER_GZIP, false},
	{MEDIATYPE_DOCKER_LAYER_GZIP, MEDIATYPE_LAYER_GZIP, MEDIA_LAYER, LAYER_GZIP, false},
	{MEDIATYPE_LAYER_ZSTD, NULL, MEDIA_LAYER, LAYER_ZSTD, false},
	{MEDIATYPE_DOCKER_LAYER_ZSTD, MEDIATYPE_LAYER_ZSTD, MEDIA_LAYER, LAYER_ZSTD, false},
	{MEDIATYPE_FOREIGN, NULL, MEDIA_LAYER, LAYER_TAR, true},
	{MEDIATYPE_FOREIGN_GZIP, NULL, MEDIA_LAYER, LAYER_GZIP, true},
	{MEDIATYPE_FOREIGN_ZSTD, NULL, MEDIA_LAYER, LAYER_ZSTD, true},
	{MEDIATYPE_DOCKER_FOREIGN, MEDIATYPE_FOREIGN, MEDIA_LAYER, LAYER_TAR, true},
	{MEDIATYPE_DOCKER_FOREIGN_GZIP, MEDIATYPE_FOREIGN_GZIP, MEDIA_LAYER, LAYER_GZIP, true},
};

static const struct known_type *find_type(const char *media_type)
{
	for (size_t i = 0; i < ARRAY_LEN(known_types); i++) {
		if (strcmp(known_types[i].name, media_type) == 0)
			return &known_types[i];
	}
	return NULL;
}

enum media_kind mediatype_kind(const char *media_type)
{
	const struct known_type *t = find_type(media_type);

	return t ? t->kind : MEDIA_OTHER;
}

int mediatype_encoding(const char *media_type)
{
	const struct known_type *t = find_type(media_type);

	return t ? t->encoding : NO_ENCODING;
}

const char *mediatype_to_oci(const char *media_type)
{
	const struct known_type *t = find_type(media_type);

	return t && t->oci ? t->oci : media_type;
}

bool mediatype_is_nondistributable(const char *media_type)
{
	const struct known_type *t = find_type(media_type);

	return t && t->is_nondistributable;
}
