#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image that cannot be read hides no other: its name and digest are listed, a warning says why, and the status is that of
# the error.  What runs out of the machine itself says nothing of an image, and ends the list.
# NEEDS: root strace
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

for name in a b c; do
  small_image "$name" "$name" >/dev/null
done
shale images >right
shale images --json >right.json
manifest=$(blob "$(inspect b "d['digest']")")

# cannot_read ERRNO STATUS WORD COMMAND...: the manifest of b; standard output is in `out`, the messages are in `err`.
cannot_read() {
  errno=$1
  status=$2
  word=$3
  shift 3
  got=0
  strace -qq -f -o calls -P "$manifest" -e trace=read,pread64 -e "inject=read,pread64:error=$errno" "$@" >out 2>err ||
    got=$?
  grep -q INJECTED calls || fail "'$*' reads no manifest of b"
  same "status of '$*' with $errno" "$got" "$status"
  grep -q "^shale: .*$word" err || fail "'$*' said '$(cat err)', not '$word'"
}

# The line of b has its name and digest, the other lines are as they were.
without_details() {
  grep -v '^localhost/b:' right | diff -u - "$1.others" >&2 || fail "other images of '$1'"
  same "the line of b" "$(grep '^localhost/b:' "$1" | awk '{ print $1, $2, $3 }')" \
    "$(awk '$1 ~ "/b:" { print $1, $2, "-" }' right)"
}

cannot_read EIO 7 "warning: image 'localhost/b:latest': .*Input/output error" shale images
grep -v '^localhost/b:' out >out.others || true
without_details out
same "messages" "$(wc -l <err)" 1

cannot_read EIO 7 "warning: image 'localhost/b:latest': " shale images --json
python3 - right.json out <<'END'
import json, sys
right, got = (json.load(open(path)) for path in sys.argv[1:])
for row in right:
    if row["name"] == "localhost/b:latest":
        for key in ("platform", "layers", "size", "created"):
            row.pop(key, None)
assert got == right, got
END

cannot_read EIO 7 "warning: image 'localhost/b:latest': " shale images -q
same "digests" "$(cat out)" "$(shale images -q)"

# A filter that needs the config holds for the others.
cannot_read EIO 7 "warning: image 'localhost/b:latest': " shale images --filter before=c --filter reference=b
same "names are not opened" "$(shale images --names | wc -l)" 3

# The layers that b shares are not known, and all else is.
printf 'FROM a\nCOPY hello /again\n' | build_text b small >/dev/null
manifest=$(blob "$(inspect b "d['digest']")")
shale size --json a >sizes
same "shared" "$(json sizes "d['layers'][0]['shared']")" 1
cannot_read EIO 7 "warning: image 'localhost/b:latest': " shale size --json a
same "shared, as far as it is known" "$(json out "d['layers'][0]['shared']")" 0

# The machine's own lack.
cannot_read ENOMEM 1 "" shale images
same "what is listed without memory" "$(cat out)" ""
cannot_read EMFILE 7 "Too many open files" shale images
same "what is listed without descriptors" "$(cat out)" ""
same "no warning" "$(grep -c warning err || true)" 0

# No permission, which root needs not.
chmod -R a+rX . && chown -R 1000:1000 store
chmod 0 "$manifest"
expect 1 "*shale: warning: image 'localhost/b:latest': *Permission denied*" as_user shale images
expect 1 "*localhost/a:latest *localhost/c:latest *" as_user shale images

# What is damaged is what fsck is for.
rm "$manifest"
expect 0 "*localhost/a:latest *localhost/b:latest *localhost/c:latest *" as_user shale images
