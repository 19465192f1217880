/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds an image from a manifest (a Dockerfile) and a context directory; for several platforms, an
 * image for each, and an index of them.
 *
 * resolve -> assemble: the manifest is parsed and planned by manifests/, its base comes from the
 * store, each COPY and each WORKDIR that has to make directories becomes a layer, config and
 * history are what docker would write for the same file.  The refs are set last: what fails for one
 * platform publishes nothing.
 *
 * Same inputs, same manifest digest: on any machine, as any user, whatever the umask, time zone,
 * locale, directory order, file times or number of workers.
 *
 * The context is only ever opened beneath its root: links in it that lead out are errors, FIFOs and
 * sockets are refused and never opened.
 */
#ifndef PACKER_BUILD_H
#define PACKER_BUILD_H

#include <stdbool.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "image/compression.h"
#include "image/descriptor.h"
#include "image/platform.h"
#include "store/store.h"

/* A platform to build for. */
struct build_target {
	struct platform platform;             /* unified, see platform_unify */
	struct strmap annotations;            /* of its manifest */
	struct strmap descriptor_annotations; /* of its entry in the index */
};

struct build_options {
	const char *context; /* directory */
	const char *file; /* manifest; NULL: Shalefile, Containerfile or Dockerfile of the context;
			     "-": stdin */
	struct strlist tags;             /* reference texts: all refs are set, or none */
	struct strmap args;              /* --build-arg */
	struct strmap labels;            /* of the image, over those of the manifest */
	struct strmap index_annotations; /* when there are several targets */
	/* One: its manifest is the image.  Several, all different: an index of them, in this order;
	 * bases that would make two entries of it the same are a finding. */
	struct build_target *targets;
	size_t target_count;
	bool keeps_modes; /* of context files: all bits, not git's two modes */
	bool is_fresh;    /* layers are made anew, whatever earlier builds remember of them */
	struct compression compression;
	unsigned workers;
	struct progress *progress;
	/* Called for each step, "[2/5] COPY app /usr/bin/app"; may be NULL.  `platform` is NULL
	 * when there is one target. */
	void (*step)(void *ctx, const struct platform *platform, unsigned at, unsigned count,
		     const char *text);
	/* Findings that are no errors, a whole printable report; may be NULL. */
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};

struct build_result_image {
	struct descriptor manifest; /* as an index has it, with its platform */
	struct digest config;
};

struct build_result {
	struct descriptor top; /* what the names say: the manifest, or the index of several */
	struct build_result_image *images; /* as the targets */
	size_t image_count;
	struct strlist names; /* "localhost/app:1"; none without tags */
};

int build_run(const struct store *s, const struct build_options *opt, struct build_result *out,
	      struct err *e);
void build_result_fini(struct build_result *r);

#endif
