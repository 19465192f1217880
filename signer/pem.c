/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/pem.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>

#include "base/limits.h"
#include "signer/base64.h"
#include "signer/secret.h"

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define RULE  "-----"

enum { LINE = 64 /* RFC 7468: "generators MUST wrap" at 64 */ };

struct slice {
	const char *text;
	size_t len;
};

/* Takes one line off `in`, without its line end; false at the end of the text. */
static bool take_line(struct slice *in, struct slice *line)
{
	if (in->len == 0)
		return false;

	const char *nl = memchr(in->text, '\n', in->len);
	const size_t len = nl ? (size_t)(nl - in->text) : in->len;
	const size_t used = nl ? len + 1 : len;

	*line = (struct slice){in->text, len};
	if (line->len > 0 && line->text[line->len - 1] == '\r')
		line->len--;
	*in = (struct slice){in->text + used, in->len - used};
	return true;
}

static bool starts_with(const struct slice *line, const char *prefix)
{
	const size_t len = strlen(prefix);

	return line->len >= len && memcmp(line->text, prefix, len) == 0;
}

/* The type in "-----BEGIN TYPE-----"; `mark` is what comes before it. */
static bool read_mark(const struct slice *line, const char *mark, struct slice *type)
{
	const size_t head = strlen(mark), tail = strlen(RULE);

	if (!starts_with(line, mark) || line->len < head + tail + 1 ||
	    memcmp(line->text + line->len - tail, RULE, tail) != 0)
		return false;
	*type = (struct slice){line->text + head, line->len - head - tail};
	if (type->len >= PEM_TYPE_MAX)
		return false;
	for (size_t i = 0; i < type->len; i++) {
		const char c = type->text[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' '))
			return false;
	}
	return true;
}

static bool skip_blank_lines(struct slice *in)
{
	struct slice rest = *in, line;

	while (take_line(&rest, &line) && line.len == 0)
		*in = rest;
	return in->len == 0;
}

/* The base64 up to the END line, joined. */
static int read_body(struct slice *in, const struct slice *type, struct str *base64, struct err *e)
{
	struct slice line, end;

	while (take_line(in, &line)) {
		if (starts_with(&line, RULE)) {
			if (!read_mark(&line, END, &end) || end.len != type->len ||
			    memcmp(end.text, type->text, end.len) != 0)
				return err_set(e, ERR_FORMAT,
					       "the PEM block does not end as it begins");
			return 0;
		}
		if (memchr(line.text, ':', line.len))
			return err_set(e, ERR_FORMAT, "the PEM block has headers");
		if (str_append(base64, line.text, line.len, e) < 0)
			return -1;
	}
	return err_set(e, ERR_FORMAT, "the PEM block has no end");
}

static int decode_body(const struct str *base64, struct str *body, struct err *e)
{
	const size_t room = BASE64_DECODED_MAX(base64->len);
	size_t got = 0;

	if (str_reserve(body, room, e) < 0)
		return -1;
	SCOPE_FREE uint8_t *bytes = malloc(room ? room : 1);
	if (!bytes)
		return err_nomem(e);

	int rc = base64_decode(str_text(base64), base64->len, bytes, room, &got);
	if (rc < 0)
		rc = err_set(e, ERR_FORMAT, "the PEM block is not base64");
	else if (got == 0)
		rc = err_set(e, ERR_FORMAT, "the PEM block is empty");
	else
		rc = str_append(body, bytes, got, e);
	/* Somebody may have given us a key that is not encrypted. */
	sodium_memzero(bytes, room);
	return rc;
}

int pem_parse(const char *text, size_t len, char type[static PEM_TYPE_MAX], struct str *body,
	      struct err *e)
{
	struct slice in = {text, len}, line, name;

	if (len > LIMIT_KEY_FILE)
		return err_set(e, ERR_LIMIT, "is longer than %" PRIu64 " bytes", LIMIT_KEY_FILE);
	if (skip_blank_lines(&in))
		return err_set(e, ERR_FORMAT, "is empty, not PEM");
	if (!take_line(&in, &line) || !read_mark(&line, BEGIN, &name))
		return err_set(e, ERR_FORMAT, "does not begin as PEM does");

	SCOPE(secret_text) struct str base64 = STR_INIT;
	if (secret_text_init(&base64, len, e) < 0)
		return -1;
	int rc = read_body(&in, &name, &base64, e);
	if (rc == 0 && !skip_blank_lines(&in)) {
		const bool is_second = starts_with(&in, BEGIN);
		rc = err_set(e, ERR_FORMAT,
			     is_second ? "has more than one PEM block"
				       : "has text after the PEM block");
	}
	if (rc == 0)
		rc = decode_body(&base64, body, e);
	if (rc < 0)
		return -1;

	memcpy(type, name.text, name.len);
	type[name.len] = '\0';
	return 0;
}

int pem_format(const char *type, const void *body, size_t len, struct str *out, struct err *e)
{
	SCOPE(str) struct str base64 = STR_INIT;

	if (base64_append(&base64, body, len, e) < 0 ||
	    str_appendf(out, e, BEGIN "%s" RULE "\n", type) < 0)
		return -1;
	for (size_t at = 0; at < base64.len; at += LINE) {
		const size_t left = base64.len - at;
		if (str_append(out, base64.data + at, left < LINE ? left : LINE, e) < 0 ||
		    str_append_c(out, '\n', e) < 0)
			return -1;
	}
	return str_appendf(out, e, END "%s" RULE "\n", type);
}
