#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --version prints the version of meson.build, in one line.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

version=$(sed -n "s/^ *version: '\([^']*\)',*$/\1/p" "$SHALE_SOURCE/meson.build" | head -n 1)
same "shale --version" "$(shale --version)" "shale $version"
