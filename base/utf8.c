/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

size_t utf8_decode(const char *s, size_t len, uint32_t *out)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t first = (uint8_t)s[0];
	uint32_t point;
	size_t need;

	if (first < 0x80) {
		*out = first;
		return 1;
	}
	if ((first & 0xe0) == 0xc0) {
		need = 2;
		point = first & 0x1f;
	} else if ((first & 0xf0) == 0xe0) {
		need = 3;
		point = first & 0x0f;
	} else if ((first & 0xf8) == 0xf0) {
		need = 4;
		point = first & 0x07;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		const uint8_t next = (uint8_t)s[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (next & 0x3f);
	}
	if (point < smallest[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*out = point;
	return need;
}

bool utf8_is_valid(const char *s, size_t len)
{
	uint32_t point;

	for (size_t at = 0, n; at < len; at += n) {
		n = utf8_decode(s + at, len - at, &point);
		if (n == 0)
			return false;
	}
	return true;
}
