/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build tells of its result: digests, and the JSON document of shale-build(1).
 */
#ifndef CLI_BUILD_REPORT_H
#define CLI_BUILD_REPORT_H

#include "cli/command.h"
#include "packer/build.h"

/* Writes what --iidfile and --metadata-file ask for, and prints the digest, or with --json the
 * document; on standard error, without --quiet, the digest of each of several platforms. */
int build_report(const struct invocation *in, const struct build_result *r, struct err *e);

#endif
