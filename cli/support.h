/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several commands do alike: options that mean the same everywhere.
 */
#ifndef CLI_SUPPORT_H
#define CLI_SUPPORT_H

#include "cli/command.h"
#include "fs/view.h"
#include "image/compression.h"
#include "image/platform.h"
#include "image/platform_list.h"
#include "store/image.h"
#include "store/layers.h"
#include "store/lease.h"
#include "store/store.h"

/* Rows that option tables share. */
#define OPTION_JSON                                      \
	{                                                \
		0, "json", NULL, "print a JSON document" \
	}
#define OPTION_PLATFORM                                                              \
	{                                                                            \
		0, "platform", "OS/ARCH",                                            \
			"choose in a multi-platform image (default: this machine's)" \
	}
#define OPTION_QUIET                              \
	{                                         \
		'q', "quiet", NULL, "no progress" \
	}
#define OPTION_WORKERS                                                                    \
	{                                                                                 \
		0, "workers", "N", "threads for compression (default: one per processor)" \
	}
#define OPTION_COMPRESSION                                                                       \
	{                                                                                        \
		0, "compression", "FORMAT[:LEVEL]", "zstd or gzip, for layers (default: zstd:3)" \
	}
#define OPTION_END                  \
	{                           \
		0, NULL, NULL, NULL \
	}

/* The store of --store; `flags` as store_open. */
int support_store(const struct invocation *in, unsigned flags, struct store **out, struct err *e);

/* --platform: `*out` is `room`, or NULL when it was not given. */
int support_platform(const struct invocation *in, struct platform *room,
		     const struct platform **out, struct err *e);

/* --platform, which may be repeated and list several: all of them, this machine's when none is
 * given. */
int support_platforms(const struct invocation *in, struct platform_list *out, struct err *e);

/* --workers. */
int support_workers(const struct invocation *in, unsigned *out, struct err *e);

/* --compression. */
int support_compression(const struct invocation *in, struct compression *out, struct err *e);

/* Store and image of the first argument, by --store and --platform, and the lease that keeps the
 * image until the command ends. */
int support_image(const struct invocation *in, struct store **s, struct lease **l, struct image *im,
		  struct err *e);

/* The same for one of several: the image of argument `at`, of the store and with the lease of the
 * command. */
int support_next_image(const struct invocation *in, const struct store *s, struct lease *l,
		       size_t at, struct image *im, struct err *e);

/*
 * One of many images that a command looks at did not load, because of `why`, which is taken.  What
 * is no image, or is damaged, is passed over: fsck tells of it.  One that cannot be read gets a
 * warning, and `*status`, unless it is set, the exit status that the command is to end with.
 *
 * Returns 0 to go on with the next image; -1 with `why` when it says nothing of this one
 * (err_is_own_lack), and the next would fail as well.
 */
int support_pass_over(const char *name, struct err *why, int *status, struct err *e);

/* A view of it, for commands that read files; `what` names the user of the lease.  `progress` is of
 * the opening alone. */
struct view *support_view(const struct store *s, const struct image *im, const char *what,
			  struct progress *progress, struct err *e);

#endif
