/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Little-endian numbers in bytes, at any address: what all formats here have.
 *
 * Put and get have a cursor, which they move behind the number; the caller knows that there are
 * bytes enough.
 */
#ifndef BASE_LE_H
#define BASE_LE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void le_put16(uint8_t **at, uint16_t value)
{
	const uint16_t le = htole16(value);

	memcpy(*at, &le, sizeof(le));
	*at += sizeof(le);
}

static inline void le_put32(uint8_t **at, uint32_t value)
{
	const uint32_t le = htole32(value);

	memcpy(*at, &le, sizeof(le));
	*at += sizeof(le);
}

static inline void le_put64(uint8_t **at, uint64_t value)
{
	const uint64_t le = htole64(value);

	memcpy(*at, &le, sizeof(le));
	*at += sizeof(le);
}

static inline uint16_t le_get16(const uint8_t **at)
{
	uint16_t le;

	memcpy(&le, *at, sizeof(le));
	*at += sizeof(le);
	return le16toh(le);
}

static inline uint32_t le_get32(const uint8_t **at)
{
	uint32_t le;

	memcpy(&le, *at, sizeof(le));
	*at += sizeof(le);
	return le32toh(le);
}

static inline uint64_t le_get64(const uint8_t **at)
{
	uint64_t le;

	memcpy(&le, *at, sizeof(le));
	*at += sizeof(le);
	return le64toh(le);
}

/* Without a cursor. */
static inline uint32_t le_load32(const void *bytes)
{
	const uint8_t *at = bytes;

	return le_get32(&at);
}

#endif
