/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/xattr_reply.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

void xattr_reply_value(fuse_req_t req, size_t size, const char *value, size_t len)
{
	if (size == 0)
		fuse_reply_xattr(req, len);
	else if (len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value, len);
}

/* The length of what is left. */
static size_t drop_trusted(char *names, size_t len)
{
	size_t kept = 0;

	for (size_t at = 0, n; at < len; at += n) {
		n = strlen(names + at) + 1;
		if (str_has_prefix(names + at, "trusted."))
			continue;
		memmove(names + kept, names + at, n);
		kept += n;
	}
	return kept;
}

void xattr_reply_list(fuse_req_t req, size_t size, char *names, size_t len)
{
	if (len > XATTR_REPLY_LIST_MAX) {
		fuse_reply_err(req, E2BIG);
		return;
	}
	if (fuse_req_ctx(req)->uid != 0)
		len = drop_trusted(names, len);
	xattr_reply_value(req, size, names, len);
}
