#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sources from the network are refused by name, all at once, and before anything is built; whiteouts in an archive, too.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo x >context/x
cat >context/Dockerfile <<'END'
FROM scratch
ADD x /y
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.org/x.tar /d/
ADD --keep-git-dir=true https://example.org/x.git#v1 git@example.org:x.git /d/
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d x /z
END
status=0
shale build -t app context >out 2>err || status=$?
same "the exit status" "$status" 3
sed 's/^shale: //' err | grep '^Dockerfile' | sed 's/: .*--checksum or.*/ network/;s/: .*--checksum is.*/ none/' >got
same "the places" "$(cat got)" "Dockerfile:3:88 network
Dockerfile:4:25 network
Dockerfile:4:54 network
Dockerfile:5:5 none"
expect 8 "*" shale inspect app

: >context/.wh.x
mkdir dir
: >dir/.wh.passwd
tar -C dir -cf context/wh.tar .
printf '.wh.*\n' >context/.dockerignore
printf 'FROM scratch\nADD wh.tar /etc\n' | expect 3 "*<stdin>:2:1: 'wh.tar': '.wh.passwd': no image can hold*" shale build -f - -t app context
for name in '../x' '/../x' 'a/../../x'; do
  python3 - "$name" <<'END'
import io, sys, tarfile
with tarfile.open("context/out.tar", "w") as t:
    m = tarfile.TarInfo("x")
    t.addfile(m)
    m = tarfile.TarInfo(sys.argv[1])
    t.addfile(m)
END
  printf 'FROM scratch\nADD out.tar /etc\n' | expect 3 "*<stdin>:2:1: 'out.tar': *'..'*" shale build -f - -t app context
done
head -c 1000 context/wh.tar >context/short.tar
printf 'FROM scratch\nADD short.tar /etc\n' | expect 3 "*<stdin>:2:1: 'short.tar': *cut short*" shale build -f - -t app context
expect 8 "*" shale inspect app
