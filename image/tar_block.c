/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_block.h"

#include <assert.h>
#include <string.h>

#include "image/entry_check.h"
#include "image/holes.h"

enum {
	BASE256_MARK = 0x80, /* bits of a field's first byte */
	BASE256_SIGN = 0x40,
	OCTAL_BITS = 3,
};

enum tar_dialect tar_block_dialect(const struct tar_block *b)
{
	static const char no_magic[sizeof(b->magic) + sizeof(b->version)];
	char magic[sizeof(no_magic)];

	memcpy(magic, b->magic, sizeof(b->magic));
	memcpy(magic + sizeof(b->magic), b->version, sizeof(b->version));
	if (memcmp(magic, "ustar  ", sizeof(magic)) == 0)
		return TAR_GNU;
	/* Old versions of Ant and Commons Compress leave the version out. */
	if (memcmp(magic,
		   "ustar\0"
		   "00",
		   sizeof(magic)) == 0 ||
	    memcmp(magic,
		   "ustar\0"
		   "\0",
		   sizeof(magic)) == 0)
		return memcmp(b->tail.star.trailer, "tar", sizeof(b->tail.star.trailer)) == 0
			       ? TAR_STAR
			       : TAR_USTAR;
	if (memcmp(magic, no_magic, sizeof(magic)) == 0)
		return TAR_V7;
	return TAR_UNKNOWN;
}

bool tar_block_is_zero(const struct tar_block *b)
{
	return holes_is_zero(b, sizeof(*b));
}

/* The checksum field itself counts as blanks. */
static uint32_t sum_unsigned(const struct tar_block *b)
{
	const unsigned char *p = (const unsigned char *)b;
	uint32_t sum = sizeof(b->checksum) * ' ';

	for (size_t i = 0; i < offsetof(struct tar_block, checksum); i++)
		sum += p[i];
	for (size_t i = offsetof(struct tar_block, type); i < sizeof(*b); i++)
		sum += p[i];
	return sum;
}

static int32_t sum_signed(const struct tar_block *b)
{
	const signed char *p = (const signed char *)b;
	int32_t sum = sizeof(b->checksum) * ' ';

	for (size_t i = 0; i < offsetof(struct tar_block, checksum); i++)
		sum += p[i];
	for (size_t i = offsetof(struct tar_block, type); i < sizeof(*b); i++)
		sum += p[i];
	return sum;
}

bool tar_block_checksum_is_right(const struct tar_block *b)
{
	uint64_t said;

	return tar_number(b->checksum, sizeof(b->checksum), UINT32_MAX, &said) == 0 &&
	       (said == sum_unsigned(b) || (int64_t)said == sum_signed(b));
}

void tar_block_set_checksum(struct tar_block *b)
{
	/* Six digits, NUL, blank: as every tar writes it. */
	tar_put_number(b->checksum, sizeof(b->checksum) - 1, sum_unsigned(b));
	b->checksum[sizeof(b->checksum) - 1] = ' ';
}

static bool is_base256(const char *field)
{
	return ((unsigned char)field[0] & BASE256_MARK) != 0;
}

/* Big endian, two's complement; the mark is not a part of the number. */
static int64_t base256(const char *field, size_t width, bool *overflows)
{
	const bool is_negative = ((unsigned char)field[0] & BASE256_SIGN) != 0;
	int64_t value = (unsigned char)field[0] & (BASE256_SIGN - 1);

	*overflows = false;
	if (is_negative)
		value -= BASE256_SIGN;
	for (size_t i = 1; i < width; i++) {
		if (__builtin_mul_overflow(value, 256, &value)) {
			*overflows = true;
			return is_negative ? INT64_MIN : INT64_MAX;
		}
		value += (unsigned char)field[i];
	}
	return value;
}

static int octal(const char *field, size_t width, uint64_t *out)
{
	uint64_t value = 0;
	size_t i = 0;

	assert(width * OCTAL_BITS < 64); /* no field of a header is that wide */
	while (i < width && field[i] == ' ')
		i++;
	for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << OCTAL_BITS | (uint64_t)(field[i] - '0');
	/* A number ends with its field, or with NULs and blanks. */
	for (; i < width; i++) {
		if (field[i] != ' ' && field[i] != '\0')
			return -1;
	}
	*out = value;
	return 0;
}

int tar_number(const char *field, size_t width, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (is_base256(field)) {
		bool overflows;
		const int64_t n = base256(field, width, &overflows);
		if (overflows || n < 0)
			return -1;
		value = (uint64_t)n;
	} else if (octal(field, width, &value) < 0) {
		return -1;
	}
	if (value > max)
		return -1;
	*out = value;
	return 0;
}

int tar_time(const char *field, size_t width, int64_t *out)
{
	uint64_t value;

	if (is_base256(field)) {
		bool overflows;
		const int64_t n = base256(field, width, &overflows);
		*out = n > ENTRY_TIME_MAX    ? ENTRY_TIME_MAX
		       : n < -ENTRY_TIME_MAX ? -ENTRY_TIME_MAX
					     : n;
		return 0;
	}
	if (octal(field, width, &value) < 0)
		return -1;
	*out = (int64_t)value; /* at most 12 digits of 3 bits */
	return 0;
}

bool tar_put_number(char *field, size_t width, uint64_t value)
{
	size_t i = width - 1;

	field[i] = '\0';
	while (i > 0) {
		field[--i] = (char)('0' + (value & 7));
		value >>= OCTAL_BITS;
	}
	return value == 0;
}

size_t tar_text_len(const char *field, size_t width)
{
	return strnlen(field, width);
}
