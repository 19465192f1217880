/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of options that are KEY=VALUE: what a command line says of an image.
 */
#ifndef CLI_KEY_VALUE_H
#define CLI_KEY_VALUE_H

#include "base/err.h"
#include "base/strmap.h"
#include "image/platform.h"

/* --build-arg NAME[=VALUE]: without a value, the environment's; not set there either: nothing. */
int key_value_arg(struct strmap *to, const char *text, struct err *e);

/* --label KEY[=VALUE]; without a value, an empty one, as docker has it. */
int key_value_label(struct strmap *to, const char *text, struct err *e);

/*
 * --annotation [manifest[[PLATFORM]]:]KEY=VALUE, for the manifest of the one image that is made,
 * which is for `platform`.  docker's other kinds (index:, ...) are ERR_UNSUPPORTED: there is no
 * such document.  Keys of io.shale.* are ours: ERR_USAGE.
 */
int key_value_annotation(struct strmap *to, const char *text, const struct platform *platform,
			 struct err *e);

#endif
