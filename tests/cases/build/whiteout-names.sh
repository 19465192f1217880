#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A name that a layer would take for a whiteout is refused with its place before anything is packed, wherever it comes from.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/tree/sub
echo x >context/.wh.passwd
echo x >context/tree/file
echo x >context/tree/sub/.wh..wh..opq
why="no image can hold a name that starts with '.wh.'"

# refused PLACES STEPS: before the first step.
refused() {
  printf 'FROM scratch\nCOPY tree/file /first\n%b' "$2" >context/Shalefile
  expect 3 "*$why*" shale build -t app context
  same "places of $2" "$(grep -o 'Shalefile:[0-9]*:[0-9]*: [^w]' expect.out | sed 's/^Shalefile//;s/: .$//' | paste -sd' ')" "$1"
  same "carets of $2" "$(grep -c '^ *^$' expect.out)" "$(printf %s "$1" | wc -w)"
  case $(cat expect.out) in *'[1/'*) fail "a step was done" ;; esac
}

refused ":3:6" 'COPY .wh.passwd /etc/\n'
refused ":3:6" 'COPY tree /etc\n'
refused ":3:6 :3:11" 'COPY .wh* tree /etc/\n'
refused ":3:13" 'COPY --link tree /etc\n'
refused ":3:6 :4:11" 'COPY . /\nCOPY tree /a/.wh.b/c\nWORKDIR /w\n'
refused ":3:16" 'COPY tree/file /.wh.file\n'
refused ":3:9" 'WORKDIR /a/.wh.b\n'
refused ":4:9" 'WORKDIR /a\nWORKDIR .wh..wh..opq/c\n'
refused ":4:9" "ARG n=.wh.x\\nWORKDIR /\$n\\n"

# Under another name, or left out, they do no harm.
printf 'FROM scratch\nCOPY .wh.passwd /passwd\nCOPY --exclude=**/.wh.* tree /tree\nCOPY tree/file /a.wh.b\n' >context/Shalefile
shale build -q -t app context >/dev/null
same files "$(files app | cut -d' ' -f1 | paste -sd' ')" "/a.wh.b /passwd /tree /tree/file /tree/sub"
# The name of a file that meets a directory of the image is known only then.
printf 'FROM scratch\nCOPY tree/file /tree/\nCOPY .wh.passwd /tree\n' >context/Shalefile
expect 3 "*Shalefile:3:1: '/tree/.wh.passwd': $why*" shale build -t app context
