/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of exports share: an export below the scratch folder of an image in the fixture's
 * store.
 */
#ifndef TESTS_UNIT_PACKER_EXPORTS_H
#define TESTS_UNIT_PACKER_EXPORTS_H

#include "packer/export.h"
#include "tests/unit/store/fixture.h"

/* As export_run; `form` ("oci") and a path below the scratch folder. */
int exports_run(const char *image, const char *form, const char *path,
		const struct export_options *opt, struct export_result *out, struct err *e);
/* The same, which must succeed. */
void exports_well(const char *image, const char *form, const char *path,
		  const struct export_options *opt, struct export_result *out);

/* A file below the scratch folder. */
void exports_slurp(const char *name, struct str *out);

/* Exports "app:1" with each allocation failing once: what fails leaves nothing, and at last there
 * is one file or folder more. */
void exports_without_memory(const char *form, const struct export_options *opt);

#endif
