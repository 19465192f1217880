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
for wrong in '' App app: app:a/b :v1 app@sha256:00 "app:sha256-$(printf %064d 0).sig" 'a b'; do
  status=0
  shale build -q -t "$wrong" context >out 2>&1 || status=$?
  [ "$status" -eq 2 ] || [ "$status" -eq 3 ] || fail "-t '$wrong' ended with $status"
done
digest=$(printf 'FROM scratch\nLABEL unnamed=1\n' | shale build -q -f - context)
same "by digest" "$(inspect "$digest" "d['config']['config']['Labels']")" "{'unnamed': '1'}"
shale gc >/dev/null
expect 8 '*' shale inspect "$digest"
