/* SPDX-License-Identifier: Apache-2.0 */
/* References: what is accepted is shown in a form that means the same reference. */
#include <string.h>

#include "base/str.h"
#include "image/reference.h"
#include "tests/fuzz/fuzz.h"

static void check_accepted(const struct reference *r)
{
	SCOPE(reference) struct reference again = REFERENCE_INIT;
	struct err e = ERR_INIT;
	SCOPE_FREE char *text = reference_format(r, &e);
	SCOPE_FREE char *text_again = NULL;
	SCOPE_FREE char *key = NULL;

	FUZZ_CHECK(text && strchr(r->name, '/') && strlen(r->name) <= REFERENCE_NAME_MAX);
	FUZZ_CHECK(!strstr(r->name, "..") && !strstr(r->name, "//"));
	FUZZ_CHECK(reference_parse(&again, text, &e) == 0);
	text_again = reference_format(&again, &e);
	FUZZ_CHECK(text_again && strcmp(text, text_again) == 0);
	if (r->tag) {
		key = reference_key(r, &e);
		FUZZ_CHECK(key);
		(void)reference_artifact_tag(r->tag);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	struct err e = ERR_INIT;
	SCOPE_FREE char *text = str_dup_n(data, size, &e);

	FUZZ_CHECK(text);
	if (reference_parse(&r, text, &e) == 0) {
		check_accepted(&r);
		return 0;
	}
	FUZZ_CHECK(e.code == ERR_SYNTAX && !r.name && !r.tag);
	err_clear(&e);
	return 0;
}
