#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# session export of a session whose image lost a layer, or has one that is damaged, or that lost a file of its own: what can
# be read is written, what cannot is left out and named, with status 5.
# NEEDS: root fuse umoci
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/etc tree/dir mnt
head -c 300000 /dev/urandom >tree/etc/whole
head -c 300000 /dev/urandom >tree/etc/part
head -c 300000 /dev/urandom >tree/etc/mode
ln tree/etc/mode tree/dir/mode
echo x >tree/dir/moved
echo x >tree/same
ln -s same tree/link
shale import -q -t app dir:tree >/dev/null
layer=$(blob "$(layers app)")

shale mount --edit --session work app "$PWD/mnt" >/dev/null
head -c 300000 /dev/urandom >new
cp new mnt/etc/new
cp new mnt/dir/new
# In place: all blocks of a file that is the image's, and some of another.
dd if=new of=mnt/etc/whole conv=notrunc status=none
dd if=new of=mnt/etc/part bs=4096 count=1 conv=notrunc status=none
chmod 600 mnt/etc/mode
mv mnt/dir/moved mnt/etc/moved
chown -h 5 mnt/link
cp -a mnt want
shale umount mnt
shale session export work whole.tar >/dev/null

# The layer is gone; the catalog is there, with all names.
mv "$layer" kept
expect 5 "*warning: layer 1 of 'localhost/app:latest' is lost: *
shale: '/dir/mode' is left out: *layer 1 of the image is lost
shale: '/etc/mode' is left out: another name of a file that is
shale: '/etc/moved' is left out: *layer 1 of the image is lost
shale: '/etc/part' is left out: *layer 1 of the image is lost
shale: files that cannot be read were left out: 4 names; the rest was exported" shale session export work out.tar
same "names" "$(tar -tf out.tar | paste -s -d ' ')" "dir/ dir/new etc/ etc/new etc/whole link"
mkdir out
tar -xf out.tar -C out
for name in dir/new etc/new etc/whole; do cmp "out/$name" "want/$name" || fail "$name"; done
same "the link" "$(stat -c %u out/link) $(readlink out/link)" "5 same"
shale session export work - 2>/dev/null | cmp - out.tar || fail "a pipe gets another archive"
mv kept "$layer"
shale session export work again.tar >/dev/null
cmp again.tar whole.tar || fail "the session was changed"

# One that is damaged: what is read of it is hashed.
cp "$layer" kept
python3 - "$layer" <<'END'
import os, sys
os.chmod(sys.argv[1], 0o644)
with open(sys.argv[1], "r+b") as f:
    size = f.seek(0, 2)
    f.seek(size // 8)
    f.write(bytes(size * 3 // 4))
END
expect 5 "*'/etc/part' is left out: *" shale session export work damaged.tar
mkdir damaged
tar -xf damaged.tar -C damaged
for name in dir/new etc/new etc/whole; do cmp "damaged/$name" "want/$name" || fail "$name"; done
[ ! -e damaged/etc/part ] || fail "what is damaged is in it"
cp kept "$layer"

# A file of the session's own.
data=$(find store/shale/sessions/*/data -type f -size +290k | sort | head -n 1)
mv "$data" kept
expect 5 "*' is left out: the session's data file ${data##*/} is lost*left out: 1 names*" shale session export work lost.tar
same "names" "$(tar -tf lost.tar | wc -l)" "$(($(tar -tf whole.tar | wc -l) - 1))"

# Layers of other tools, whose frames were derived, outlive their blobs.
umoci_layout
shale import -q -t other oci:layout:app >/dev/null
shale mount --edit --session other other "$PWD/mnt" >/dev/null
chmod 700 mnt/bin
chown 5 mnt/bin/tool
echo new >mnt/etc/new
shale umount mnt
shale session export other other-whole.tar >/dev/null
for digest in $(layers other); do rm "$(blob "$digest")"; done
find store/shale -type f | LC_ALL=C sort >derived
expect 0 "*" shale session export other other.tar
cmp other.tar other-whole.tar || fail "without the blobs it is another"
find store/shale -type f | LC_ALL=C sort | diff derived - || fail "something of the store is gone"
