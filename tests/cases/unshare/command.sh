#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command gets its arguments, its environment and its signals as they are, and its exit status is that of shale.
# NEEDS: root userns setpriv newuidmap newgidmap
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/unshare/users.sh"

begin_with_users "$0"
subordinate_ids alice:100000:65536

for status in 0 1 2 7 125 126 127 255; do
  expect "$status" '' as_user shale unshare sh -c "exit $status"
done
same "killed" "$(status_of as_user shale unshare sh -c "kill -KILL \$\$")" 137
expect 127 "shale: cannot run './no\\\\nsuch': No such file or directory" as_user shale unshare "./no
such"
touch plain
expect 126 "shale: cannot run './plain': Permission denied" as_user shale unshare ./plain
expect 126 "shale: cannot run '/': Permission denied" as_user shale unshare /
same "an empty name" "$(status_of as_user shale unshare '')" "$(status_of as_user env '')"
same "no such name" "$(status_of as_user shale unshare nosuch)" "$(status_of as_user env nosuch)"

# What is wrong with shale itself is 125, usage included.
expect 125 "shale: unknown option '--frob' (see shale unshare --help)" as_user shale unshare --frob true
expect 125 "shale: option '--store' needs a value: DIR" as_user shale unshare --store
expect 125 "shale: the path of the store is empty" as_user shale unshare --store '' true

# Options behind the command are its own.
expect 0 "-h --help --store x -- -q" as_user shale unshare echo -h --help --store x -- -q
expect 0 "-h" as_user shale unshare -- echo -h
expect 0 "--" as_user shale unshare echo --

# Without one it is the user's shell, or sh.
# shellcheck disable=SC2016 # for the shell that it is
printf '#!/bin/sh\necho "shell of $(id -u): $#"\n' >shell
chmod 755 shell
expect 0 "shell of 0: 0" as_user env SHELL="$PWD/shell" shale unshare
expect 0 "shell of 0: 0" as_user env SHELL="$PWD/shell" shale unshare --
for shell in "SHELL=" "-uSHELL"; do
  # shellcheck disable=SC2016 # for the shell inside
  same "default" "$(echo 'echo sh of $(id -u)' | as_user env "$shell" shale unshare)" "sh of 0"
done
expect 127 "shale: cannot run '/no/shell': *" as_user env SHELL=/no/shell shale unshare

# Of the environment only the store changes; of what it inherits nothing.
as_user env SHALE_PASSPHRASE=secret sh -c 'env | grep -v ^_= | sort' >outside
as_user env SHALE_PASSPHRASE=secret shale unshare sh -c 'env | grep -v ^_= | sort' >inside
diff -u outside inside >&2 || fail "the environment changed"
as_user env -u SHALE_STORE shale unshare sh -c 'env | grep -v ^_= | sort' >inside
same "what is new" "$(grep -v -e ^SHALE_PASSPHRASE= outside | diff - inside | grep '^[<>]')" \
  "< SHALE_STORE=$SHALE_STORE
> SHALE_STORE=$HOME/.local/share/shale"
for word in "Sig[BIC]" Groups Umask NoNewPrivs Seccomp; do
  same "$word" "$(as_user shale unshare grep "^$word" /proc/self/status)" \
    "$(as_user grep "^$word" /proc/self/status)"
done
same "ignored SIGCHLD" "$(as_user env --ignore-signal=CHLD shale unshare grep ^SigIgn /proc/self/status)" \
  "$(as_user env --ignore-signal=CHLD grep ^SigIgn /proc/self/status)"
# Other groups stay, under the name of nobody.
echo "of bob's group" >file
chown root:1001 file
chmod 640 file
same "groups" "$(setpriv --reuid 1000 --regid 1000 --groups 1000,1001 shale unshare sh -c 'id -G; cat file')" \
  "0 65534
of bob's group"
expect 1 '*Permission denied*' as_user shale unshare cat file
same "descriptors" "$(as_user shale unshare ls /proc/self/fd)" "$(as_user ls /proc/self/fd)"
same "directory" "$(cd / && as_user shale unshare pwd)" /
