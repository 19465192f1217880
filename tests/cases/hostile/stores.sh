#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stores with the wrong things in the right places: no command follows a link, waits on a FIFO, crashes, or believes what
# it finds; each ends with the status of the fault, and says what it is.
# NEEDS: time
# TIMEOUT: 300
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
mkdir context
echo content >context/file
printf 'FROM scratch\nCOPY file /\n' | build_text app context >/dev/null
shale cat app /file >/dev/null
manifest=$(inspect app "d['digest']")
layer=$(layers app)
cp -a store pristine
put_back() {
  chmod -R u+w store
  rm -rf store
  cp -a pristine store
}

limits="$LIMIT_KIB $LIMIT_CPU_SECONDS 1"
# With sanitizers one line of four, among which are all files, things and commands.
! has_sanitizers || limits="999999999 999999999 4"
# shellcheck disable=SC2086 # numbers
"$SHALE_SOURCE/tests/hostile/stores.py" $limits

# Leases of a process that lives, with lines that are no digests: what it uses is not known.
for text in 'sha256:x\n' '\0\0\0\n' 'sha256:../../../canary/victim\n' '%08000d\n' "$manifest"; do
  # shellcheck disable=SC2059 # the text is a format
  printf "$text" 0 >store/shale/leases/1-hostile
  exec 9>>store/shale/leases/1-hostile
  flock -x 9
  if [ "$text" = "$manifest" ]; then
    bounded 0 "removed 0 blobs and 0 derived files, *" shale gc
  else
    bounded 3 "*lease '1-hostile' holds a line that is no digest" shale gc
  fi
  bounded 0 content shale cat app /file
  exec 9>&-
  put_back
done

# Versions that are to come.
for version in 0 2 10 11 01 -1 1.5 99999999999999999999 '1 1' one; do
  echo "$version" >store/shale/version
  bounded 3 "*has version '$version'; this shale knows version 1" shale cat app /file
  bounded 3 "*has version '$version'; this shale knows version 1" shale gc
  put_back
done

# index.json over its limits, with names that are none, and twice the same.
python3 - <<'END'
import json
top = json.load(open("store/index.json"))
entry = top["manifests"][0]
key = "org.opencontainers.image.ref.name"
def write(name, manifests):
    json.dump({**top, "manifests": manifests}, open(name, "w"))
write("odd", [entry] + [{**entry, "annotations": {key: n}} for n in
    ("../../x", "", " ", "\x1b[2J", "a" * 60000, "localhost/app:latest\n", "LOCALHOST/APP", "sha256-x.sig")])
write("twice", [entry, entry])
write("other-type", [{**entry, "mediaType": "text/plain"}])
write("many", [{**entry, "annotations": {key: f"localhost/app{i}:latest"}} for i in range(60000)] + [entry])
END
for file in odd twice other-type many; do
  status=0
  listed='file'
  checked='1 image, 3 blobs: 0 errors, *'
  removed='removed 0 blobs *'
  # What nobody knows as an image names nothing.
  if [ "$file" = other-type ]; then
    status=3
    listed="*'localhost/app:latest': is a blob of the type 'text/plain', not an image"
    checked='*0 images, 3 blobs: 0 errors, *'
    removed='removed 2 blobs *'
  fi
  cp "$file" store/index.json
  bounded 0 "NAME *localhost/app:latest *" shale images
  ! grep -q "$(printf '\033')" expect.out || fail "an escape sequence reached the terminal"
  bounded 0 '*"name": "localhost/app:latest"*' shale images --json
  ! grep -q "$(printf '\033')" expect.out || fail "an escape sequence is in the document"
  bounded "$status" "$listed" shale ls app
  bounded 0 "$checked" shale fsck
  bounded 0 "$removed" shale gc
  bounded 0 "" shale tag app other
  [ "$file" = other-type ] || [ -e "store/blobs/sha256/${layer#sha256:}" ] ||
    fail "gc beside index.json '$file' removed a blob"
  put_back
done
canary_is_alive
