#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job from end to end, on real input: build an image, sign it, verify it, look into it through a
# mount, see that a changed byte is refused.
#
# In the source it installs what is missing (debian/control) and builds shale in build/; elsewhere it takes the shale that is
# installed, and wants a C compiler and busybox.  It works in a directory of its own below $TMPDIR, which it removes at the
# end.
set -eu
cd "$(dirname "$0")/.."
source=$PWD

say() {
  printf '\n\033[1m%s\033[0m\n' "$*"
}

run() {
  printf '$ %s\n' "$*"
  "$@"
}

if [ -e meson.build ]; then
  say "1. Packages and build"
  tools/install-deps.sh --nocheck
  [ -e build/build.ninja ] || meson setup build >/dev/null
  ninja -C build cli/shale
  PATH=$source/build/cli:$PATH
else
  say "1. The program"
  run shale --version
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/shale-quickstart.XXXXXX")
mnt=$work/mnt
SHALE_STORE=$work/store
export SHALE_STORE

clean_up() {
  cd /
  if mountpoint -q "$mnt"; then shale umount --lazy "$mnt"; fi
  chmod -R u+w "$work"
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "2. A context: a server compiled here, busybox, a configuration tree, and a copy of /usr/share"
context=$work/hello
cp -R "$source/examples/hello" "$context"
mkdir -p "$context/bin" "$context/etc" "$context/site" "$mnt"
run cc -static -O2 -o "$context/bin/hello" "$context/hello.c"
cp "$(command -v busybox)" "$context/bin/busybox"
for name in passwd group hosts protocols services; do
  if [ -r "/etc/$name" ]; then cp "/etc/$name" "$context/etc/"; fi
done
echo '<h1>Hello from an image</h1>' >"$context/site/index.html"
cp -R /usr/share "$context/share"
printf 'the context holds %s files, %s\n' "$(find "$context" -type f | wc -l)" "$(du -sh "$context" | cut -f 1)"

say "3. Build the image"
digest=$(run shale build -t hello:1 --iidfile "$work/id" "$context" | tail -n 1)
echo "$digest"
run shale images
run shale inspect hello:1

say "4. The same context at another time and place gives the same digest"
cp -al "$context" "$work/elsewhere"
find "$work/elsewhere" -exec touch -h -d '2001-02-03' {} +
again=$(umask 077 && TZ=Asia/Tokyo shale build -q -t again:1 --workers 1 "$work/elsewhere")
[ "$again" = "$digest" ]
echo "$again"

say "5. A key pair; sign; verify"
printf 'a passphrase' >"$work/passphrase"
run shale keygen --passphrase-file "$work/passphrase" "$work/mykey"
run shale sign --key "$work/mykey.key" --passphrase-file "$work/passphrase" hello:1
run shale verify --key "$work/mykey.pub" hello:1

say "6. Mount what the key signed, and use it as a file system"
run shale mount --key "$work/mykey.pub" hello:1 "$mnt"
run ls -l "$mnt" "$mnt/srv/hello"
run cat "$mnt/srv/hello/index.html"
printf '%s files below the mount, read in full: ' "$(find "$mnt" -type f | wc -l)"
tar cf - -C "$mnt" . | wc -c
run "$mnt/bin/busybox" uname -s
run cmp "$mnt/usr/bin/hello" "$context/bin/hello"
run shale umount "$mnt"

say "7. Edit the image with any program; kill what serves it in the middle; commit what differs"
run shale mount --edit --session fix hello:1 "$mnt"
tar cf "$work/share.tar" -C "$context/share/doc" .
mkdir "$mnt/srv/copy"
tar xf "$work/share.tar" -C "$mnt/srv/copy" &
tar=$!
kills=0
while [ "$kills" -lt 3 ] && kill -0 "$tar" 2>/dev/null; do
  sleep 0.2
  # The worker is the child of the process that mounted.
  worker=$(pgrep -x shale-worker -P "$(pgrep -f "mount --edit --session fix hello:1 $mnt" | head -n 1)") || continue
  kill -KILL "$worker" && kills=$((kills + 1))
done
wait "$tar"
echo "tar has unpacked $(find "$mnt/srv/copy" | wc -l) names while $kills workers were killed with SIGKILL, and noticed nothing"
run diff -r --no-dereference "$context/share/doc" "$mnt/srv/copy"
rm -rf "$mnt/srv/copy"
echo '<h1>Hello again</h1>' >"$mnt/srv/hello/index.html"
run shale diff --stat "$mnt"
run shale commit -q -t hello:2 -m 'greet again' "$mnt"
run shale umount "$mnt"
run shale cat hello:2 /srv/hello/index.html
run shale session rm fix
run shale rm hello:2

say "8. Flip one byte of the largest layer: whoever looks is told, and gets no wrong data"
blob=$(find "$SHALE_STORE/blobs" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)
chmod u+w "$blob"
middle=$(($(stat -c %s "$blob") / 3))
byte=$(od -An -tu1 -j "$middle" -N 1 "$blob")
printf "%b" "\\0$(printf '%o' $((byte ^ 1)))" | dd of="$blob" bs=1 seek="$middle" conv=notrunc status=none
status=0
run shale verify --key "$work/mykey.pub" hello:1 || status=$?
echo "(exit status $status: content does not match its digest)"
[ "$status" -eq 5 ]
status=0
run shale fsck --read-data || status=$?
[ "$status" -eq 5 ]
run shale mount hello:1 "$mnt"
if find "$mnt" -type f -exec cat {} + 2>"$work/errors" >/dev/null; then
  echo "the flipped byte went unnoticed" >&2
  exit 1
fi
tail -n 2 "$work/errors"
run shale umount "$mnt"

say "Done."
