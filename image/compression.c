/* SPDX-License-Identifier: Apache-2.0 */
#include "image/compression.h"

#include <libdeflate.h>
#include <string.h>
#include <zstd.h>

#include "base/quote.h"
#include "base/scope.h"
#include "base/str.h"

static const struct choice {
	const char *name;
	enum frame_encoding encoding;
	int level; /* when none is said */
	int min, max;
} choices[] = {
	{"zstd", FRAME_ZSTD, 3, 1, 19},
	{"gzip", FRAME_GZIP, 6, 1, 9},
};

static const struct choice *find_name(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		if (strlen(choices[i].name) == len && memcmp(choices[i].name, name, len) == 0)
			return &choices[i];
	}
	return NULL;
}

static const struct choice *find_encoding(enum frame_encoding encoding)
{
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		if (choices[i].encoding == encoding)
			return &choices[i];
	}
	return NULL;
}

static int refuse_name(const char *text, struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE(str) struct str names = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		const struct choice *c = &choices[i];
		if (str_appendf(&names, e, "%s%s[:%d-%d]", i > 0 ? " or " : "", c->name, c->min,
				c->max) < 0)
			return -1;
	}
	return err_set(e, ERR_USAGE, "'%s' is not %s", quote_str(quoted, text), str_text(&names));
}

int compression_parse(const char *text, struct compression *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *colon = strchr(text, ':');
	const struct choice *c = find_name(text, colon ? (size_t)(colon - text) : strlen(text));
	uint64_t level;

	if (!c)
		return refuse_name(text, e);
	if (!colon) {
		*out = (struct compression){c->encoding, c->level};
		return 0;
	}
	if (str_to_u64(colon + 1, strlen(colon + 1), 10, (uint64_t)c->max, &level) < 0 ||
	    level < (uint64_t)c->min)
		return err_set(e, ERR_USAGE, "'%s': the levels of %s are %d to %d",
			       quote_str(quoted, text), c->name, c->min, c->max);
	*out = (struct compression){c->encoding, (int)level};
	return 0;
}

int compression_check(const struct compression *c, struct err *e)
{
	const struct choice *known = find_encoding(c->encoding);

	if (!known)
		return err_set(e, ERR_USAGE, "layers are not written without compression");
	if (c->level < known->min || c->level > known->max)
		return err_set(e, ERR_USAGE, "compression level %d: the levels of %s are %d to %d",
			       c->level, known->name, known->min, known->max);
	return 0;
}

const char *compression_version(const struct compression *c)
{
	switch (c->encoding) {
	case FRAME_ZSTD:
		return ZSTD_versionString();
	case FRAME_GZIP: /* it tells of the header alone */
		return LIBDEFLATE_VERSION_STRING;
	case FRAME_RAW:
		break;
	}
	return "";
}
