/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree in the format of BuildKit's parser tests.  A pair is followed by its separator, "=" or,
 * in the old form, nothing.
 */
#include <string.h>

#include "manifests/buildfile.h"
#include "manifests/chars.h"
#include "manifests/gotext.h"

static int dump_name(const char *name, struct str *out, struct err *e)
{
	for (; *name; name++) {
		if (str_append_c(out, chars_lower(*name), e) < 0)
			return -1;
	}
	return 0;
}

static int dump_flags(const struct instruction *i, struct str *out, struct err *e)
{
	if (i->flag_count == 0)
		return 0;
	for (size_t k = 0; k < i->flag_count; k++) {
		const struct flag *flag = &i->flags[k];
		SCOPE_FREE char *text = str_dupf(e, "--%s%s%s", flag->name, flag->value ? "=" : "",
						 flag->value ? flag->value : "");
		if (!text || str_append_z(out, k == 0 ? " [" : " ", e) < 0 ||
		    gotext_quote(out, text, e) < 0)
			return -1;
	}
	return str_append_c(out, ']', e);
}

static int dump_words(const struct instruction *i, struct str *out, struct err *e)
{
	const bool is_pairs = i->form == FORM_PAIRS || i->form == FORM_LEGACY_PAIR;

	for (size_t k = 0; k < i->word_count; k++) {
		if (str_append_c(out, ' ', e) < 0 || gotext_quote(out, i->words[k].text, e) < 0)
			return -1;
		if (is_pairs && k % 2 == 1 &&
		    str_append_z(out, i->form == FORM_PAIRS ? " \"=\"" : " \"\"", e) < 0)
			return -1;
	}
	return 0;
}

static int dump_one(const struct instruction *i, struct str *out, struct err *e)
{
	if (str_append_c(out, '(', e) < 0 || dump_name(i->name, out, e) < 0 ||
	    dump_flags(i, out, e) < 0)
		return -1;
	return dump_words(i, out, e);
}

int buildfile_dump(const struct buildfile *b, struct str *out, struct err *e)
{
	for (size_t k = 0; k < b->count; k++) {
		const struct instruction *i = b->instructions[k];
		if (dump_one(i, out, e) < 0)
			return -1;
		if (i->trigger &&
		    (str_append_c(out, ' ', e) < 0 || dump_one(i->trigger, out, e) < 0 ||
		     str_append_c(out, ')', e) < 0))
			return -1;
		if (str_append_z(out, ")\n", e) < 0)
			return -1;
	}
	return 0;
}
