#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --build-arg beats a default, takes the environment's value without "=", and what no ARG declares changes nothing.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
cat >manifest <<'END'
ARG G=global
FROM scratch
ARG G
ARG V=default
ENV V=$V-$G-$TARGETARCH
END
# value OPTION...: of V in the image.
value() {
  FROM_ENVIRONMENT=yes V=environment shale build -q -f manifest --platform linux/arm64 -t app "$@" context >/dev/null
  inspect app "d['config']['config']['Env'][-1]"
}
same "defaults" "$(value)" V=default-global-
same "--build-arg" "$(value --build-arg V=a --build-arg=G=b)" V=a-b-
same "an empty one" "$(value --build-arg V=)" V=-global-
same "the last of two" "$(value --build-arg V=a --build-arg V=b)" V=b-global-
same "of the environment" "$(value --build-arg V)" V=environment-global-
same "one that is not set" "$(value --build-arg NOT_SET)" V=default-global-
same "undeclared" "$(value --build-arg FROM_ENVIRONMENT)" V=default-global-
expect 2 "*'--build-arg': '=x' is not NAME=VALUE" shale build --build-arg =x context
