#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# FROM takes an image of the store: its layers stay below, its config is where the new one starts.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo one >context/one
echo two >context/two
build_text base:1 context >/dev/null <<'END'
FROM scratch
COPY one /data/
ENV A=base B=base
LABEL a=base
WORKDIR /data
USER 7:8
EXPOSE 80
ENTRYPOINT ["/base"]
CMD ["base"]
END
build_text app context >/dev/null <<'END'
ARG BASE=base:1
FROM ${BASE}
ENV B=app C=$A
COPY two .
END
same "the base's layers" "$(layers app | head -n 1)" "$(layers base:1)"
same "layers" "$(layers app | wc -l)" 2
same "files" "$(files app)" "/data d0755 0:0
/data/one -0644 0:0 4
/data/two -0644 0:0 4"
same "config" "$(inspect app "[d['config']['config'].get(k) for k in ('Env', 'Labels', 'User', 'Entrypoint', 'Cmd')]")" \
  "[['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=base', 'B=app', 'C=base'], {'a': 'base'}, '7:8', ['/base'], ['base']]"
same "history" "$(inspect app "[h['created_by'] for h in d['config']['history']][-3:]")" \
  "['CMD [\"base\"]', 'ENV B=app C=base', 'COPY two . # buildkit']"

printf 'FROM base:1\nENTRYPOINT ["/app"]\n' | build_text app context >/dev/null
same "a new entrypoint drops the base's arguments" "$(inspect app "d['config']['config'].get('Cmd')")" None
digest=$(shale images --digests | sed -n 's/^localhost\/base:1 *\(sha256:[0-9a-f]*\) .*/\1/p')
printf 'FROM base:1@%s\n' "$digest" | build_text app context >/dev/null
printf '\nFROM base:2\n' | expect 8 "*<stdin>:2:6: *base:2*" shale build -f - context
printf 'FROM base:1@sha256:%064d\n' 0 | expect 8 "*base:1*" shale build -f - context
