/* SPDX-License-Identifier: Apache-2.0 */
#include "image/reference.h"

#include <string.h>

#include "base/quote.h"
#include "base/str.h"

static const char default_host[] = "localhost";
static const char default_tag[] = "latest";

enum { PORT_MAX = 65535, ARTIFACT_HEX_LEN = 2 * DIGEST_SHA256_LEN };

/* What is being read, for messages. */
struct input {
	const char *text;
	struct err *e;
};

/* A range of the input. */
struct span {
	const char *start;
	const char *end;
};

static size_t span_len(struct span s)
{
	return (size_t)(s.end - s.start);
}

static int refuse(const struct input *in, const char *at, const char *rule)
{
	char quoted[QUOTE_MAX];

	return err_set(in->e, ERR_SYNTAX, "reference '%s': byte %zu: %s",
		       quote_str(quoted, in->text), (size_t)(at - in->text) + 1, rule);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_alnum(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c);
}

static int check_port(const struct input *in, struct span port)
{
	uint64_t number;

	if (str_to_u64(port.start, span_len(port), 10, PORT_MAX, &number) < 0 || number == 0)
		return refuse(in, port.start, "port must be a number from 1 to 65535");
	return 0;
}

/* host ::= label ("." label)*, label ::= [A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])? */
static int check_host_name(const struct input *in, struct span host)
{
	for (const char *p = host.start; p <= host.end; p++) {
		const bool at_start = p == host.start || p[-1] == '.';
		const bool at_end = p == host.end || *p == '.';

		if (at_end && (at_start || p[-1] == '-'))
			return refuse(in, p, "host has a label that is empty or ends in '-'");
		if (at_end)
			continue;
		if (!is_alnum(*p) && (*p != '-' || at_start))
			return refuse(in, p, "host may hold letters, digits, '-' and '.' only");
	}
	return 0;
}

/* "[" [0-9A-Fa-f:]+ "]"; `end` is where it ends. */
static int check_host_ipv6(const struct input *in, struct span host, const char **end)
{
	const char *p = host.start + 1;

	while (p < host.end &&
	       (is_digit(*p) || *p == ':' || (*p >= 'a' && *p <= 'f') || (*p >= 'A' && *p <= 'F')))
		p++;
	if (p == host.end || *p != ']' || p == host.start + 1)
		return refuse(in, p, "host must be an IPv6 address between '[' and ']'");
	*end = p + 1;
	return 0;
}

static int check_host(const struct input *in, struct span host)
{
	const char *end = host.start;

	if (*host.start == '[') {
		if (check_host_ipv6(in, host, &end) < 0)
			return -1;
		if (end == host.end)
			return 0;
		if (*end != ':')
			return refuse(in, end, "host must end after ']' or go on with ':PORT'");
	} else {
		end = memchr(host.start, ':', span_len(host));
		if (check_host_name(in, (struct span){host.start, end ? end : host.end}) < 0)
			return -1;
		if (!end)
			return 0;
	}
	return check_port(in, (struct span){end + 1, host.end});
}

/* The length of a separator between two runs of [a-z0-9]: ".", "_", "__" or any number of "-". */
static size_t separator_len(const char *p, const char *end)
{
	size_t len = 0;

	if (*p == '.')
		return 1;
	if (*p == '_')
		return p + 1 < end && p[1] == '_' ? 2 : 1;
	while (p + len < end && p[len] == '-')
		len++;
	return len;
}

static int check_component(const struct input *in, struct span part)
{
	bool after_run = false;

	if (part.start == part.end)
		return refuse(in, part.start, "repository name has an empty component");
	for (const char *p = part.start; p < part.end;) {
		if (is_lower(*p) || is_digit(*p)) {
			after_run = true;
			p++;
			continue;
		}
		if (is_upper(*p))
			return refuse(in, p, "repository name must be lower case");
		const size_t len = separator_len(p, part.end);
		if (len == 0)
			return refuse(in, p,
				      "repository name may hold lower-case letters, digits, '.', "
				      "'_' and '-' only");
		if (!after_run || p + len == part.end)
			return refuse(in, p,
				      "repository name needs a letter or a digit on both sides of "
				      "'.', '_', '__' and '-'");
		after_run = false;
		p += len;
	}
	return 0;
}

static int check_path(const struct input *in, struct span path)
{
	for (;;) {
		const char *slash = memchr(path.start, '/', span_len(path));
		const struct span part = {path.start, slash ? slash : path.end};
		if (check_component(in, part) < 0)
			return -1;
		if (!slash)
			return 0;
		path.start = slash + 1;
	}
}

static bool is_host(struct span first)
{
	const size_t len = span_len(first);

	return memchr(first.start, '.', len) || memchr(first.start, ':', len) ||
	       (len == strlen(default_host) && memcmp(first.start, default_host, len) == 0);
}

static char *parse_name(const struct input *in, struct span name)
{
	const char *slash = memchr(name.start, '/', span_len(name));
	const bool has_host = slash && is_host((struct span){name.start, slash});
	const size_t host_len = has_host ? 0 : strlen(default_host) + 1;

	if (name.start == name.end) {
		refuse(in, name.start, "repository name is empty");
		return NULL;
	}
	if (has_host && check_host(in, (struct span){name.start, slash}) < 0)
		return NULL;
	if (check_path(in, (struct span){has_host ? slash + 1 : name.start, name.end}) < 0)
		return NULL;
	if (host_len + span_len(name) > REFERENCE_NAME_MAX) {
		refuse(in, name.start, "repository name is longer than 255 bytes");
		return NULL;
	}
	return str_dupf(in->e, "%s%s%.*s", has_host ? "" : default_host, has_host ? "" : "/",
			(int)span_len(name), name.start);
}

