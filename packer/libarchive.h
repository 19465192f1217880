/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive, loaded where it is first needed.  Not linked: with it come the libraries of formats
 * that are never enabled here (libxml2, ICU with 30 MB of tables, nettle, libstdc++), and every
 * command would wait for them, a mount twice as long as for all else together.
 *
 * Calls: libarchive_load, then the members, which are libarchive's own functions.
 * Threads: any.  What was loaded stays until the process ends.
 */
#ifndef PACKER_LIBARCHIVE_H
#define PACKER_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"

#define LIBARCHIVE_FUNCTIONS(X)              \
	X(archive_entry_filetype)            \
	X(archive_entry_hardlink)            \
	X(archive_entry_pathname)            \
	X(archive_entry_size)                \
	X(archive_entry_symlink)             \
	X(archive_errno)                     \
	X(archive_error_string)              \
	X(archive_filter_bytes)              \
	X(archive_filter_count)              \
	X(archive_read_data)                 \
	X(archive_read_data_block)           \
	X(archive_read_free)                 \
	X(archive_read_new)                  \
	X(archive_read_next_header)          \
	X(archive_read_open)                 \
	X(archive_read_support_filter_bzip2) \
	X(archive_read_support_filter_gzip)  \
	X(archive_read_support_filter_none)  \
	X(archive_read_support_filter_xz)    \
	X(archive_read_support_filter_zstd)  \
	X(archive_read_support_format_raw)   \
	X(archive_read_support_format_tar)   \
	X(archive_set_error)

struct libarchive {
#define LIBARCHIVE_MEMBER(function) __typeof__(function) *(function);
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_MEMBER)
#undef LIBARCHIVE_MEMBER
};

/* 0, or -1 with ERR_UNSUPPORTED when this machine has no such library; `out` is then untouched. */
int libarchive_load(struct libarchive *out, struct err *e);

#endif
