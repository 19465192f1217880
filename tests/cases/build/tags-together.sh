#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several names of -t are set together; one that is wrong, or a build that fails, sets none of them.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
printf 'FROM scratch\nLABEL a=1\n' >context/Shalefile
digest=$(shale build -q -t app -t app:v1 --tag host:5000/team/app:2 -t localhost/app:latest --metadata-file report context)
same "names" "$(shale images | sed '1d;s/ .*//' | sort | paste -sd' ')" \
  "host:5000/team/app:2 localhost/app:latest localhost/app:v1"
for name in app app:v1 host:5000/team/app:2; do
  same "the digest of $name" "$(inspect "$name" "d['digest']")" "$digest"
done
same "names of the report" "$(json report "d['image.name']")" \
  "localhost/app:latest,localhost/app:v1,host:5000/team/app:2"
before=$(shale images)
expect 2 "shale: option '--tag': *repository name must be lower case*" shale build -q -t new -t App context
printf 'FROM scratch\nLABEL a=2\nCOPY none /\n' | expect 8 "*no 'none'*" shale build -q -f - -t new -t app context
same "images" "$(shale images)" "$before"
