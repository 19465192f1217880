#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All errors of a manifest's structure are told at once, then all of its values, by line; nothing is built.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
# places: what the last errors point at.
places() {
  grep -o '^\(shale: \)\{0,1\}Shalefile:[0-9]*:[0-9]*:' expect.out | sed 's/^shale: Shalefile:/:/;s/^Shalefile//' | paste -sd' '
}
cat >context/Shalefile <<'END'
FROM scratch
ENV novalue
COPY onlyone
USER
LABEL a=b
WORKDIR
END
expect 3 '*' shale build -t app context
same "places" "$(places)" ":2:5: :3:1: :4:1: :6:1:"
same "carets" "$(grep -c '^ *^$' expect.out)" 4

cat >context/Shalefile <<'END'
FROM scratch
EXPOSE 99999
STOPSIGNAL SIGNONE
HEALTHCHECK --interval=1 CMD x
COPY --chmod=9 a b
END
expect 3 '*' shale build -t app context
same "places" "$(places)" ":2:8: :3:12: :4:24: :5:14:"
same "carets" "$(grep -c '^ *^$' expect.out)" 4
same "images" "$(shale images | wc -l)" 1
