# SPDX-License-Identifier: Apache-2.0
# A change in the middle of a command, at a point that is always the same; after lib.sh:
# . "$SHALE_SOURCE/tests/support/stop.sh" (the case needs strace)
# shellcheck shell=sh

# stopped STATUS GLOB CALL PATH CHANGE COMMAND...: COMMAND, which is stopped as soon as its first CALL on PATH (that of
# number $stopped_when, where it is set) is done while the shell runs CHANGE, ends with STATUS, and prints GLOB.
stopped() {
  stopped_status=$1
  stopped_glob=$2
  stopped_call=$3
  stopped_path=$4
  stopped_change=$5
  shift 5
  rm -f stop.trace
  strace -f -qq -o stop.trace -P "$stopped_path" -e trace="$stopped_call" \
    -e inject="$stopped_call":signal=SIGSTOP:when="${stopped_when:-1}" "$@" >stop.out 2>&1 &
  stopped_strace=$!
  wait_for grep -qs 'stopped by SIGSTOP' stop.trace
  eval "$stopped_change"
  kill -CONT "$(sed -n '1s/ .*//p' stop.trace)"
  stopped_got=0
  wait "$stopped_strace" || stopped_got=$?
  [ "$stopped_got" -eq "$stopped_status" ] ||
    fail "'$*' with '$stopped_change' in between ended with $stopped_got, not $stopped_status: $(cat stop.out)"
  # shellcheck disable=SC2254 # GLOB is a pattern
  case "$(cat stop.out)" in
  $stopped_glob) ;;
  *) fail "'$*' with '$stopped_change' in between did not print '$stopped_glob': $(cat stop.out)" ;;
  esac
}
