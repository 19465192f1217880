/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/tags.h"

#include <string.h>

#include "base/quote.h"
#include "image/reference.h"

static int parse_tag(const char *text, struct strlist *names, struct err *e)
{
	SCOPE(reference) struct reference tag = REFERENCE_INIT;
	char q[QUOTE_MAX];

	if (reference_parse(&tag, text, e) < 0 || reference_check_image_name(&tag, text, e) < 0)
		return err_wrap(e, "option '--tag'");
	if (tag.has_digest)
		return err_set(e, ERR_USAGE, "option '--tag': '%s' is not a name for an image",
			       quote_str(q, text));
	SCOPE_FREE char *key = reference_key(&tag, e);
	if (!key)
		return -1;
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->items[i], key) == 0)
			return 0;
	}
	return strlist_add(names, key, e);
}

int tags_parse(const struct strlist *tags, struct strlist *names, struct err *e)
{
	for (size_t i = 0; i < tags->count; i++) {
		if (parse_tag(tags->items[i], names, e) < 0)
			return -1;
	}
	return 0;
}
