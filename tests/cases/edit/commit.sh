#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What umoci and podman unpack of a committed image is what the mount showed, with owners, times, links, xattrs and devices;
# the same session gives the same digest again, and its image can be edited and committed in turn.
# NEEDS: root fuse getfattr umoci podman
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

make_rootfs tree
mkdir -p tree/dir/sub tree/replaced tree/into-file/sub mnt
echo one >tree/dir/sub/one
echo two >tree/dir/two
ln tree/dir/two tree/two
echo kept >tree/replaced/kept
echo gone >tree/replaced/gone
echo x >tree/into-file/sub/x
echo x >tree/into-dir
chmod 700 tree/dir
shale import -q -t app --compression gzip dir:tree >/dev/null

# edit DIR: one of everything.
edit() {
  echo root:x:0:0:root:/:/bin/ash >"$1/etc/passwd"
  printf tail >>"$1/home/user/sparse"
  printf middle | dd of="$1/home/user/hole" bs=1 seek=500000 conv=notrunc status=none
  truncate -s 100 "$1/home/user/numbers"
  rm "$1/etc/long-target" "$1/two" "$1/dev/fifo"
  chmod 600 "$1/bin/tool2"
  mv "$1/dir" "$1/etc/moved"
  rm -r "$1/replaced" "$1/into-file" "$1/into-dir"
  mkdir "$1/replaced" "$1/into-dir"
  echo new >"$1/replaced/new"
  cp -p tree/replaced/kept "$1/replaced/kept"
  echo new >"$1/into-file"
  echo new >"$1/into-dir/new"
  ln "$1/etc/nothing" "$1/etc/nothing2"
  ln -s somewhere "$1/etc/new-link"
  ln -sfn elsewhere "$1/etc/link"
  mkdir -p "$1/.new/a/b"
  head -c 300000 /dev/urandom >"$1/.new/a/b/random"
  ln "$1/.new/a/b/random" "$1/.new/again"
  mknod "$1/dev/zero" c 1 5
  mkfifo "$1/.new/fifo"
  chown 7:8 "$1/etc/empty"
  setfattr -n user.new -v yes "$1/.new/again"
  setfattr -x user.comment "$1/etc/passwd"
  setfattr -n trusted.note -v other "$1/etc/empty"
  touch -d '2001-02-03 04:05:06.789' "$1/.new/a" "$1/.new/again"
}

shale mount --edit --session work app mnt >/dev/null
edit mnt
cp -a mnt want
shale umount mnt

shale commit -q --compression gzip -t new work >digest
shale commit -q --compression gzip -t again work >digest2
same "the digest of the second commit" "$(cat digest2)" "$(cat digest)"
same "layers" "$(layers new | wc -l)" 2

umoci unpack --image "$SHALE_STORE:localhost/new:latest" bundle >/dev/null
same_trees want bundle/rootfs

# Overlay takes attributes of directories from the upper layer, and cannot link to a lower one.
run_podman --storage-driver overlay pull -q "oci:$SHALE_STORE:localhost/new:latest" >id
run_podman --storage-driver overlay image mount "$(cat id)" >where
# podman has a root of its own, and keeps no xattrs of users.
(cd want && find . -mindepth 1 -type d -printf '%p %m %U %G\n' | LC_ALL=C sort) >dirs.want
(cd "$(cat where)" && find . -mindepth 1 -type d -printf '%p %m %U %G\n' | LC_ALL=C sort) >dirs.got
diff -u dirs.want dirs.got >&2 || fail "podman sees other directories"
contents want >files.want
contents "$(cat where)" >files.got
diff -u files.want files.got >&2 || fail "podman sees other files"
run_podman --storage-driver overlay image unmount "$(cat id)" >/dev/null
run_podman --storage-driver overlay rmi -a -f >/dev/null

# The committed image in turn; an unchanged one gets no layer.
shale mount --edit --session more new mnt >/dev/null
rm -r mnt/.new
echo more >mnt/more
rm -r want/.new
echo more >want/more
touch -r mnt/more want/more
touch -r mnt want
shale umount mnt
shale commit -q --compression gzip -t newer more >/dev/null
umoci unpack --image "$SHALE_STORE:localhost/newer:latest" bundle2 >/dev/null
same_trees want bundle2/rootfs
shale mount --edit --session none newer mnt >/dev/null
shale umount mnt
shale commit -q -m nothing -t none none >/dev/null
same "layers of a commit of nothing" "$(layers none)" "$(layers newer)"
shale history --json none >history.json
same "its history" "$(json history.json "(d[0]['comment'], d[0]['layer'], d[0]['created_by'])")" \
  "('nothing', None, 'shale commit')"

expect 8 "*no session 'nosuch' in the store*" shale commit nosuch
expect 2 "*'--timestamp': 'now' is not a number of seconds*" shale commit --timestamp now work
expect 2 "*SOURCE_DATE_EPOCH: '' is not a number of seconds*" env SOURCE_DATE_EPOCH= shale commit work
expect 2 "*'--change': 'COPY a b' is not one instruction*" shale commit -c 'COPY a b' work
expect 2 "*'--message'*is not UTF-8*" shale commit -m "$(printf '\377')" work
