/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits, as `shale commit` and `shale edit` make them: their options, the layer of what a session
 * changed, and the image of it.
 *
 * Calls: committing_init -> committing_options -> committing_check? -> committing_run ->
 * committing_print or committing_print_json -> committing_fini.
 */
#ifndef CLI_COMMITTING_H
#define CLI_COMMITTING_H

#include "cli/output.h"
#include "cli/support.h"
#include "cli/support_session.h"
#include "fs/commit_layer.h"
#include "packer/commit.h"

struct committing {
	struct commit_options opt;
	struct commit_layer_options changes;
	struct layer_options layer_opt;
	bool is_quiet;
	/* Set by committing_run. */
	const struct store *store;
	struct lease *lease;
	struct commit commit;
	struct commit_layer_result result;
	bool has_layer; /* something differs */
	struct descriptor layer;
	struct digest diff_id;
	struct descriptor manifest;
};

void committing_init(struct committing *w);
void committing_fini(struct committing *w);
SCOPE_DEFINE_VALUE(committing, struct committing, committing_fini)

/* The rows of what committing_options reads, for the table of a command. */
#define OPTIONS_COMMITTING                                                                        \
	{'t', "tag", "NAME[:TAG]", "name the image; may be repeated"},                            \
		{'m', "message", "TEXT", "what the history says of the change"},                  \
		{'a', "author", "TEXT", "who made it"},                                           \
		{'c', "change", "INSTRUCTION", "change the configuration, as a build file does"}, \
		{0, "label", "KEY=VALUE", "set a label of the image"},                            \
		{0, "annotation", "KEY=VALUE", "set an annotation of the manifest"},              \
		{0, "timestamp", "SECONDS",                                                       \
		 "no time in the image is later (default: SOURCE_DATE_EPOCH)"},                   \
		{0, "times", NULL, "commit files of which only the time differs, too"},           \
		OPTION_COMPRESSION, OPTION_WORKERS

/* What the options say that shale-commit(1) and shale-edit(1) both have; texts are borrowed.
 * ERR_USAGE, ERR_LIMIT; ERR_SYS when standard output is closed. */
int committing_options(struct committing *w, const struct invocation *in, struct err *e);

/* That names and changes can be an image over `base`, before any work is done: as commit_init. */
int committing_check(const struct committing *w, const struct store *s, const struct image *base,
		     struct err *e);

/* Makes the image of what `x` changed; its names are set last.  All is borrowed until
 * committing_fini. */
int committing_run(struct committing *w, struct store *s, struct lease *l,
		   const struct support_session *x, struct progress_line *line, struct err *e);

/* The digest of the image's manifest, and a line's end. */
int committing_print(const struct committing *w, struct err *e);
/* The report of shale-commit(1). */
int committing_print_json(const struct committing *w, struct err *e);

#endif
