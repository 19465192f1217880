#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# INCLUDE stands for the instructions of a fragment: the image is that of one file with all of them; errors name the
# fragment; nothing outside of the context is read, and ignore files hide no fragment.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/docker/parts outside
echo x >context/x
cat >context/docker/Shalefile <<'END'
INCLUDE parts/args
FROM scratch
ARG VERSION
INCLUDE parts/labels
COPY x /x
INCLUDE ../common
END
# shellcheck disable=SC2016 # for shale
{
  printf '# escape=`\nARG VERSION=7 `\n  OTHER=8\n' >context/docker/parts/args
  printf 'LABEL v=$VERSION\nINCLUDE more\n' >context/docker/parts/labels
  printf 'COPY <<EOF /version\n$VERSION\nEOF' >context/docker/parts/more
}
printf 'USER 5\n' >context/common
printf 'docker\ncommon\n' >context/.dockerignore
cat >one <<'END'
ARG VERSION=7 OTHER=8
FROM scratch
ARG VERSION
LABEL v=$VERSION
COPY <<EOF /version
$VERSION
EOF
COPY x /x
USER 5
END
want=$(shale build -q -f one context)
same "the digest" "$(shale build -q -f context/docker/Shalefile -t app context)" "$want"
same "from elsewhere" "$(cd context/docker && shale build -q -f Shalefile ..)" "$want"
same "the text" "$(shale cat app /version)" 7
# Not in the context, or on standard input: relative to its root.
printf 'FROM scratch\nINCLUDE common\n' >outside/Shalefile
printf 'USER 6\n' >outside/common
shale build -q -f outside/Shalefile -t app context >/dev/null
same "the user" "$(inspect app "d['config']['config']['User']")" 5
printf 'FROM scratch\nINCLUDE common\n' | build_text app context >/dev/null
same "the user" "$(inspect app "d['config']['config']['User']")" 5

# shellcheck disable=SC2016 # for shale
printf 'USER ${x?no x}\nENV\n' >context/bad
printf 'FROM scratch\nRUN x\nINCLUDE bad\nINCLUDE none\n' | expect 3 "shale: <stdin>:2:1: RUN is*
<stdin>:4:9: no 'none' in the context
INCLUDE none
        ^
bad:1:6: x: no x
USER \${x[?]no x}
     ^
bad:2:1: ENV needs an argument
ENV
^" shale build -f - context

# refuse STATUS GLOB FILE: the build file with INCLUDE FILE is refused.
refuse() {
  printf 'FROM scratch\nINCLUDE %s\n' "$3" | expect "$1" "$2" timeout 10 shale build -q -f - -t refused context
}
echo 'USER 7' >outside/secret
ln -s ../outside/secret context/out
ln -s "$PWD/outside/secret" context/absolute
ln -s loop context/loop
mkfifo context/fifo
printf 'INCLUDE loop1\n' >context/loop2
printf 'INCLUDE loop2\n' >context/loop1
printf 'FROM scratch\n' >context/whole
printf 'USER 7\0\n' >context/nul
refuse 3 "*<stdin>:2:9: 'out' leads out of the context*" out
refuse 3 "*<stdin>:2:9: 'absolute' leads out of the context*" absolute
refuse 3 "*<stdin>:2:9: '../outside/secret' leads out of the context*" ../outside/secret
refuse 3 "*<stdin>:2:9: '$PWD/outside/secret': INCLUDE takes a path that is relative*" "$PWD/outside/secret"
refuse 3 "*<stdin>:2:9: 'loop' of the context leads through links without an end*" loop
refuse 3 "*<stdin>:2:9: 'fifo' of the context is no regular file*" fifo
refuse 3 "*<stdin>:2:9: 'docker' of the context is no regular file*" docker
refuse 3 "*loop2:1:9: 'loop1' includes itself*" loop1
refuse 3 "*whole:1:1: a file that is included cannot have FROM*" whole
refuse 3 "*<stdin>:2:9: nul:1:7: NUL byte*" nul
refuse 8 "*<stdin>:2:9: no 'none' in the context*" none
# Fragments that grow without an end.
for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
  printf 'INCLUDE n%d\nINCLUDE n%d\n' $((i + 1)) $((i + 1)) >context/n$i
done
refuse 4 "*fragments*" n0
{ yes '# a line of a comment' || true; } | head -c 700000 >context/big
printf 'INCLUDE big\nINCLUDE big\n' >context/bigger
refuse 4 "*bigger:2:9: the build file and its fragments have more than 1048576 bytes*" bigger
expect 8 "*" shale inspect refused
