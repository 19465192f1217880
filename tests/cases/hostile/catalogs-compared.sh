#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# diff and size with catalogs that are damaged, or forged under right digests: the image's own answer, or an error; nobody
# crashes or hangs.
# NEEDS: root
# TIMEOUT: 300
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

make_rootfs tree
mkdir tree/many
seq 300 | while read -r i; do
  echo "$i" >"tree/many/file$i"
done
shale import -q -t app dir:tree >/dev/null
shale ls app >/dev/null
catalog=$(echo "$SHALE_STORE"/shale/catalogs/*)
cp "$catalog" pristine
rm tree/etc/passwd tree/many/file7
echo new >tree/many/new
setfattr -n user.binary -v 0x01 tree/many/file8
shale import -q -t other dir:tree >/dev/null
shale diff other app >diff.right
shale size --json app >size.right
[ "$(wc -l <diff.right)" -eq 6 ] || fail "the changes are others: $(cat diff.right)"

# ends COMMAND...: without a crash, in time, and with a status that says what an image can be.
ends() {
  ends_status=$(status_of timeout --signal=KILL "$LIMIT_WALL_SECONDS" "$@")
  case $ends_status in
  0 | 3 | 4 | 5 | 8) ;;
  *) fail "'$*' ended with $ends_status: $(cat expect.out)" ;;
  esac
}

# compared CASE KIND TEXT: "-" and "+" are what shale notices, all else are lies that it cannot see through.
compared() {
  for command in "diff other app" "diff app other" "size --json app"; do
    rm -f "$catalog"
    cp "$folder/$1" "$catalog"
    # shellcheck disable=SC2086 # words
    ends shale $command
    case $2 in - | +) ;; *) continue ;; esac
    same "status of $command" "$ends_status" 0
    sed -i '/^shale: /d' expect.out
    case $command in
    "diff other"*) diff -u diff.right expect.out >&2 || fail "$1: another difference" ;;
    # How much of a file is no hole: nothing else says so.
    size*) [ "$1" = data-bytes ] || diff -u size.right expect.out >&2 || fail "$1: another size" ;;
    esac
  done
}

for folder in rotten forged; do
  python3 "$SHALE_SOURCE/tests/hostile/catalogs.py" "$folder" pristine "$folder" >"$folder.table"
  # Half of them take as long there as all do elsewhere.
  if has_sanitizers && [ -z "${SHALE_FULL:-}" ]; then
    awk 'NR % 2' "$folder.table" >chosen
    mv chosen "$folder.table"
  fi
  table compared "$folder.table"
done
