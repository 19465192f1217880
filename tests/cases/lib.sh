# SPDX-License-Identifier: Apache-2.0
# What cases share; begin a case with:  . "$SHALE_CASES/lib.sh"
# shellcheck shell=sh
set -eu
umask 022
unset SOURCE_DATE_EPOCH
# Each case has a store of its own.
: "${SHALE_STORE:=$PWD/store}"
export SHALE_STORE

fail() {
  printf 'FAIL: %s\n' "$*" >&2
  exit 1
}

skip() {
  printf 'skipped: %s\n' "$*" >&2
  exit 77
}

# expect STATUS GLOB COMMAND...: the command ends with exactly STATUS, and its output (both streams)
# matches the shell pattern GLOB; a death by signal never passes.
expect() {
  expect_status=$1
  expect_glob=$2
  shift 2
  expect_got=0
  "$@" >expect.out 2>&1 || expect_got=$?
  if [ "$expect_got" -ne "$expect_status" ]; then
    cat expect.out >&2
    fail "'$*' ended with $expect_got, not $expect_status"
  fi
  # shellcheck disable=SC2254 # GLOB is a pattern
  case "$(cat expect.out)" in
  $expect_glob) ;;
  *)
    cat expect.out >&2
    fail "'$*' did not print '$expect_glob'"
    ;;
  esac
}

# same WHAT A B: two texts are equal.
same() {
  [ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"
}

# umoci_layout: `layout`, whose app is an image of two gzip layers with a whiteout, and `want`, what umoci unpacks of it.
umoci_layout() {
  umoci init --layout layout
  umoci new --image layout:base
  umoci unpack --image layout:base bundle >/dev/null
  make_rootfs bundle/rootfs
  umoci repack --refresh-bundle --image layout:app bundle >/dev/null
  rm bundle/rootfs/etc/passwd
  echo new >bundle/rootfs/etc/new
  umoci repack --refresh-bundle --image layout:app bundle >/dev/null
  umoci unpack --image layout:app want >/dev/null
}

# has_sanitizers: the program is a build that watches itself, and slower for that.
has_sanitizers() {
  [ -n "${SHALE_SANITIZERS:-}" ]
}

# unwatched COMMAND...: without looking for leaks, which takes half the time of a short command: for what a case repeats to
# look at its results.  Another call of the same looks.
unwatched() {
  ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" "$@"
}

# as_user COMMAND...: as uid 1000 without privileges (the case needs root).
as_user() {
  setpriv --reuid 1000 --regid 1000 --clear-groups -- "$@"
}

# listing DIR: each file below with type, mode, ids, size, mtime (ns), link count, link target and device.
listing() {
  (cd "$1" && find . -printf '%p|%y|%m|%U|%G|%T@|%n|%l|' \( -type f -printf '%s\n' -o \
    \( -type b -o -type c \) -exec stat -c '%t:%T' {} \; -o -printf '\n' \) | LC_ALL=C sort)
}

# xattrs DIR: those of each file below.
xattrs() {
  (cd "$1" && find . -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m - -e hex --)
}

# contents DIR: a digest of each regular file below.
contents() {
  (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --)
}

# same_trees A B: names, metadata, xattrs and content are equal.
same_trees() {
  for trees_what in listing xattrs contents; do
    "$trees_what" "$1" >trees.a
    "$trees_what" "$2" >trees.b
    diff -u trees.a trees.b >&2 || fail "the trees $1 and $2 differ ($trees_what)"
  done
}

# json FILE EXPRESSION: prints what a Python expression over the document `d` gives.
json() {
  python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}

# blob DIGEST: where the store has it.
blob() {
  printf '%s/blobs/%s/%s\n' "$SHALE_STORE" "${1%%:*}" "${1#*:}"
}

# inspect IMAGE EXPRESSION: prints what a Python expression over `shale inspect --json` (`d`) gives.
inspect() {
  shale inspect --json "$1" >inspect.json
  json inspect.json "$2"
}

# layers IMAGE: the digests of its layers, one a line, from the base up.
layers() {
  inspect "$1" "'\n'.join(layer['digest'] for layer in d['layers'])"
}

# files IMAGE [PATH]...: one line for each file of the image: "/path -0755 0:0 7" (type, mode, owner, and size
# of a file or target of a link).
files() {
  files_image=$1
  shift
  shale ls -R --json "$files_image" "$@" >files.json
  json files.json "'\n'.join('%s %s%s %d:%d%s' % (f['path'], f['type'], f['mode'], f['uid'], f['gid'],
    ' %d' % f['size'] if f['type'] == '-' else ' -> ' + f['target'] if f['type'] == 'l' else '') for f in d)"
}

# small_image NAME [CONTENT]: builds an image of one file, /hello.
small_image() {
  mkdir -p small
  printf '%s\n' "${2:-hello}" >small/hello
  printf 'FROM scratch\nCOPY hello /\n' | shale build -q -f - -t "$1" small
}

