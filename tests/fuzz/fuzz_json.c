/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is accepted is written in one canonical form, which is read as the same value. */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "tests/fuzz/fuzz.h"

/* `text` is `value`, and leads to the same canonical form. */
static void check_same(const json_t *value, const struct str *text, const struct str *canonical)
{
	SCOPE(str) struct str again = STR_INIT;
	struct err e = ERR_INIT;
	SCOPE(json)
	json_t *parsed = json_parse_object(text->data, text->len, text->len, "input", &e);

	FUZZ_CHECK(parsed && json_equal(parsed, value));
	FUZZ_CHECK(json_format(parsed, &again, &e) == 0);
	FUZZ_CHECK(again.len == canonical->len &&
		   memcmp(again.data, canonical->data, again.len) == 0);
}

static void read_members(json_t *root)
{
	const char *key, *text;
	json_t *value, *child;
	uint64_t number;
	bool flag;

	json_object_foreach(root, key, value)
	{
		struct err e = ERR_INIT;
		if (json_get_str(root, key, "input", &text, &e) < 0)
			err_clear(&e);
		if (json_get_u64(root, key, "input", INT64_MAX, &number, &e) < 0)
			err_clear(&e);
		if (json_get_bool(root, key, "input", &flag, &e) < 0)
			err_clear(&e);
		if (json_get_object(root, key, "input", &child, &e) < 0)
			err_clear(&e);
		if (json_get_array(root, key, "input", &child, &e) < 0)
			err_clear(&e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPE(str) struct str text = STR_INIT, pretty = STR_INIT;
	struct err e = ERR_INIT;
	SCOPE(json)
	json_t *root = json_parse_object((const char *)data, size, LIMIT_DOCUMENT, "input", &e);

	if (!root) {
		FUZZ_CHECK(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
		err_clear(&e);
		return 0;
	}
	FUZZ_CHECK(json_format(root, &text, &e) == 0 && json_format_pretty(root, &pretty, &e) == 0);
	check_same(root, &text, &text);
	check_same(root, &pretty, &text);
	read_members(root);
	return 0;
}
