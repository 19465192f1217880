#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A command that succeeds is committed, as mount and commit do it; one that fails is not; nothing else is left.
# NEEDS: root fuse setpriv
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"

edit_image
# shellcheck disable=SC2016 # for the shell inside
change='umask 022; echo new >etc/conf; echo more >etc/more
  find . -exec touch -d "2010-01-02 03:04:05 UTC" {} +'

# One digest, whichever way.
mkdir mnt
shale mount --edit --session apart app mnt >/dev/null
(cd mnt && sh -c "$change")
shale umount mnt
shale commit -q -t apart -m 'A change' -a me -c 'ENV A=b' --label l=1 apart >digest
shale session rm apart >/dev/null
shale edit app -t one -m 'A change' --author me -t two:2 -c 'ENV A=b' --label l=1 -- sh -c "$change" >got 2>errors
cmp digest got || fail "edit does not commit what commit does"
[ ! -s errors ] || fail "it said: $(cat errors)"
same "the second name" "$(inspect two:2 "d['digest']")" "$(cat digest)"
same "content" "$(shale cat one /etc/conf) $(shale cat one /etc/more)" "new more"
same "the image" "$(shale cat app /etc/conf)" old
no_trace

# What the command has: the tree, its streams, variables.
# shellcheck disable=SC2016 # for the shell inside
echo typed | shale edit -q --session work app sh -c 'cat; pwd; env | grep -e ^SHALE_SE -e ^SHALE_ST -e ^SHALE_M | sort; shale sessions -q; cat etc/conf
  stat -c %a ..; echo "$PWD"; echo x >x; shale diff "$SHALE_SESSION" | grep -v " /$"; ls /proc/self/fd | wc -l; grep Sig[BI] /proc/self/status' >out
place=$(sed -n 2p out)
case $place in
"$PWD"/tmp/shale-edit-*/root) ;;
*) fail "mounted at '$place'" ;;
esac
same "what it sees" "$(sed '$d' out)" "typed
$place
SHALE_MOUNT=$place
SHALE_SESSION=work
SHALE_STORE=$SHALE_STORE
work
old
700
$place
A /x
4
$(grep 'Sig[BI]' /proc/self/status)"
no_trace

# Options behind the command are its own.
expect 0 "-t x --chroot
sha256:*" shale edit app echo -t x --chroot
expect 0 "-q y
sha256:*" shale edit app -- echo -q y

# Nothing changed: an image with a line more of history, as commit makes it.
shale edit app -t same -- true >/dev/null
same "layers" "$(layers same)" "$(layers app)"
same "history" "$(inspect same "d['config']['history'][-1].get('empty_layer')")" True

# A command that fails: its status, and no image.
for status in 1 7 125 255; do
  expect "$status" '' shale edit app -t failed -- sh -c "echo x >x; exit $status"
  no_trace
done
expect 137 '' shale edit app -t failed -- sh -c "kill -KILL \$\$"
expect 127 "shale: cannot run 'no/such': No such file or directory" shale edit app -t failed --keep -- no/such
expect 126 "shale: cannot run './etc': Permission denied" shale edit app -t failed -- ./etc
no_trace

# Shale's own failures.
expect 125 "shale: unknown option '--frob' (see shale edit --help)" shale edit --frob app true
expect 125 "shale: option '--tag': *" shale edit app -t 'No Name' -- true
expect 125 "shale: *'COPY a b'*" shale edit app -c 'COPY a b' -- true
expect 125 "shale: no image *nosuch*" shale edit nosuch -- true
expect 125 "shale: cannot write to standard output: No space left on device" sh -c 'exec shale edit app -t full -- true >/dev/full'
expect 125 "shale: option '--identity' goes with '--key'" shale edit app --identity x -- true
expect 125 "shale: cannot make a directory '$PWD/none/*" env TMPDIR="$PWD/none" shale edit app -- true
expect 125 "shale: only root can edit*" as_user shale edit app -- true
expect 125 "shale: *" shale edit --session 'no name' app -- true
no_trace
make_session app mine >/dev/null
expect 125 "shale: *'mine'*" shale edit --session mine app -- touch x
same "the other session" "$(shale sessions -q)" mine
shale session rm mine >/dev/null
expect 8 '*' shale inspect failed

# Only what was signed.
make_key team
sign app
shale edit -q --key team.pub app -t signed -- touch x >/dev/null
expect 125 "shale: *" shale edit -q --key team.pub signed -t again -- touch x
expect 8 '*' shale inspect again
no_trace
