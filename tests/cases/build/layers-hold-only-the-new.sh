#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A COPY's layer holds what it brings and the parents that were missing; directories that are there stay as they are.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p root/srv context
chmod 711 root/srv
echo x >context/x
shale import -q -t base dir:root >/dev/null
build_text app context >/dev/null <<'END'
FROM base
COPY x /srv/a/b/x
WORKDIR /srv/a
WORKDIR /
END
same "members of the layer" "$(zstd -qdc "$(blob "$(layers app | tail -n 1)")" | tar -t | paste -sd' ')" \
  "srv/a/ srv/a/b/ srv/a/b/x"
same "layers" "$(layers app | wc -l)" 2
same "the base's directory" "$(files app | grep '^/srv ')" "/srv d0711 0:0"
same "empty_layer" "$(inspect app "[h.get('empty_layer', False) for h in d['config']['history']][-3:]")" "[False, True, True]"