# make_session IMAGE [NAME]: an edit session over it, as a mount makes one; prints its name.
make_session() {
  "$SHALE_BUILD/tests/support/make-session" "$@"
}

# use_session IMAGE NAME WHAT: the same, in use by process $session_user, who does WHAT, until `end_session`.
use_session() {
  mkfifo session.input
  "$SHALE_BUILD/tests/support/make-session" "$@" <session.input >session.output &
  session_user=$!
  exec 9>session.input
  wait_for test -s session.output
}

end_session() {
  exec 9>&-
  wait "$session_user"
  rm session.input session.output
}

# build_text NAME CONTEXT: builds the manifest on standard input.
build_text() {
  shale build -q -f - -t "$1" "$2"
}

# flip FILE OFFSET: inverts one byte; a negative offset counts from the end.
flip() {
  chmod u+w "$1"
  python3 - "$1" "$2" <<'END'
import os, sys
with open(sys.argv[1], "r+b") as f:
    at = int(sys.argv[2])
    f.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
    byte = f.read(1)[0]
    f.seek(-1, os.SEEK_CUR)
    f.write(bytes([byte ^ 0xFF]))
END
}

# make_rootfs DIR: a root file system with one of everything that a layer can hold (as root).
make_rootfs() {
  mkdir -p "$1/bin" "$1/etc/empty" "$1/tmp" "$1/dev" "$1/home/user"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$1/etc/passwd"
  head -c 3000000 /dev/urandom >"$1/bin/tool"
  seq 200000 >"$1/home/user/numbers"
  : >"$1/etc/nothing"
  truncate -s 8M "$1/home/user/sparse"
  printf middle | dd of="$1/home/user/sparse" bs=1 seek=4000000 conv=notrunc status=none
  truncate -s 1M "$1/home/user/hole"
  ln "$1/bin/tool" "$1/bin/tool2"
  ln "$1/bin/tool" "$1/home/user/tool3"
  ln -s ../bin/tool "$1/etc/link"
  ln -s /nowhere/at/all "$1/etc/dangling"
  ln -s "$(printf '%200s' '' | tr ' ' t)" "$1/etc/long-target"
  : >"$1/$(printf '%255s' '' | tr ' ' n)"
  : >"$1/$(printf 'caf\303\251 \344\270\255')"
  : >"$1/$(printf 'not-utf8-\377\376')"
  mknod "$1/dev/null" c 1 3
  mknod "$1/dev/loop0" b 7 0
  mkfifo "$1/dev/fifo"
  chown -R 1000:1001 "$1/home/user"
  chown 4000000000:4000000001 "$1/etc/nothing"
  chmod 4755 "$1/bin/tool"
  chmod 2755 "$1/home/user"
  chmod 1777 "$1/tmp"
  chmod 0000 "$1/home/user/numbers"
  chmod 0666 "$1/dev/null"
  setfattr -n user.comment -v 'a value' "$1/etc/passwd"
  setfattr -n user.binary -v 0x00ff0a "$1/etc/passwd"
  setfattr -n trusted.note -v root "$1/etc/empty"
  # cap_net_raw+ep
  setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 "$1/bin/tool2"
  touch -d '2001-02-03 04:05:06.789012345' "$1/etc/passwd" "$1/bin/tool"
  touch -d '1969-12-31 23:59:58.5' "$1/etc/nothing"
  touch -h -d '2038-01-19 03:14:08.000000001' "$1/etc/link"
  touch -d '2020-02-02 02:02:02.020202020' "$1/etc/empty" "$1/tmp" "$1/dev" "$1"
}

# wait_for COMMAND...: until it succeeds, at most ten seconds.
wait_for() {
  wait_for_rounds=0
  until "$@"; do
    wait_for_rounds=$((wait_for_rounds + 1))
    [ "$wait_for_rounds" -lt 200 ] || fail "'$*' did not come true"
    sleep 0.05
  done
}

# process_of NAME MOUNTPOINT: the process of that name (comm) of a mount which was given below $PWD, by its whole path.
process_of() {
  for process_of in $(pgrep -f "^([^ ]*/)?shale mount .*$PWD/$2\$"); do
    [ "$(cat "/proc/$process_of/comm" 2>/dev/null)" != "$1" ] || echo "$process_of"
  done
}

# server_of MOUNTPOINT: the process that answers, a mount's worker.
server_of() {
  process_of shale-worker "$1"
}

# supervisor_of MOUNTPOINT: the process that mounted, and replaces a worker that dies.
supervisor_of() {
  process_of shale "$1"
}

# kill_mount MOUNTPOINT: both die at once, and neither can take the mount away.
kill_mount() {
  kill_supervisor=$(supervisor_of "$1")
  kill_server=$(server_of "$1")
  kill -STOP "$kill_server"
  kill -KILL "$kill_supervisor"
  wait_for is_gone "$kill_supervisor"
  kill -KILL "$kill_server"
  wait_for is_gone "$kill_server"
}

# has_new_server MOUNTPOINT FORMER: another worker has taken over.
has_new_server() {
  has_new_server=$(server_of "$1")
  [ -n "$has_new_server" ] && [ "$has_new_server" != "$2" ]
}

