#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples of every manual page work: those of the commands one after the other, as shale --help lists them, but for
# rm, which is the last; and those of shale-manifest(5) and shale-key(5).
# NEEDS: root fuse skopeo openssl
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir etc mnt
printf 'root:x:0:0::/:\n' >etc/passwd
printf secret >passphrase
printf 'FROM scratch\nCOPY etc /etc\n' >Dockerfile
shale build -q --store other -t x . >/dev/null
skopeo copy -q "oci:$PWD/other:localhost/x:latest" oci-archive:debian.tar:debian:12

# example PAGE: the literal text, with scdoc's backslashes undone, of its section EXAMPLES, into the file `example`.
example() {
  awk '/^# /{is_in = $0 == "# EXAMPLES"} /^```/{is_code = !is_code; next} is_in && is_code' \
    "$SHALE_SOURCE/docs/$1.scd" | sed 's/\\\(.\)/\1/g' >example
  [ -s example ] || fail "$1 has no example"
  seen="$seen $1.scd"
}
seen=

# names_image NAME: the store has it.
names_image() {
  shale images --names | grep -qx "localhost/$1"
}

# check_result COMMAND: what its example leaves, or has printed to `out`.
check_result() {
  case $1 in
  build) names_image app:1 ;;
  import) names_image debian:12 ;;
  images) grep -qx localhost/app:1 out ;;
  inspect) grep -q '"media_type": ' out && grep -q '^DIGEST ' out ;;
  export) tar tf files.tar | grep -q '^etc/passwd$' && skopeo inspect oci-archive:app.tar >/dev/null ;;
  history) grep -q 'COPY etc /etc' out ;;
  size) grep -q ' /etc$' out ;;
  diff) [ -s out ] ;;
  ls) grep -q '^-rw.* passwd$' out ;;
  cat) cmp out etc/passwd ;;
  cp) cmp etc-of-app/passwd etc/passwd && shale diff fix | grep -qx 'A /etc.old/passwd' ;;
  mount) cmp mnt/etc/passwd etc/passwd ;;
  umount) is_unmounted mnt ;;
  commit) names_image app:2 && shale cat app:2 /etc/motd | grep -qx Hello ;;
  edit) names_image app:3 && shale cat app:3 /etc/motd | grep -qx Hello ;;
  unshare) cmp out etc/passwd && is_unmounted mnt ;;
  keygen) grep -q 'BEGIN PUBLIC KEY' team.pub ;;
  sign) shale images -a --names | grep -q '\.sig$' ;;
  verify) grep -q 'sha256:' out ;;
  tag) names_image app:stable ;;
  sessions) grep -q '^web-1 .* idle$' out ;;
  session) ! shale sessions -q | grep -qx web-1 ;;
  rm) ! names_image app:1 ;;
  esac
}

for name in $(shale --help | sed -n '/^  rm /d; s/^  \([a-z]*\) .*/\1/p') rm; do
  example "shale-$name.1"
  sed -i 's/ \/mnt\b/ mnt/g' example
  grep -q "^shale $name\b" example || fail "shale-$name(1) has no example of $name"
  [ "$name" != cp ] || make_session app:1 fix >/dev/null
  [ "$name" != sessions ] || make_session app:1 web-1 >/dev/null
  sh -eu example >out 2>errors || fail "the example of shale-$name(1) ended with $?: $(cat errors)"
  check_result "$name" || fail "the example of shale-$name(1) did not do what it is for: $(cat out)"
done

# A manifest.
example shale-manifest.5
mkdir context
cp -R etc context
echo app >context/app
cp example context/Shalefile
shale build -q -t manual context >/dev/null
same "what runs" "$(inspect manual "'%s %s' % (d['config']['config']['User'], d['config']['config']['Entrypoint'][0])")" \
  "1000:1000 /usr/bin/app"
same "its files" "$(files manual | grep -v '^/[a-z/]* d')" "/etc/passwd -0644 0:0 15
/usr/bin/app -0755 0:0 4"

# A signature, by each kind of key.
example shale-key.5
for type in ed25519 p256; do
  rm -f team.key team.pub
  make_key team "$type"
  shale sign --key team.key --passphrase-file pass manual >/dev/null
  signature manual
  text=$(base64 -w 0 sig)
  rm sig
  digest=
  [ "$type" = ed25519 ] || digest=' -digest sha256'
  sed "s|SIGNATURE|$text|; s|PAYLOAD|payload|; s|-rawin|-rawin$digest|" example >by-hand
  sh -eu by-hand >out 2>&1 || fail "the example of shale-key(5) ended with $?: $(cat out)"
  # It tells, too.
  printf ' ' >>payload
  sh -eu by-hand >out 2>&1 && fail "openssl takes anything"
done

# shellcheck disable=SC2086 # a list
same "pages with examples" "$(printf '%s\n' $seen | LC_ALL=C sort)" \
  "$(cd "$SHALE_SOURCE/docs" && grep -l '^# EXAMPLE' -- *.scd | LC_ALL=C sort)"
