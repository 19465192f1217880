/* SPDX-License-Identifier: Apache-2.0 */
#include "store/documents.h"

#include "base/json.h"
#include "base/limits.h"
#include "image/mediatype.h"
#include "store/blobs.h"

static const char *name_of(const char *media_type)
{
	switch (mediatype_kind(media_type)) {
	case MEDIA_INDEX:
		return "image index";
	case MEDIA_MANIFEST:
		return "image manifest";
	case MEDIA_CONFIG:
	case MEDIA_LAYER:
	case MEDIA_OTHER:
		break;
	}
	return "image config";
}

int documents_check(const char *media_type, const struct str *bytes, struct err *e)
{
	if (json_check_limits(str_text(bytes), bytes->len, LIMIT_DOCUMENT, name_of(media_type), e) <
	    0)
		return err_wrap(e, "cannot write what nobody could read again");
	return 0;
}

int documents_put(const struct store *s, struct lease *l, const char *media_type,
		  const struct str *bytes, struct descriptor *out, struct err *e)
{
	struct digest digest;

	if (documents_check(media_type, bytes, e) < 0 ||
	    blobs_put_bytes(s, l, str_text(bytes), bytes->len, &digest, e) < 0)
		return -1;
	return descriptor_set(out, media_type, &digest, bytes->len, e);
}
