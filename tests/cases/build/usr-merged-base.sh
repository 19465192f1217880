#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# COPY to /bin/x lands in /usr/bin/x where the base's /bin is a link to usr/bin, and the link stays.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p root/usr/bin root/usr/lib/x86_64 root/target context/files context/tree/sub
echo base >root/usr/bin/old
ln -s usr/bin root/bin
ln -s /usr/lib root/lib
ln -s ../../../outside root/escape
ln -s nowhere root/dangling
echo new >context/x
echo new >context/files/y
echo new >context/tree/sub/z
shale import -q -t base dir:root >/dev/null
build_text app context >/dev/null <<'END'
FROM base
COPY x /bin/x
COPY x /bin
COPY files /lib/x86_64/
COPY x /bin/../target/up
COPY x /dangling/x
COPY x /escape/x
WORKDIR /lib/work
COPY x here
END
files app | sed 's/ [0-9]*:[0-9]*//' >got
diff -u - got >&2 <<'END'
/bin l0777 -> usr/bin
/dangling l0777 -> nowhere
/escape l0777 -> ../../../outside
/lib l0777 -> /usr/lib
/nowhere d0755
/nowhere/x -0644 4
/outside d0755
/outside/x -0644 4
/target d0755
/target/up -0644 4
/usr d0755
/usr/bin d0755
/usr/bin/old -0644 5
/usr/bin/x -0644 4
/usr/lib d0755
/usr/lib/work d0755
/usr/lib/work/here -0644 4
/usr/lib/x86_64 d0755
/usr/lib/x86_64/y -0644 4
END
# docker refuses this, too: a directory cannot take the place of a link of the base.
mkdir -p context/dir/lib
printf 'FROM base\nCOPY dir /\n' | expect 9 "*'/lib'*" shale build -f - context
