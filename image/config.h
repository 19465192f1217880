/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image configurations: what a container of the image runs, and how the image came to be.
 *
 * Source: OCI image-spec, config.md; docker's extensions Shell, Healthcheck, OnBuild, ArgsEscaped
 * are kept.  Other members are dropped when a config is written again, as BuildKit does.
 */
#ifndef IMAGE_CONFIG_H
#define IMAGE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "image/platform.h"

/* Times in nanoseconds, 0 for unset. */
struct healthcheck {
	struct strlist test; /* {"NONE"}, {"CMD", ...}, {"CMD-SHELL", text} */
	int64_t interval, timeout, start_period, start_interval;
	int64_t retries;
};

struct history {
	char *created; /* RFC 3339; NULL: none */
	char *created_by;
	char *author;
	char *comment;
	bool is_empty_layer;
};

struct image_config {
	char *created; /* RFC 3339; NULL: none */
	char *author;
	struct platform platform;

	char *user;
	struct strlist env; /* NAME=value, in order */
	struct strlist entrypoint;
	struct strlist cmd;
	struct strlist shell;
	struct strlist onbuild;
	char *working_dir;
	char *stop_signal;
	struct strmap labels;
	struct strmap exposed_ports; /* "80/tcp" -> "" */
	struct strmap volumes;       /* path -> "" */
	bool has_healthcheck;
	struct healthcheck healthcheck;
	bool args_escaped;

	struct digest *diff_ids; /* of the layers, base first */
	size_t diff_id_count;
	struct history *history;
	size_t history_count;
};

/* ERR_FORMAT, ERR_LIMIT. */
int image_config_parse(struct image_config *out, const char *bytes, size_t len, struct err *e);
/* Canonical JSON. */
int image_config_format(const struct image_config *c, struct str *out, struct err *e);

int image_config_add_diff_id(struct image_config *c, const struct digest *diff_id, struct err *e);
/* Copies; NULL texts are left out. */
int image_config_add_history(struct image_config *c, const struct history *h, struct err *e);

void image_config_init(struct image_config *c);
void image_config_fini(struct image_config *c);
SCOPE_DEFINE_VALUE(image_config, struct image_config, image_config_fini)

/* "1980-01-01T00:00:00Z" */
char *config_format_time(int64_t epoch_s, struct err *e);

#endif
