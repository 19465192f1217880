#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stores with the wrong things in the right places: no command follows a link, waits on a FIFO, crashes, or believes what
# it finds; each ends with the status of the fault.
# NEEDS: time
# TIMEOUT: 180
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
config=$(json "$(blob "$manifest")" "d['config']['digest']")
cp -a store pristine
put_back() {
  chmod -R u+w store
  rm -rf store
  cp -a pristine store
}

# each STATUS WHAT COMMAND...: the command ends with STATUS, or one of several ("3|5"); then all is put back.
each() {
  each_status=$1
  each_what=$2
  shift 2
  each_got=0
  timeout -s KILL 60 "$@" >each.out 2>&1 || each_got=$?
  case "|$each_status|" in
  *"|$each_got|"*) ;;
  *) fail "$each_what: '$*' ended with $each_got, not $each_status: $(cat each.out)" ;;
  esac
}

# What takes the place of a file.
replace_with() {
  rm -rf "$2"
  case $1 in
  fifo) mkfifo "$2" ;;
  directory) mkdir "$2" ;;
  link-out) ln -s "$PWD/canary/victim" "$2" ;;
  link-to-nothing) ln -s nothing "$2" ;;
  link-to-itself) ln -s "$(basename "$2")" "$2" ;;
  empty) : >"$2" ;;
  binary) head -c 3000 /dev/urandom >"$2" ;;
  endless) truncate -s 1T "$2" ;;
  esac
}

for what in fifo directory link-out link-to-nothing link-to-itself empty binary endless; do
  for blob in "$manifest" "$config" "$layer"; do
    replace_with "$what" "$(blob "$blob")"
    rm -f store/shale/catalogs/*
    each '3|5|8' "a blob that is $what" shale cat app /file
    each 5 "a blob that is $what" shale fsck
    [ "$blob" != "$manifest" ] || each '3|5|8' "a manifest that is $what" shale gc
    put_back
  done
  for file in index.json oci-layout; do
    replace_with "$what" "store/$file"
    each '3|4|5|6|8' "$file that is $what" shale cat app /file
    each '3|4|5|6|8' "$file that is $what" shale fsck
    each '3|4|5|6|8' "$file that is $what" shale gc
    each '3|4|5|6|8' "$file that is $what" shale tag app other
    if [ "$what" = link-out ]; then
      canary_is_alive
    fi
    # What it named is not lost.
    [ -e "store/blobs/sha256/${layer#sha256:}" ] || fail "gc beside $file that is $what removed a blob"
    put_back
  done
  replace_with "$what" store/shale/version
  each '0|3|4|6|8' "a version that is $what" shale cat app /file
  put_back
  for lock in store/shale/lock store/shale/gc.lock; do
    replace_with "$what" "$lock"
    each '0|1|3|6|8|9' "a lock that is $what" shale tag app other
    each '0|1|3|6|8|9' "a lock that is $what" shale gc
    put_back
  done
  # Derived files are made again; what is no file cannot be, and stands in nobody's way.
  for catalog in store/shale/catalogs/*; do
    replace_with "$what" "$catalog"
    each '0|3' "a catalog that is $what" shale cat app /file
    [ "$each_got" -ne 0 ] || same "content" "$(tail -n 1 each.out)" content
    each '0|5' "a catalog that is $what" shale fsck --read-data
    put_back
  done
  replace_with "$what" store/shale/leases/1-hostile
  each 0 "a lease that is $what" shale cat app /file
  each '0|3|4' "a lease that is $what" shale gc
  each 0 "a lease that is $what" shale fsck
  put_back
  replace_with "$what" store/blobs/sha256/hostile
  replace_with "$what" store/blobs/hostile
  replace_with "$what" "store/blobs/sha256/$(printf '%064d' 0)"
  each 0 "a file of nobody that is $what" shale cat app /file
  each 0 "a file of nobody that is $what" shale gc
  each '0|5' "a file of nobody that is $what" shale fsck --read-data
  put_back
  canary_is_alive
done

# Leases of a process that lives, with lines that are no digests.
for text in 'sha256:x\n' '\0\0\0\n' 'sha256:../../../canary/victim\n' '%08000d\n' "$manifest"; do
  # shellcheck disable=SC2059 # the text is a format
  printf "$text" 0 >store/shale/leases/1-hostile
  (
    flock -x 9
    each '0|3' "a lease that says '$text'" shale gc
    each 0 "a lease that says '$text'" shale cat app /file
  ) 9>>store/shale/leases/1-hostile
  put_back
done

# Versions that are to come.
for version in 0 2 10 11 01 -1 1.5 99999999999999999999 '1 1' one; do
  echo "$version" >store/shale/version
  bounded 3 "*version*" shale cat app /file
  bounded 3 "*version*" shale gc
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
  cp "$file" store/index.json
  for command in images 'images --json' 'ls app' 'fsck' 'gc' 'tag app other'; do
    # shellcheck disable=SC2086 # a command and its arguments
    each '0|3|5|9' "index.json '$file'" time -q -o usage -f %M shale $command
    ! grep -q "$(printf '\033')" each.out || fail "an escape sequence reached the terminal"
    has_sanitizers || [ "$(cat usage)" -le "$LIMIT_KIB" ] || fail "'$command' of '$file' took $(cat usage) KiB"
  done
  # What nobody knows as an image names nothing.
  [ "$file" = other-type ] || [ -e "store/blobs/sha256/${layer#sha256:}" ] ||
    fail "gc beside index.json '$file' removed a blob"
  put_back
done
canary_is_alive
