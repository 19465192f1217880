#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C at any moment leaves nothing behind, or all; a death at any moment leaves what was there, and the next export
# works.
# NEEDS: strace
# TIMEOUT: 240
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image old old >/dev/null
small_image new new >/dev/null
shale export old oci:before >/dev/null
for form in oci oci-archive docker-archive rootfs; do
  shale export old "$form:$form.old" >/dev/null
  shale export new "$form:$form.new" >/dev/null
done
cp -r before both
shale export new oci:both >/dev/null

# state FORM: of `out`: nothing, old, new, or something else.
state() {
  if [ ! -e out ]; then
    echo nothing
  elif diff -rq out "$1.old" >/dev/null; then
    echo old
  elif diff -rq out "$1.new" >/dev/null; then
    echo new
  else
    find out | sort
    echo else
  fi
}

# stopped SIGNAL CALL N FORM: at the N-th CALL of an export; fails when it was not reached.
stopped() {
  strace -qq -o trace -e "trace=$2" -e "inject=$2:signal=$1:when=$3" shale export new "$4:out" >/dev/null 2>err || :
  grep -q -e "--- SIG$1" -e "+++ killed by SIG$1" trace
}

calls="mkdir mkdirat write fsync linkat renameat unlinkat"
reached=0
for form in oci oci-archive docker-archive rootfs; do
  for start in nothing old; do
    for call in $calls; do
      for signal in INT KILL; do
        when=1
        while [ "$when" -le 40 ]; do
          rm -rf out
          [ "$start" = nothing ] || cp -r "$form.old" out
          stopped "$signal" "$call" "$when" "$form" || break
          found=$(state "$form")
          case "$form $signal $start $found" in
          *" nothing nothing" | *" old old" | *" new") ;;
          "oci "*)
            # What has index.json as it was, and what is new has no oci-layout with an index.json.
            if [ "$signal" = KILL ]; then
              if [ "$start" = old ]; then
                same "entries, $call $when" "$(json out/index.json "[m['annotations']['org.opencontainers.image.ref.name'] for m in d['manifests']][0]")" \
                  localhost/old:latest
              else
                [ ! -e out/index.json ] || cmp out/index.json oci.new/index.json
              fi
            elif [ "$start" = old ]; then
              diff -r out both >&2 || fail "$signal at $call $when: $found"
            else
              fail "$signal at $call $when of $form from $start: $found"
            fi
            ;;
          *) fail "$signal at $call $when of $form from $start: $found" ;;
          esac
          # Litter of a death, but for the moment of a replacement, there is none.
          [ "$signal" = KILL ] || same "litter, $signal at $call $when of $form" "$(find . -name '.shale-*.tmp')" ""
          rm -f .shale-*.tmp
          shale export new "$form:out" >/dev/null || fail "the next export, after $signal at $call $when of $form"
          when=$((when + 1))
          reached=$((reached + 1))
        done
      done
    done
  done
done
[ "$reached" -ge 100 ] || fail "only $reached calls were reached"