static char *parse_tag(const struct input *in, struct span tag)
{
	if (tag.start == tag.end) {
		refuse(in, tag.start, "tag is empty");
		return NULL;
	}
	for (const char *p = tag.start; p < tag.end; p++) {
		if (is_alnum(*p) || *p == '_' || (p > tag.start && (*p == '.' || *p == '-')))
			continue;
		refuse(in, p,
		       "tag may hold letters, digits, '_', '.' and '-' only, and not start with "
		       "'.' or '-'");
		return NULL;
	}
	if (span_len(tag) > REFERENCE_TAG_MAX) {
		refuse(in, tag.start, "tag is longer than 128 bytes");
		return NULL;
	}
	return str_dup_n(tag.start, span_len(tag), in->e);
}

static int parse_digest(const struct input *in, const char *text, struct digest *out)
{
	struct err why = ERR_INIT;

	if (digest_parse(out, text, strlen(text), &why) == 0)
		return 0;
	refuse(in, text, why.msg);
	err_clear(&why);
	return -1;
}

static void reference_move(struct reference *to, struct reference *from)
{
	*to = *from;
	*from = (struct reference)REFERENCE_INIT;
}

int reference_parse(struct reference *out, const char *text, struct err *e)
{
	const struct input in = {text, e};
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	const char *at = strchr(text, '@');
	struct span name = {text, at ? at : text + strlen(text)};
	const char *slash = memrchr(text, '/', span_len(name));
	const char *colon = memrchr(text, ':', span_len(name));

	if (colon && (!slash || colon > slash)) {
		r.tag = parse_tag(&in, (struct span){colon + 1, name.end});
		if (!r.tag)
			return -1;
		name.end = colon;
	} else if (!at) {
		r.tag = str_dup(default_tag, e);
		if (!r.tag)
			return -1;
	}
	r.name = parse_name(&in, name);
	if (!r.name)
		return -1;
	r.has_digest = at != NULL;
	if (at && parse_digest(&in, at + 1, &r.digest) < 0)
		return -1;
	reference_move(out, &r);
	return 0;
}

char *reference_format(const struct reference *r, struct err *e)
{
	char digest[DIGEST_STR_MAX] = "";

	if (r->has_digest)
		digest_format(&r->digest, digest);
	return str_dupf(e, "%s%s%s%s%s", r->name, r->tag ? ":" : "", r->tag ? r->tag : "",
			r->has_digest ? "@" : "", digest);
}

char *reference_key(const struct reference *r, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (!r->tag) {
		err_set(e, ERR_USAGE, "reference '%s' has a digest, but no tag to store it under",
			quote_str(quoted, r->name));
		return NULL;
	}
	return str_dupf(e, "%s:%s", r->name, r->tag);
}

char *reference_signature_tag(const struct digest *manifest, struct err *e)
{
	char hex[DIGEST_HEX_MAX];

	/* sha512 would make a tag of more than REFERENCE_TAG_MAX bytes. */
	if (manifest->alg != DIGEST_SHA256) {
		err_set(e, ERR_UNSUPPORTED,
			"only manifests with a sha256 digest can have a "
			"signature tag");
		return NULL;
	}
	return str_dupf(e, "%s-%s.sig", digest_alg_name(manifest->alg), digest_hex(manifest, hex));
}

const char *reference_artifact_tag(const char *name)
{
	static const char prefix[] = "sha256-";
	static const char *const suffixes[] = {".sig", ".att", ".sbom"};
	/* Of a port, too, but then it is no such tag that follows. */
	const char *colon = strrchr(name, ':');
	const char *tag = colon ? colon + 1 : name;

	if (!str_has_prefix(tag, prefix))
		return NULL;
	const char *hex = tag + strlen(prefix);
	if (strspn(hex, "0123456789abcdef") != ARTIFACT_HEX_LEN)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (strcmp(hex + ARTIFACT_HEX_LEN, suffixes[i]) == 0)
			return tag;
	}
	return NULL;
}

bool reference_looks_like_digest(const struct reference *r)
{
	static const char prefix[] = "localhost/";

	if (!r->tag || !str_has_prefix(r->name, prefix))
		return false;
	const char *algorithm = r->name + strlen(prefix);
	return strcmp(algorithm, "sha256") == 0 || strcmp(algorithm, "sha512") == 0;
}

int reference_check_image_name(const struct reference *r, const char *text, struct err *e)
{
	char q[QUOTE_MAX];

	if (reference_looks_like_digest(r))
		return err_set(e, ERR_USAGE, "'%s' is a digest, not a new name (like app:1)",
			       quote_str(q, text));
	if (r->tag && reference_artifact_tag(r->tag))
		return err_set(e, ERR_USAGE,
			       "'%s' is where signatures of an image are kept, not a new name "
			       "(like app:1)",
			       quote_str(q, text));
	return 0;
}

void reference_fini(struct reference *r)
{
	free(r->name);
	free(r->tag);
	*r = (struct reference)REFERENCE_INIT;
}
