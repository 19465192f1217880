# SPDX-License-Identifier: Apache-2.0
# A Debian root that is edited with apt, twice: as an image, and as a directory of this machine's file system with its chroot.
# Both have to be one tree whenever apt has ended, or was ended.  After debian_packages.sh:
# . "$SHALE_SOURCE/tests/support/debian_edits.sh"
# shellcheck shell=sh

# begin_edits ROOT: the image base:1, and `peer`, of ROOT with the repositories.
begin_edits() {
  add_repositories "$1"
  cp -a "$1" peer
  mkdir -p mnt tmp
  TMPDIR=$PWD/tmp
  export TMPDIR
  shale import -q -t base:1 --compression gzip "dir:$1" >/dev/null
  number=1
  checked=1
  debian_tree snapshot peer peer.1
  # What is newer was made by apt.
  touch since
}

# same_as_peer DIR WHAT
same_as_peer() {
  debian_tree snapshot "$1" tree.shale
  debian_tree snapshot peer tree.peer
  debian_tree compare since tree.peer tree.shale >differences || fail "$2: not as in a directory: $(cat differences)"
}

# same_database DIR WHAT: dpkg finds nothing amiss, but for the conffile that was edited, and lists the same packages.
same_database() {
  for question in --audit --verify --list; do
    in_root "$1" dpkg "$question" >answer.shale 2>&1 || fail "$2: dpkg $question ended with $?: $(cat answer.shale)"
    in_root peer dpkg "$question" >answer.peer 2>&1
    diff -u answer.peer answer.shale >&2 || fail "$2: another answer of dpkg $question"
    case $question in
    --audit) same "$2: what is amiss" "$(cat answer.shale)" "" ;;
    --verify) same "$2: what differs" "$(grep -v '^??5?????? c /etc/alpha.d/local.conf$' answer.shale)" "" ;;
    esac
  done
}

# same_diff OLD NEW: `shale diff` lists what the peer's trees of these numbers differ in, and nothing else.  Whether ldconfig's
# aux-cache does says nothing: it holds inode numbers.
same_diff() {
  debian_tree changes "peer.$1" "peer.$2" | grep -v ' /var/cache/ldconfig' >want
  shale diff "base:$1" "base:$2" | grep -v ' /var/cache/ldconfig' | LC_ALL=C sort -k 2 >got
  diff -u want got >&2 || fail "the images $1 and $2 differ in other files"
}

# edit COMMAND...: the next image, by that command; looked at with --full, and by check_edits.
edit() {
  number=$((number + 1))
  shale edit -q "base:$((number - 1))" -t "base:$number" --times --compression gzip --chroot -- "$@" >edit.log 2>&1 ||
    fail "'$*' ended with $?: $(cat edit.log)"
  in_root peer "$@" >peer.log 2>&1 || fail "'$*' in the peer ended with $?: $(cat peer.log)"
  no_trace
  [ -z "$SHALE_FULL" ] || check_edits
}

# check_edits: the last image is as the peer, and differs from the one that was looked at before as the peer did from itself.
check_edits() {
  [ "$checked" != "$number" ] || return 0
  shale mount "base:$number" mnt
  same_as_peer mnt "image $number"
  mv tree.peer "peer.$number"
  same_database mnt "image $number"
  shale umount mnt
  same_diff "$checked" "$number"
  checked=$number
}

# same_as_umoci NUMBER: what another tool unpacks of the image is what the mount shows.
same_as_umoci() {
  umoci unpack --image "$SHALE_STORE:localhost/base:$1" bundle >/dev/null
  shale mount "base:$1" mnt
  same_trees mnt bundle/rootfs
  shale umount mnt
  rm -rf bundle
}

# begin_install DIR POINT: apt-get installs gamma, and waits in its script POINT.
begin_install() {
  touch "$1/srv/pause-$2"
  in_root "$1" apt-get install -y gamma >"$1.log" 2>&1 &
  installing=$!
  wait_for test -e "$1/srv/at-$2"
}

# kill_install DIR: apt-get, and with it, as the first process of its namespace, dpkg and the script.
kill_install() {
  kill -KILL "$(processes_in "$1" apt-get)"
  wait "$installing" && fail "apt-get in $1 was not killed: $(cat "$1.log")"
  wait_for is_quiet "$1"
  rm -f "$1"/srv/pause-* "$1"/srv/at-*
}

is_quiet() {
  [ -z "$(processes_in "$1" dpkg)$(processes_in "$1" apt-get)" ]
}

# mend DIR: as apt's and dpkg's messages have it; what was not even unpacked has to be installed once more.
mend() {
  expect 100 "*dpkg was interrupted, you must manually run 'dpkg --configure -a'*" in_root "$1" apt-get install -y gamma
  for command in 'dpkg --configure -a' 'apt-get -f install -y' 'apt-get install -y --reinstall gamma'; do
    # shellcheck disable=SC2086 # words
    in_root "$1" $command >"$1.log" 2>&1 || fail "$command in $1 ended with $?: $(cat "$1.log")"
  done
}

# interrupt POINT: an install in a session over the last image, while the process that answers dies; all of both dies; the session
# is resumed, mended, and committed as the next image.
interrupt() {
  shale mount --edit --session "$1" "base:$number" "$PWD/mnt" >/dev/null
  begin_install mnt "$1"
  kill_server mnt
  # Locks are the kernel's, and outlive it.
  expect 100 "*Could not get lock /var/lib/dpkg/lock-frontend*" in_root mnt apt-get install -y gamma
  kill_install mnt
  kill_mount mnt
  shale umount mnt
  shale mount --edit --session "$1" "$PWD/mnt" >/dev/null
  begin_install peer "$1"
  kill_install peer
  same_as_peer mnt "killed in $1"
  mend mnt
  mend peer
  number=$((number + 1))
  shale commit -q -t "base:$number" --times --compression gzip "$1" >/dev/null
  shale umount mnt
  shale session rm "$1" >/dev/null
  # The leases of who was killed.
  shale gc >/dev/null
  check_edits
}

# interrupt_by_chance ROUND: the same at a moment that nobody chose; there is no peer that was killed at that moment.
interrupt_by_chance() {
  shale mount --edit --session "chance-$1" "base:$number" "$PWD/mnt" >/dev/null
  in_root mnt apt-get install -y beta gamma >mnt.log 2>&1 &
  installing=$!
  sleep "$(awk -v round="$1" 'BEGIN { srand(); print round / 8 + rand() / 8 }')"
  kill_server mnt
  # It may have ended.
  process=$(processes_in mnt apt-get)
  [ -z "$process" ] || kill -KILL "$process" || true
  wait "$installing" || true
  wait_for is_quiet mnt
  kill_mount mnt
  shale umount mnt
  shale mount --edit --session "chance-$1" "$PWD/mnt" >/dev/null
  for command in 'dpkg --configure -a' 'apt-get -f install -y' 'apt-get install -y --reinstall alpha beta gamma'; do
    # shellcheck disable=SC2086 # words
    in_root mnt $command >mnt.log 2>&1 || fail "round $1: $command ended with $?: $(cat mnt.log)"
  done
  for question in --audit --verify; do
    same "round $1: dpkg $question" "$(in_root mnt dpkg $question 2>&1)" ""
  done
  same "round $1: what is left" "$(find mnt -name '*.dpkg-new' -o -name '*.dpkg-tmp')" ""
  shale umount mnt
  shale session rm "chance-$1" >/dev/null
}