# has_serving_server MOUNTPOINT FORMER: the same, and it has begun to answer, for which it has threads.
has_serving_server() {
  has_new_server "$@" && [ -e "/proc/$has_new_server/task" ] &&
    [ "$(find "/proc/$has_new_server/task" -mindepth 1 -maxdepth 1 | wc -l)" -gt 1 ]
}

# kill_server MOUNTPOINT: kill -9 of the worker; returns when another serves.
kill_server() {
  kill_server=$(server_of "$1")
  kill -KILL "$kill_server"
  wait_for has_serving_server "$1" "$kill_server"
}

# is_stopped PROCESS: with all its threads.
is_stopped() {
  ! cat "/proc/$1/task"/*/stat | grep -qv '^[0-9]* (.*) T '
}

# waits_for_server PROCESS: a thread of it waits in the kernel for an answer of a FUSE server, or for a page that one brings.
waits_for_server() {
  cat "/proc/$1/task"/*/wchan "/proc/$1/task"/*/stack 2>/dev/null | grep -q 'request_wait\|folio_wait'
}

is_unmounted() {
  ! grep -q " $PWD/$1 " /proc/self/mountinfo
}

# is_gone PROCESS: it has ended, whether or not somebody has asked how; with all its threads, because the first one may be
# a zombie while another still holds the files.
is_gone() {
  ! cat "/proc/$1/task"/*/stat 2>/dev/null | grep -q '^[0-9]* (.*) [^ZX] '
}

# open_fuse_device CASE: begins the case anew where all users may use /dev/fuse, as on most systems.
open_fuse_device() {
  if [ "$(stat -c %a /dev/fuse)" != 666 ]; then
    mknod -m 666 fuse c 10 229
    # shellcheck disable=SC2016 # for the other shell
    exec unshare -m sh -c 'mount --bind fuse /dev/fuse && exec sh "$1"' - "$1"
  fi
}

# make_key PREFIX [TYPE]: a key pair; its passphrase is the content of the file `pass`.
make_key() {
  [ -e pass ] || printf secret >pass
  shale keygen --type "${2:-ed25519}" --passphrase-file pass "$1" >/dev/null
}

# sign IMAGE [OPTION]...: with team.key.
sign() {
  shale sign --key team.key --passphrase-file pass "$@" >/dev/null
}

# signature IMAGE: writes the payload and the raw bytes of its newest signature to `payload` and `sig`.
signature() {
  shale images -a --json >images.json
  python3 - "$SHALE_STORE" "$(inspect "$1" "d['digest']")" <<'END'
import base64, json, sys
store, digest = sys.argv[1:]
def path(d):
    return f"{store}/blobs/{d.replace(':', '/')}"
images = json.load(open("images.json"))
tag = ":" + digest.replace(":", "-") + ".sig"
artifact = next(i for i in images if i["name"].endswith(tag))
layer = json.load(open(path(artifact["digest"])))["layers"][-1]
with open("payload", "wb") as f:
    f.write(open(path(layer["digest"]), "rb").read())
with open("sig", "wb") as f:
    f.write(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"], validate=True))
END
}

# two_platforms NAME: imports an index of an amd64 and an arm64 image, each with a file /arch.
two_platforms() {
  mkdir -p platforms
  for platform in amd64 arm64; do
    echo "$platform" >platforms/arch
    printf 'FROM scratch\nCOPY arch /\n' |
      shale build -q -f - --store platforms/store --platform "linux/$platform" -t "$platform" platforms >/dev/null
  done
  python3 - platforms/store <<'END'
import hashlib, json, sys
store = sys.argv[1]
with open(f"{store}/index.json") as f:
    top = json.load(f)
manifests = []
for m in top["manifests"]:
    name = m.pop("annotations")["org.opencontainers.image.ref.name"]
    m["platform"] = {"os": "linux", "architecture": name.split("/")[1].split(":")[0]}
    manifests.append(m)
kind = "application/vnd.oci.image.index.v1+json"
index = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": manifests}).encode()
digest = hashlib.sha256(index).hexdigest()
with open(f"{store}/blobs/sha256/{digest}", "wb") as f:
    f.write(index)
top["manifests"] = [{"mediaType": kind, "digest": f"sha256:{digest}", "size": len(index),
                     "annotations": {"org.opencontainers.image.ref.name": "both"}}]
with open(f"{store}/index.json", "w") as f:
    json.dump(top, f)
END
  shale import -t "$1" oci:platforms/store:both
}

# mount_small [IMAGE]: a mount of /hello at $PWD/mnt.
mount_small() {
  small_image "${1:-app}" >/dev/null
  mkdir -p mnt
  shale mount "${1:-app}" "$PWD/mnt"
}

# status_of COMMAND...: prints how it ends; its output is in expect.out.
status_of() {
  status_of=0
  "$@" >expect.out 2>&1 || status_of=$?
  echo "$status_of"
}
