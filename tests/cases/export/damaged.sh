#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A blob that is damaged or missing ends an export with 5 or 8, and leaves nothing behind: no file, no layout, and of a
# file or a layout that was there before, that.
# NEEDS: skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

head -c 700000 /dev/urandom >big
mkdir context
mv big context/
printf 'FROM scratch\nCOPY big /\n' | build_text app context >/dev/null
python3 - "$SHALE_SOURCE/tests/hostile" <<'END_OF_PYTHON'
import gzip, random, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import LAYER, tar_of, write_image
tar = tar_of([("big", random.Random(4).randbytes(400000))])
write_image("layout", [(LAYER + "+gzip", gzip.compress(tar, mtime=0), tar)])
END_OF_PYTHON
shale import -q -t foreign oci:layout >/dev/null
other=$(small_image other)
shale export other oci:kept >/dev/null
shale ls foreign >/dev/null
shale ls app >/dev/null

# fails STATUS IMAGE FORM...: with each form, into what is new and what is there.
fails() {
  status=$1
  image=$2
  shift 2
  for form in "$@"; do
    rm -rf before after
    mkdir before
    cp -r kept before/layout
    echo old >before/file
    cp -r before after
    case $form in
    oci) new=oci:after/new old=oci:after/layout ;;
    *) new=$form:after/new old=$form:after/file ;;
    esac
    for dest in "$new" "$old"; do
      expect "$status" "shale: image 'localhost/$image:latest': *" shale export "$image" "$dest"
      diff -r before after >&2 || fail "$dest left something of $image"
    done
    # Of a stream the start has gone, and never the end.
    case $form in
    oci) ;;
    *)
      got=0
      shale export "$image" "$form:-" >stream 2>/dev/null || got=$?
      same "status, $form to a pipe" "$got" "$status"
      ! tail -c 1024 stream | cmp -s - zeros || fail "$form: the stream of a damaged image has an end"
      ;;
    esac
  done
}
head -c 1024 /dev/zero >zeros

for image in app foreign; do
  layer=$(blob "$(layers $image)")
  cp "$layer" saved
  flip "$layer" 300000
  fails 5 "$image" oci oci-archive docker-archive
  cp --remove-destination saved "$layer"
  # Cut short, and too long.
  truncate -s -1 "$layer" 2>/dev/null || { chmod u+w "$layer" && truncate -s -1 "$layer"; }
  fails 5 "$image" oci oci-archive docker-archive
  cp --remove-destination saved "$layer"
  rm "$layer"
  fails 8 "$image" oci oci-archive docker-archive
  cp saved "$layer"
done
# What is derived from a foreign layer is the frames that its files are read from.
flip "$(blob "$(layers app)")" 300000
got=0
shale export app rootfs:files.tar 2>err || got=$?
same "rootfs of a damaged layer" "$got" 5
grep -q "'/big'" err || fail "it is not said which file is damaged: $(cat err)"
[ ! -e files.tar ] || fail "a damaged layer made a file"

# Documents.
config=$(blob "$(json "$(blob "$(inspect foreign "d['digest']")")" "d['config']['digest']")")
cp "$config" saved
flip "$config" 5
for form in oci-archive docker-archive rootfs; do
  expect 5 "*" shale export foreign "$form:new"
  [ ! -e new ] || fail "$form: a damaged config made a file"
done
expect 5 "*" shale export foreign oci:new
[ ! -e new ] || fail "a damaged config made a layout"
cp --remove-destination saved "$config"
same "after all that" "$(shale export other oci:kept)" "$other"
