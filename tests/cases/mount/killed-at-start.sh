#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount whose processes are killed while it is opened says so, and leaves no process and no mount.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# Its store is in another mount, whose server stands still when the catalog is opened: what the command itself looks at,
# the kernel knows by then.
small_image app >/dev/null
shale ls app >/dev/null
shale import -q -t outer dir:store >/dev/null
mkdir outer mnt
shale mount outer "$PWD/outer"
outer=$(server_of outer)

has_server() {
  server=$(server_of mnt)
  [ -n "$server" ] && waits_for_server "$server"
}

# Where, by which signal, who, and how the command ends.
for how in 'background KILL server 1' 'background KILL supervisor 1' 'background TERM supervisor 1' \
  'background INT supervisor 1' 'foreground KILL server 1' 'foreground KILL supervisor 137' 'foreground TERM supervisor 143' \
  'foreground INT group 130'; do
  # shellcheck disable=SC2086 # four words
  set -- $how
  option=
  [ "$1" = background ] || option=-f
  shale inspect --store outer app >/dev/null
  kill -STOP "$outer"
  wait_for is_stopped "$outer"
  # A group of its own, as a terminal's foreground has it; a shell that is not interactive has its background ignore SIGINT.
  # shellcheck disable=SC2086 # none or one
  env --default-signal=INT setsid shale mount $option --store outer app "$PWD/mnt" >out 2>&1 &
  caller=$!
  wait_for has_server
  case $3 in
  server) kill "-$2" "$server" ;;
  supervisor) kill "-$2" "$(ps -o ppid= "$server" | tr -d ' ')" ;;
  group) kill "-$2" "-$caller" ;;
  esac
  status=0
  wait "$caller" || status=$?
  same "status after $how" "$status" "$4"
  if [ "$4" -eq 1 ]; then
    same "message after $how" "$(cat out)" "shale: the server of '$PWD/mnt' died before it mounted: No such process"
  else
    same "message after $how" "$(cat out)" ""
  fi
  wait_for is_gone "$server"
  same "processes after $how" "$(pgrep -f "shale mount .*$PWD/mnt\$" || true)" ""
  kill -CONT "$outer"
  is_unmounted mnt || fail "mounted after $how"
done
shale mount --store outer app "$PWD/mnt"
same "content" "$(cat mnt/hello)" hello
shale umount mnt
wait_for is_unmounted mnt
shale umount outer
