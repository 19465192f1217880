/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of options that are KEY=VALUE: what a command line says of an image.
 */
#ifndef CLI_KEY_VALUE_H
#define CLI_KEY_VALUE_H

#include "base/err.h"
#include "base/strmap.h"
#include "packer/build.h"

/* A text for the documents of an image, which are JSON and have no room for other bytes than UTF-8:
 * ERR_USAGE. */
int key_value_check_text(const char *option, const char *text, struct err *e);

/* --build-arg NAME[=VALUE]: without a value, the environment's; not set there either: nothing. */
int key_value_arg(struct strmap *to, const char *text, struct err *e);

/* --label KEY[=VALUE]; without a value, an empty one, as docker has it. */
int key_value_label(struct strmap *to, const char *text, struct err *e);

/*
 * --annotation [KIND[,KIND]...:]KEY=VALUE, for the targets of `opt`, which are there already.  KIND
 * as docker buildx has it: "manifest" (the default), "manifest-descriptor", each with "[PLATFORM]"
 * for one target alone, and "index".  ERR_UNSUPPORTED for what is not made: an index of one target,
 * and "index-descriptor", which would be in nobody's document.  Keys of io.shale.* are ours:
 * ERR_USAGE.
 */
int key_value_annotation(struct build_options *opt, const char *text, struct err *e);

#endif
