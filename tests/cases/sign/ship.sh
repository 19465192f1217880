#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The README's recipe ships an image and its signature through a registry; whoever pulls both with skopeo verifies them.
# NEEDS: docker-registry skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >registry.yml <<END
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $PWD/registry}}
http: {addr: "127.0.0.1:$port"}
END
docker-registry serve registry.yml >registry.log 2>&1 &
registry=$!
trap 'kill $registry' EXIT
wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null

digest=$(small_image app:1)
make_key team
image=127.0.0.1:$port/team/app
# shellcheck disable=SC2016 # backquotes of Markdown
sed -n '/^## Ship it/,/^## /{/^```sh$/,/^```$/{/^```/!p;};}' "$SHALE_SOURCE/README.md" |
  sed "s/registry\.example:5000/127.0.0.1:$port/g; s/^skopeo copy /skopeo copy -q --dest-tls-verify=false /" >recipe
[ "$(grep -c '^skopeo' recipe)" -eq 2 ] || fail "no recipe in the README"
SHALE_PASSPHRASE=secret sh -eu recipe >/dev/null

sig=$(echo "$digest" | tr : -).sig
skopeo inspect --tls-verify=false "docker://$image:1" >inspected.json
same "in the registry" "$(json inspected.json "d['Digest']")" "$digest"
skopeo copy -q --src-tls-verify=false "docker://$image:1" "oci:pulled:$image:1"
export SHALE_STORE="$PWD/second"
same "imported" "$(shale import -q "oci:pulled:$image:1")" "$digest"
expect 6 '*' shale verify --key team.pub "$image:1"
# A layout that holds the signature, too, brings it along.
skopeo copy -q --src-tls-verify=false "docker://$image:$sig" "oci:pulled:$image:$sig"
same "imported" "$(shale import -q "oci:pulled:$image:1")" "$digest"
same "verified" "$(shale verify --key team.pub "$image:1")" "$digest"
same "content" "$(shale cat "$image:1" /hello)" hello
