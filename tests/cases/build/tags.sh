#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# -t names an image in full; a wrong name is told before anything is done; without -t only the digest finds the image.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
printf 'FROM scratch\n' >context/Shalefile
for name in app app:v1 team/app registry.example/team/app:2 host:5000/app localhost/x; do
  shale build -q -t "$name" context >/dev/null
done
same "names" "$(shale images | sed '1d;s/ .*//' | sort | paste -sd' ')" \
  "host:5000/app:latest localhost/app:latest localhost/app:v1 localhost/team/app:latest localhost/x:latest registry.example/team/app:2"
before=$(shale images)
while IFS='|' read -r status wrong word; do
  expect "$status" "shale: option '--tag': *$word*" shale build -q -t "$wrong" context
done <<END
2||repository name is empty
2|App|repository name must be lower case
2|app:|tag is empty
2|app:a/b|port must be a number
2|:v1|repository name is empty
2|app@sha256:00|not 64 lower-case hex digits
2|a b|repository name may hold
2|app:sha256-$(printf %064d 0).sig|is where signatures of an image are kept
END
same "images" "$(shale images)" "$before"
digest=$(printf 'FROM scratch\nLABEL unnamed=1\n' | shale build -q -f - context)
same "by digest" "$(inspect "$digest" "d['config']['config']['Labels']")" "{'unnamed': '1'}"
shale gc >/dev/null
expect 8 '*' shale inspect "$digest"
