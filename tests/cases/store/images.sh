#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# images lists names, digests, platforms, layers and sizes; (+) marks an image of several platforms.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

same "an empty store" "$(shale images | tr -s ' ')" "NAME DIGEST PLATFORM LAYERS SIZE"
same "as JSON" "$(shale images --json)" "[]"
same "as names" "$(shale images --names 2>&1)" ""
[ ! -e "$SHALE_STORE" ] || fail "listing made a store"
expect 8 "*no store at '*/none'*" shale images --store none
digest=$(small_image app:1)
both=$(two_platforms both)
shale images >out
same "heads" "$(head -n 1 out | tr -s ' ')" "NAME DIGEST PLATFORM LAYERS SIZE"
short=$(echo "$digest" | cut -c1-19)
grep -Eq "^localhost/app:1  +$short  +linux/[a-z0-9]+  +1  +[0-9.]+ [A-Za-z]+$" out || fail "$(cat out)"
grep -Eq "^localhost/both:latest  +$(echo "$both" | cut -c1-19)  +linux/[a-z0-9]+ \(\+\)  +1  " out || fail "$(cat out)"
same "--digests" "$(shale images --digests | sed -n 's/^localhost\/app:1 *\([^ ]*\) .*/\1/p')" "$digest"
shale images --json >images.json
same "size" "$(json images.json "d[0]['size']")" "$(wc -c <"$(blob "$(layers app:1)")")"
same "created" "$(json images.json "d[0]['created']")" 1980-01-01T00:00:00Z
# An image that cannot be read is listed all the same.
rm "$(blob "$digest")"
same "a damaged image" "$(shale images | sed -n 's/^\(localhost\/app:1\) .* \(-\) .*/\1 \2/p')" "localhost/app:1 -"
same "--names" "$(shale images --names | tr '\n' ' ')" "localhost/app:1 localhost/both:latest "
expect 2 "*'--names' and '--json' exclude each other*" shale images --names --json
# Whatever a name holds, a line is one name.
python3 - "$SHALE_STORE/index.json" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    index = json.load(f)
index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "two\nlines \033[1m"
with open(sys.argv[1], "w") as f:
    json.dump(index, f)
END
same "a hostile name" "$(shale images --names)" 'two\nlines \x1b[1m
localhost/both:latest'
