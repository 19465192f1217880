#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --chmod takes octal and symbolic modes, for files and directories, and leaves links alone.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir/sub
echo x >context/dir/x
echo y >context/dir/run
chmod 755 context/dir/run
ln -s x context/dir/link
build_text app context >/dev/null <<'END'
FROM scratch
ARG mode=0440
COPY --chmod=600 dir/x /octal
COPY --chmod=4755 dir/x /setuid
COPY --chmod=$mode dir/x /variable
COPY --chmod=u=rwX,go=rX dir /symbolic
COPY --chmod=go-rwx,u+x dir/x /minus
COPY --chmod=+t dir/sub /sticky
COPY --chmod=0 dir/x /nothing
END
same "files" "$(files app)" "/minus -0700 0:0 2
/nothing -0000 0:0 2
/octal -0600 0:0 2
/setuid -4755 0:0 2
/sticky d0755 0:0
/symbolic d0755 0:0
/symbolic/link l0777 0:0 -> x
/symbolic/run -0755 0:0 2
/symbolic/sub d0755 0:0
/symbolic/x -0644 0:0 2
/variable -0440 0:0 2"
for wrong in 999 10000 u=q rwx; do
  printf 'FROM scratch\nCOPY --chmod=%s dir /\n' $wrong | expect 3 "*<stdin>:2:14: *" shale build -f - context
done
