#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# images --filter lists what podman images --filter lists of the same images.
# NEEDS: root podman skopeo
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

mkdir context
echo x >context/x
# image NAME EPOCH [LINE]: in the store, and podman's.
image() {
  printf 'FROM scratch\nCOPY x /\n%s\n' "${3:-}" |
    SOURCE_DATE_EPOCH=$2 shale build -q -f - -t "$1" context >/dev/null
  skopeo --insecure-policy copy -q "oci:$SHALE_STORE:$1" "oci-archive:one.tar:$1"
  run_podman load -q -i one.tar >/dev/null
  rm one.tar
}
image localhost/app:1 1000000000 'LABEL team=web tier=front'
image localhost/app:2 1100000000 'LABEL team=web'
image localhost/team/db:1 1200000000 'LABEL team= x=a=b'
image registry.example:5000/team/db:1 1300000000
image docker.io/library/web:9 1400000000

lines=0
# label=KEY= is not among them: podman takes it for any value, docker and shale for an empty one.
for filter in reference=app:1 reference=localhost/app 'reference=localhost/*/*' label=team label=team=web label=tea \
  before=localhost/team/db:1 since=localhost/team/db:1 dangling=false dangling=true; do
  run_podman images --filter "$filter" --format '{{.Repository}}:{{.Tag}}' | LC_ALL=C sort >want
  shale images --json --filter "$filter" >got.json
  json got.json "''.join(sorted(i['name'] + chr(10) for i in d))" | sed '/^$/d' >got
  diff -u want got >&2 || fail "podman lists something else for $filter"
  lines=$((lines + $(wc -l <want)))
done
[ "$lines" -gt 12 ] || fail "too few images to tell: $lines"
run_podman rmi -a -f >/dev/null
