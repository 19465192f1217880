#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image without a signature, or with one of another key, is refused with 6, and the report says at which step.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
make_key team
make_key other
# refuse STEP OPTION...: verify ends with 6 at this step.
refuse() {
  step=$1
  shift
  expect 6 '*' shale verify "$@"
  status=0
  shale verify --json "$@" >report.json 2>/dev/null || status=$?
  same "status with --json" "$status" 6
  same "failed step" "$(json report.json "d['verified'], d['failed_step']")" "(False, '$step')"
}
refuse "signature artifact" --key team.pub app
sign app
refuse key --key other.pub app
shale verify --key team.pub app >/dev/null
# The name moved to another image: its signature is for the former one.
small_image app changed >/dev/null
refuse "signature artifact" --key team.pub app
