# SPDX-License-Identifier: Apache-2.0
# What cases with hostile input share; after lib.sh:  . "$SHALE_SOURCE/tests/support/hostile.sh"
# shellcheck shell=sh

# What one command may cost, whatever it is given.
LIMIT_KIB=262144
LIMIT_CPU_SECONDS=10
# The sanitizers cost more than that; with them only hangs are told.
LIMIT_WALL_SECONDS=120

# canary: a directory that nothing may touch.  canary_is_alive looks.
canary() {
  mkdir -p canary/dir
  echo alive >canary/victim
  echo alive >canary/dir/passwd
  ln -s victim canary/link
  touch -d '2001-01-01' canary/victim canary/dir/passwd canary/dir canary
  { listing canary && contents canary; } >canary.before
}

canary_is_alive() {
  { listing canary && contents canary; } >canary.after
  diff -u canary.before canary.after >&2 || fail "something touched the canary"
}

# bounded STATUS GLOB COMMAND...: as expect, within the limits above.
bounded() {
  bounded_status=$1
  bounded_glob=$2
  shift 2
  if has_sanitizers; then
    expect "$bounded_status" "$bounded_glob" timeout --signal=KILL "$LIMIT_WALL_SECONDS" "$@"
    return
  fi
  expect "$bounded_status" "$bounded_glob" \
    timeout --signal=KILL "$LIMIT_WALL_SECONDS" time -q -o usage -f '%M %U %S' "$@"
  awk -v kib="$LIMIT_KIB" -v cpu="$LIMIT_CPU_SECONDS" '$1 > kib || $2 + $3 > cpu { exit 1 }' usage ||
    fail "'$*' took (KiB, seconds in user and system): $(cat usage)"
}

# names: of the images in the store.
names() {
  unwatched shale images >names.out || fail "the store cannot be listed"
  sed '1d;s/ .*//' names.out
}

# table FUNCTION FILE: calls it for each line "CASE STATUS WORD" of FILE, tab between; all lines are tried, and the
# failures counted at the end.
table() {
  table_failed=0
  table_count=0
  while IFS="$(printf '\t')" read -r table_case table_status table_word; do
    table_count=$((table_count + 1))
    # Not `( ) ||`: in a condition the shell forgets `set -e`.
    set +e
    (
      set -e
      "$1" "$table_case" "$table_status" "$table_word"
    )
    table_got=$?
    set -e
    if [ "$table_got" -ne 0 ]; then
      echo "case '$table_case' failed" >&2
      table_failed=$((table_failed + 1))
    fi
  done <"$2"
  [ "$table_count" -gt 0 ] || fail "the table $2 is empty"
  [ "$table_failed" -eq 0 ] || fail "$table_failed of $table_count cases of $2"
}

# of_no_layer CASE STATUS WORD: what is said of a tar of tests/hostile/tars.py that is a root file system or an archive, and
# no layer, into `status` and `word`.
# shellcheck disable=SC2034 # the case's own
of_no_layer() {
  status=$2
  word=$3
  case $1 in
  # There is no layer below, and whiteouts mean nothing.
  hardlink-to-lower) status=3 word=hardlink ;;
  symlink-then-whiteout | whiteout-* | opaque-* | aufs-*) status=3 word=".wh." ;;
  # Its layer is written anew, with the holes as zeros.
  sparse-one-pebibyte* | sparse-nothing-but-hole) status=4 word=content ;;
  esac
}
