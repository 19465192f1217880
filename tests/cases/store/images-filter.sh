#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# images --filter lists the images for which all conditions hold; of several patterns one is enough.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# named OPTION...: the names that are listed, without those of the store's host.
named() {
  shale images --json "$@" >named.json
  json named.json "' '.join(sorted(str(i['name']).replace('localhost/', '') for i in d))"
}

mkdir context
echo x >context/x
# image NAME EPOCH [LINE]: its time is EPOCH.
image() {
  printf 'FROM scratch\nCOPY x /\n%s\n' "${3:-}" |
    SOURCE_DATE_EPOCH=$2 shale build -q -f - -t "$1" context
}
expect 8 "*'--filter before': no image 'a': there is no store yet" shale images --filter before=a
old=$(image app:1 1000000000 'LABEL team=web tier=front')
image app:2 1100000000 'LABEL team=web' >/dev/null
image team/db:1 1200000000 'LABEL team= x=a=b' >/dev/null
image registry.example:5000/team/db:1 1300000000 >/dev/null
image docker.io/library/web:9 1400000000 >/dev/null

same "no filter" "$(named)" "app:1 app:2 docker.io/library/web:9 registry.example:5000/team/db:1 team/db:1"
same "a name" "$(named --filter reference=app)" "app:1 app:2"
same "name and tag" "$(named --filter reference=app:1)" "app:1"
same "the host" "$(named --filter reference=localhost/app:2)" "app:2"
same "docker's short name" "$(named --filter 'reference=w*')" "docker.io/library/web:9"
same "a star is no slash" "$(named --filter 'reference=*')" "app:1 app:2 docker.io/library/web:9"
same "with slashes" "$(named --filter 'reference=*/*')" "app:1 app:2 team/db:1"
same "a port is no tag" "$(named --filter 'reference=registry.example:5000/*/*')" "registry.example:5000/team/db:1"
same "a set" "$(named --filter 'reference=app:[2-9]')" "app:2"
same "two patterns" "$(named --filter reference=app:1 --filter 'reference=team/*')" "app:1 team/db:1"
same "a label" "$(named --filter label=team)" "app:1 app:2 team/db:1"
same "its value" "$(named --filter label=team=web)" "app:1 app:2"
same "an empty value" "$(named --filter label=team=)" "team/db:1"
same "a value with =" "$(named --filter label=x=a=b)" "team/db:1"
same "all labels" "$(named --filter label=team=web --filter label=tier)" "app:1"
same "no such label" "$(named --filter label=tea)" ""
same "before" "$(named --filter before=team/db:1)" "app:1 app:2"
same "since" "$(named --filter since=team/db:1)" "docker.io/library/web:9 registry.example:5000/team/db:1"
same "between" "$(named --filter since=app:1 --filter before=registry.example:5000/team/db:1)" "app:2 team/db:1"
same "all together" "$(named --filter since=app:1 --filter label=team=web --filter 'reference=app*')" "app:2"
same "-q" "$(shale images -q --filter reference=app:1)" "$old"
same "the table" "$(shale images --filter reference=nope | tr -s ' ')" "NAME DIGEST PLATFORM LAYERS SIZE"

# An image without a name, as other tools leave it; and one that cannot be read.
python3 - "$SHALE_STORE/index.json" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    index = json.load(f)
named = [m for m in index["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == "localhost/app:2"][0]
index["manifests"].append({k: v for k, v in named.items() if k != "annotations"})
with open(sys.argv[1], "w") as f:
    json.dump(index, f)
END
same "without a filter" "$(named | wc -w)" 5
same "dangling=true" "$(named --filter dangling=true)" None
same "in the table" "$(shale images --filter dangling=true | sed 1d | cut -d ' ' -f 1)" "<none>"
same "its digest" "$(shale images -q --filter dangling=true)" "$(shale images -q --filter reference=app:2)"
same "with a label" "$(named --filter dangling=1 --filter label=team=web)" None
same "with a name" "$(named --filter dangling=true --filter 'reference=*')" ""
same "dangling=false" "$(named --filter dangling=false | wc -w)" 5
rm "$(blob "$old")"
same "what cannot be read, by name" "$(named --filter reference=app:1)" "app:1"
same "by label" "$(named --filter label=team=web)" "app:2"
same "by time" "$(named --filter before=team/db:1)" "app:2"

expect 2 "*'--filter': unknown key 'size', known are: reference, label, before, since, dangling" shale images --filter size=x
expect 2 "*unknown key '\\\\x1b\[31m'*" shale images --filter "$(printf '\033[31m=x')"
expect 2 "*'--filter': 'label' has no value: label=KEY\[=VALUE\]" shale images --filter label
expect 2 "*'before=' has no value: before=IMAGE" shale images --filter before=
expect 2 "*dangling is 'true' or 'false', not 'yes'" shale images --filter dangling=yes
expect 2 "*'--quiet' and '--json'*" shale images -q --json
expect 8 "*option '--filter since': no image 'localhost/nope:latest'*" shale images --filter since=nope
