/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/chmod.h"

#include <string.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "base/str.h"
#include "manifests/chars.h"

enum {
	WHO_USER = S_ISUID | S_IRWXU,
	WHO_GROUP = S_ISGID | S_IRWXG,
	WHO_OTHERS = S_ISVTX | S_IRWXO,
	WHO_DEFAULT = CHMOD_MASK & ~022, /* all, less what a umask of 022 protects */
	READ_BITS = 0444,
	WRITE_BITS = 0222,
	EXEC_BITS = 0111,
};

static int refuse(const char *text, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_SYNTAX, "bad mode '%s': %s", quote_str(quoted, text), why);
}

static const char *parse_who(const char *s, struct chmod_action *out)
{
	unsigned who = 0;

	for (;; s++) {
		if (*s == 'u')
			who |= WHO_USER;
		else if (*s == 'g')
			who |= WHO_GROUP;
		else if (*s == 'o')
			who |= WHO_OTHERS;
		else if (*s == 'a')
			who |= CHMOD_MASK;
		else
			break;
	}
	out->who = (uint16_t)(who ? who : WHO_DEFAULT);
	out->clears = (uint16_t)(who ? who : CHMOD_MASK);
	return s;
}

static const char *parse_bits(const char *s, struct chmod_action *a)
{
	if (*s == 'u' || *s == 'g' || *s == 'o') {
		a->copy = *s;
		return s + 1;
	}
	for (;; s++) {
		if (*s == 'r')
			a->bits |= READ_BITS;
		else if (*s == 'w')
			a->bits |= WRITE_BITS;
		else if (*s == 'x')
			a->bits |= EXEC_BITS;
		else if (*s == 'X')
			a->is_x_asked = true;
		else if (*s == 's')
			a->bits |= S_ISUID | S_ISGID;
		else if (*s == 't')
			a->bits |= S_ISVTX;
		else
			return s;
	}
}

/* Whose the "t" is, GNU and BSD do not agree on; nobody minds it for whoever it was asked. */
static void widen_sticky(struct chmod_action *a)
{
	if (a->bits & S_ISVTX)
		a->who |= S_ISVTX;
}

static int parse_symbolic(struct chmod_spec *out, const char *text, struct err *e)
{
	const char *s = text;

	for (;;) {
		struct chmod_action subject = {0};
		s = parse_who(s, &subject);
		if (!*s || !strchr("+-=", *s))
			return refuse(text, "neither octal nor like u=rwX,go=rX", e);
		while (*s && strchr("+-=", *s)) {
			if (out->count == CHMOD_ACTIONS_MAX)
				return refuse(text, "too many operators", e);
			struct chmod_action *a = &out->actions[out->count++];
			*a = subject;
			a->op = *s;
			s = parse_bits(s + 1, a);
			widen_sticky(a);
		}
		if (!*s)
			return 0;
		if (*s++ != ',')
			return refuse(text, "neither octal nor like u=rwX,go=rX", e);
	}
}

int chmod_parse(struct chmod_spec *out, const char *text, struct err *e)
{
	struct chmod_spec spec = {0};
	uint64_t octal;

	if (chars_is_digit((unsigned char)text[0])) {
		if (str_to_u64(text, strlen(text), 8, CHMOD_MASK, &octal) < 0)
			return refuse(text, "octal modes are between 0 and 07777", e);
		spec.is_octal = true;
		spec.octal = (uint16_t)octal;
	} else if (parse_symbolic(&spec, text, e) < 0) {
		return -1;
	}
	*out = spec;
	return 0;
}

/* The rwx of one class, for all classes. */
static mode_t copied_bits(char from, mode_t mode)
{
	const unsigned shift = from == 'u' ? 6 : from == 'g' ? 3 : 0;
	const mode_t rwx = mode >> shift & 07;

	return rwx << 6 | rwx << 3 | rwx;
}

mode_t chmod_apply(const struct chmod_spec *spec, mode_t mode, bool is_dir)
{
	if (spec->is_octal)
		return spec->octal;
	mode &= CHMOD_MASK;
	for (size_t i = 0; i < spec->count; i++) {
		const struct chmod_action *a = &spec->actions[i];
		mode_t bits = a->copy ? copied_bits(a->copy, mode) : a->bits;
		if (a->is_x_asked && (is_dir || mode & EXEC_BITS))
			bits |= EXEC_BITS;
		bits &= a->who;
		if (a->op == '-')
			mode &= ~bits;
		else if (a->op == '+')
			mode |= bits;
		else
			mode = (mode & ~(mode_t)a->clears) | bits;
	}
	return mode;
}
