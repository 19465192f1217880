#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Forged layer indexes under right digests: an import refuses every one, and who uses such an image as it is, without
# an import, gets an error or the tree of the index, and never a crash.
# NEEDS: time zstd
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
mkdir -p context/dir
python3 -c 'import random; open("context/big", "wb").write(random.Random(1).randbytes(1700000))'
seq 2000 >context/dir/numbers
printf 'FROM scratch\nCOPY . /\n' | shale build -q -f - -t good --store good context >/dev/null
python3 "$SHALE_SOURCE/tests/hostile/layer_indexes.py" good layouts >table

imported() {
  bounded "$2" "*$3*" shale import -q -t x "oci:layouts/$1"
  if [ "$2" -eq 0 ]; then
    shale cat x /big | cmp - context/big
    shale rm x >/dev/null
  else
    same "names" "$(names)" ""
  fi
  # Used as a store, the image is what its documents say, as far as they can be true.
  digest=$(json "layouts/$1/index.json" "d['manifests'][0]['digest']")
  for command in "ls -R" "cat /big /dir/numbers" "fsck --read-data -q"; do
    image=$digest
    [ "$command" = "${command#fsck}" ] || image=
    got=0
    # shellcheck disable=SC2086 # a command, its options and operands
    timeout -s KILL 60 shale ${command%% *} --store "layouts/$1" $image ${command#* } >out 2>err || got=$?
    case $got in
    0 | 3 | 4 | 5 | 7 | 8) ;;
    *) fail "'$command' ended with $got: $(cat err)" ;;
    esac
  done
  rm -rf "layouts/$1"
}

table imported table
canary_is_alive
