/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 512-byte blocks of tar headers: fields, dialects, numbers, checksum.  Knows nothing of how
 * blocks follow each other.
 *
 * Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 *
 * Private to image/tar_*.c.
 */
#ifndef IMAGE_TAR_BLOCK_H
#define IMAGE_TAR_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tar_type {
	TAR_REG = '0',
	TAR_REG_OLD = '\0', /* a directory, when its name ends in "/" */
	TAR_HARDLINK = '1',
	TAR_SYMLINK = '2',
	TAR_CHAR = '3',
	TAR_BLOCK_DEVICE = '4',
	TAR_DIR = '5',
	TAR_FIFO = '6',
	TAR_CONTIGUOUS = '7', /* regular, for every system that is left */
	TAR_PAX_LOCAL = 'x',
	TAR_PAX_GLOBAL = 'g',
	TAR_GNU_LONG_NAME = 'L',
	TAR_GNU_LONG_LINK = 'K',
	TAR_GNU_SPARSE = 'S',
	TAR_GNU_LABEL = 'V', /* of the volume: no member */
};

struct tar_sparse_field {
	char offset[12];
	char length[12];
};

struct tar_block {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	union {
		char prefix[155]; /* ustar */
		struct {
			char prefix[131];
			char access_time[12];
			char change_time[12];
			char pad[8];
			char trailer[4];
		} star;
		struct {
			char access_time[12];
			char change_time[12];
			char offset[12];
			char longnames[4];
			char unused;
			struct tar_sparse_field sparse[4];
			char is_extended;
			char real_size[12];
		} gnu;
		char bytes[167];
	} tail;
};

/* Follows a header of TAR_GNU_SPARSE that says is_extended. */
struct tar_sparse_block {
	struct tar_sparse_field sparse[21];
	char is_extended;
	char pad[7];
};

_Static_assert(sizeof(struct tar_block) == 512, "a header fills a block");
_Static_assert(sizeof(struct tar_sparse_block) == 512, "a sparse map fills blocks");

enum tar_dialect {
	TAR_UNKNOWN,
	TAR_V7,    /* before POSIX: no magic, nothing after `link` */
	TAR_USTAR, /* and pax */
	TAR_STAR,  /* ustar with a shorter prefix */
	TAR_GNU,   /* no prefix */
};

enum tar_dialect tar_block_dialect(const struct tar_block *b);
bool tar_block_is_zero(const struct tar_block *b);

/* Right as a sum of unsigned bytes, or of signed ones as some old programs have it. */
bool tar_block_checksum_is_right(const struct tar_block *b);
void tar_block_set_checksum(struct tar_block *b);

/*
 * A number field: octal digits, or base-256.  Blank is 0.  Returns 0, or -1 for anything else,
 * negative or above `max`; `out` is then untouched.
 */
int tar_number(const char *field, size_t width, uint64_t max, uint64_t *out);

/* A time, which may be negative.  What is outside of ENTRY_TIME_MAX is clamped to it. */
int tar_time(const char *field, size_t width, int64_t *out);

/* Writes octal digits and a NUL; false when `value` does not fit. */
bool tar_put_number(char *field, size_t width, uint64_t value);

/* Bytes before the NUL, or all of the field. */
size_t tar_text_len(const char *field, size_t width);

#endif
