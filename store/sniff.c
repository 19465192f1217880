/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sniff.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/scope.h"
#include "image/mediatype.h"
#include "store/blobs.h"

/* Old writers leave `mediaType` out, as the OCI image-spec allows: then the shape tells. */
static const char *type_of(const json_t *doc)
{
	const char *own = json_string_value(json_object_get(doc, "mediaType"));

	if (own) {
		const enum media_kind kind = mediatype_kind(own);
		return kind == MEDIA_INDEX || kind == MEDIA_MANIFEST ? own : NULL;
	}
	if (!json_is_integer(json_object_get(doc, "schemaVersion")))
		return NULL;
	if (json_is_array(json_object_get(doc, "manifests")))
		return MEDIATYPE_INDEX;
	return json_is_object(json_object_get(doc, "config")) ? MEDIATYPE_MANIFEST : NULL;
}

char *sniff_type(const struct str *bytes, struct err *e)
{
	struct err why = ERR_INIT;

	if (bytes->len == 0)
		return NULL;
	SCOPE(json)
	json_t *doc = json_parse_object(bytes->data, bytes->len, LIMIT_DOCUMENT, "blob", &why);
	if (!doc) {
		if (why.code == ERR_NOMEM)
			err_move(e, &why);
		else
			err_clear(&why);
		return NULL;
	}
	const char *type = type_of(doc);
	return type ? str_dup(type, e) : NULL;
}

int sniff_blob(const struct store *s, const struct digest *d, char **media_type, struct str *bytes,
	       struct err *e)
{
	struct stat st;
	SCOPE_FD int fd = blobs_open(s, d, BLOBS_ANY_SIZE, e);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat a blob");
	if ((uint64_t)st.st_size > LIMIT_DOCUMENT)
		return 0;
	if (blobs_read(s, d, (uint64_t)st.st_size, LIMIT_DOCUMENT, bytes, e) < 0)
		return -1;
	*media_type = sniff_type(bytes, e);
	if (!*media_type)
		return e->code == ERR_NONE ? 0 : -1;
	return 1;
}
