#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an archive names takes the place of what the base has; a directory that it does not name is the base's, and links on
# the way are followed inside of the image.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context base/usr/bin base/opt/app base/srv
ln -s usr/bin base/bin
ln -s /etc base/srv/out
echo old >base/usr/bin/tool
echo keep >base/opt/app/keep
echo file >base/plain
tar -C base -cf context/base.tar .
printf 'FROM scratch\nADD base.tar /\n' | build_text base context >/dev/null

# pack NAME MEMBER...: an archive of members that are files "new", or with "/" at the end directories, in this order.
pack() {
  pack_name=$1
  shift
  python3 - "context/$pack_name" "$@" <<'END'
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w") as t:
    for name in sys.argv[2:]:
        m = tarfile.TarInfo(name.rstrip("/"))
        if name.endswith("/"):
            m.type, m.mode = tarfile.DIRTYPE, 0o711
            t.addfile(m)
        else:
            m.size, m.mode = 4, 0o600
            t.addfile(m, io.BytesIO(b"new\n"))
END
}
# over NAME: what the image of base and this archive holds.
over() {
  printf 'FROM base\nADD %s /\n' "$1" | build_text app context >/dev/null
  files app
}
base=$(files base)
pack implied.tar bin/tool srv/out/passwd
same "through links" "$(over implied.tar)" "$(printf '%s\n/etc d0755 0:0\n/etc/passwd -0600 0:0 4\n' "$base" |
  sed 's|^/usr/bin/tool .*|/usr/bin/tool -0600 0:0 4|' | LC_ALL=C sort)"
pack named.tar bin/ bin/new
same "in place of a link" "$(over named.tar | grep '^/bin')" "/bin d0711 0:0
/bin/new -0600 0:0 4"
pack modes.tar opt/ opt/app/
same "the mode of a directory" "$(over modes.tar | grep '^/opt')" "/opt d0711 0:0
/opt/app d0711 0:0
/opt/app/keep -0644 0:0 5"
pack file.tar opt
same "in place of a directory" "$(over file.tar | grep '^/opt')" "/opt -0600 0:0 4"
pack dir.tar plain/ plain/x
same "in place of a file" "$(over dir.tar | grep '^/plain')" "/plain d0711 0:0
/plain/x -0600 0:0 4"
pack below.tar plain/x
printf 'FROM base\nADD below.tar /\n' | expect 9 "*<stdin>:2:1: '/plain' of the base is no directory*" shale build -f - context
printf 'FROM base\nADD dir.tar /plain\n' | expect 9 "*<stdin>:2:1: '/plain' *of the base*" shale build -f - context
# The same file twice: the last one counts, as for tar.
pack twice.tar x x/ x/y
same "the last one" "$(over twice.tar | grep '^/x')" "/x d0711 0:0
/x/y -0600 0:0 4"
# A link of the archive is no way, and neither are two archives one.
python3 - context/link.tar <<'END'
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w") as t:
    m = tarfile.TarInfo("way")
    m.type, m.linkname = tarfile.SYMTYPE, "/etc"
    t.addfile(m)
END
pack on.tar way/x
printf 'FROM base\nADD link.tar on.tar /\n' | expect 9 "*<stdin>:2:1: '/way' would be both*" shale build -f - context
