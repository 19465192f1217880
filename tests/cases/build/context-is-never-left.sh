#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Links of the context that lead out of it are refused, by whatever way; links inside it are followed.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir context/real
echo secret >secret
echo inside >context/real/file
ln -s ../secret context/escape
ln -s "$PWD/secret" context/absolute
ln -s .. context/dir/up
ln -s ../.. context/dir/out
ln -s ../real context/dir/inside
ln -s /proc/self/root context/magic
# refuse SOURCE: COPY of it is refused.
refuse() {
  printf 'FROM scratch\nCOPY %s /x\n' "$1" | expect 3 "*<stdin>:2:*: *leads out of the context*" shale build -f - context
}
refuse escape
refuse absolute
refuse dir/out/secret
refuse dir/up/dir/out/secret
refuse dir/out
refuse magic/etc/passwd
refuse 'esc*'
printf 'FROM scratch\nCOPY dir/inside/file /x\nCOPY dir/up/real/file /y\n' | build_text app context >/dev/null
same "inside" "$(shale cat app /x /y)" "inside
inside"
printf 'FROM scratch\nCOPY dir /dir\n' | build_text app context >/dev/null
same "below a directory a link is a link" "$(files app | grep '^/dir/up')" "/dir/up l0777 0:0 -> .."
ln -s ../../secret context/Shalefile
expect 3 "*leads out of the context*" shale build context
ln -sf ../secret context/.dockerignore
rm context/Shalefile
printf 'FROM scratch\n' | expect 3 "*leads out of the context*" shale build -f - context
