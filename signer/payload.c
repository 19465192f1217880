/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/payload.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"

#define TYPE "cosign container image signature"
#define WHAT "signature payload"

/* Beyond it, not every whole number is a double: 2^53. */
#define WHOLE_MAX 9007199254740992.0

void payload_fini(struct payload *p)
{
	if (!p)
		return;
	free(p->identity);
	free(p->creator);
	*p = (struct payload)PAYLOAD_INIT;
}

/* `key` of `obj` is an object of exactly `count` members. */
static int need_object(const json_t *obj, const char *key, size_t count, json_t **out,
		       struct err *e)
{
	const int rc = json_get_object(obj, key, WHAT, out, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_FORMAT, WHAT ": no member '%s'", key);
	if (json_object_size(*out) != count)
		return err_set(e, ERR_FORMAT, WHAT ": '%s' has unknown or missing members", key);
	return 0;
}

static int read_critical(struct payload *p, const json_t *critical, struct err *e)
{
	json_t *identity = NULL, *image = NULL;
	const char *type = NULL, *name = NULL, *digest = NULL;
	char quoted[QUOTE_MAX];

	if (json_need_str(critical, "type", WHAT, &type, e) < 0)
		return -1;
	if (strcmp(type, TYPE) != 0)
		return err_set(e, ERR_FORMAT, WHAT ": type is '%s', not '" TYPE "'",
			       quote_str(quoted, type));
	if (need_object(critical, "identity", 1, &identity, e) < 0 ||
	    json_need_str(identity, "docker-reference", WHAT, &name, e) < 0 ||
	    need_object(critical, "image", 1, &image, e) < 0 ||
	    json_need_str(image, "docker-manifest-digest", WHAT, &digest, e) < 0)
		return -1;

	struct err inner = ERR_INIT;
	if (digest_parse(&p->manifest, digest, strlen(digest), &inner) < 0) {
		err_clear(&inner);
		return err_set(e, ERR_FORMAT, WHAT ": docker-manifest-digest is no digest");
	}
	p->identity = str_dup(name, e);
	return p->identity ? 0 : -1;
}

/* Others write it as 1.7e9 too; what counts is that it is whole. */
static int read_timestamp(struct payload *p, const json_t *value, struct err *e)
{
	if (json_is_integer(value)) {
		p->timestamp = json_integer_value(value);
	} else {
		const double real = json_is_real(value) ? json_real_value(value) : 0.5;
		if (!(real >= -WHOLE_MAX && real <= WHOLE_MAX) || (double)(int64_t)real != real)
			return err_set(e, ERR_FORMAT, WHAT ": timestamp is no whole number");
		p->timestamp = (int64_t)real;
	}
	p->has_timestamp = true;
	return 0;
}

static int read_optional(struct payload *p, const json_t *optional, struct err *e)
{
	if (json_is_null(optional))
		return 0;
	if (!json_is_object(optional))
		return err_set(e, ERR_FORMAT, WHAT ": 'optional' is neither null nor an object");

	const json_t *creator = json_object_get(optional, "creator");
	if (creator) {
		if (!json_is_string(creator))
			return err_set(e, ERR_FORMAT, WHAT ": creator is no text");
		p->creator = str_dup(json_string_value(creator), e);
		if (!p->creator)
			return -1;
	}
	const json_t *timestamp = json_object_get(optional, "timestamp");
	return timestamp ? read_timestamp(p, timestamp, e) : 0;
}

int payload_parse(struct payload *out, const char *bytes, size_t len, struct err *e)
{
	SCOPE(payload) struct payload p = PAYLOAD_INIT;
	SCOPE(json) json_t *doc = json_parse_object(bytes, len, LIMIT_SIG_PAYLOAD, WHAT, e);
	json_t *critical = NULL;

	if (!doc)
		return -1;
	const json_t *optional = json_object_get(doc, "optional");
	if (!optional || json_object_size(doc) != 2)
		return err_set(e, ERR_FORMAT,
			       WHAT ": members are not exactly 'critical' and 'optional'");
	if (need_object(doc, "critical", 3, &critical, e) < 0 ||
	    read_critical(&p, critical, e) < 0 || read_optional(&p, optional, e) < 0)
		return -1;
	*out = p;
	p = (struct payload)PAYLOAD_INIT;
	return 0;
}

/* A JSON string, quotes included. */
static int append_text(struct str *out, const char *text, struct err *e)
{
	SCOPE(json) json_t *value = json_text_value(text, strlen(text));

	if (!value)
		return err_nomem(e);
	if (!str_equal(json_string_value(value), text))
		return err_set(e, ERR_FORMAT, WHAT ": text that is not printable UTF-8");
	SCOPE_FREE char *dump = json_dumps(value, JSON_ENCODE_ANY);
	if (!dump)
		return err_nomem(e);
	return str_append_z(out, dump, e);
}

int payload_format(const struct payload *p, struct str *out, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	if (str_append_z(out, "{\"critical\":{\"identity\":{\"docker-reference\":", e) < 0 ||
	    append_text(out, p->identity, e) < 0 ||
	    str_appendf(out, e,
			"},\"image\":{\"docker-manifest-digest\":\"%s\"},\"type\":\"" TYPE
			"\"},\"optional\":",
			digest_format(&p->manifest, digest)) < 0)
		return -1;
	if (!p->creator && !p->has_timestamp)
		return str_append_z(out, "null}", e);

	if (str_append_c(out, '{', e) < 0 ||
	    (p->creator &&
	     (str_append_z(out, "\"creator\":", e) < 0 || append_text(out, p->creator, e) < 0)))
		return -1;
	if (p->has_timestamp && str_appendf(out, e, "%s\"timestamp\":%" PRId64,
					    p->creator ? "," : "", p->timestamp) < 0)
		return -1;
	return str_append_z(out, "}}", e);
}
