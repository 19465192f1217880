#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image is for the platform of its base, else for --platform; variables tell the target.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# platform_of OPTION...: builds the file `manifest` and tells what its config says, and its last variable.
platform_of() {
  digest=$(shale build -q -f manifest "$@" platforms)
  config=$(json "$(blob "$digest")" "d['config']['digest']")
  json "$(blob "$config")" "d['os'] + '/' + d['architecture'] + '/' + d.get('variant', '-'), d['config']['Env'][-1]"
}
two_platforms both >/dev/null
cat >manifest <<'END'
FROM both
ARG TARGETPLATFORM
ENV T=$TARGETPLATFORM
COPY arch /other
END
for platform in amd64 arm64; do
  same "FROM an index" "$(platform_of --platform "linux/$platform" -t "$platform")" "('linux/$platform/-', 'T=linux/$platform')"
  same "its files" "$(shale cat --platform "linux/$platform" "$platform" /arch)" "$platform"
done
expect 8 "*manifest:1:6: *linux/amd64*linux/arm64*" shale build -f manifest --platform linux/s390x platforms
sed -i 's/FROM/FROM --platform=linux\/arm64/' manifest
same "FROM --platform" "$(platform_of --platform linux/amd64)" "('linux/arm64/-', 'T=linux/amd64')"
printf 'FROM scratch\nENV A=1\n' >manifest
same "scratch" "$(platform_of --platform linux/arm/v6)" "('linux/arm/v6', 'A=1')"
case $(uname -m) in
x86_64) same "this machine's" "$(platform_of)" "('linux/amd64/-', 'A=1')" ;;
aarch64) same "this machine's" "$(platform_of)" "('linux/arm64/-', 'A=1')" ;;
esac
