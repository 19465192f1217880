#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A FIFO, socket or device of the context is refused without being opened; an ignore file can exclude it.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir
echo x >context/dir/file
mkfifo context/dir/fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("context/dir/socket")'
for source in dir dir/fifo dir/socket 'dir/f*'; do
  printf 'FROM scratch\nCOPY %s /x/\n' "$source" |
    expect 3 "*<stdin>:2:1: *'dir/*' of the context is a FIFO, socket or device*" timeout 10 shale build -f - context
done
if [ "$(id -u)" -eq 0 ]; then
  mkdir context/devices
  mknod context/devices/tty c 5 0
  mknod context/devices/loop b 7 0
  for source in devices devices/tty devices/loop; do
    printf 'FROM scratch\nCOPY %s /x/\n' "$source" |
      expect 3 "*<stdin>:2:1: 'devices/*' of the context is a FIFO, socket or device*" timeout 10 shale build -f - context
  done
fi
printf '**/fifo\n**/socket\n' >context/.dockerignore
printf 'FROM scratch\nCOPY dir /x/\n' | build_text app context >/dev/null
same "files" "$(files app | sed 's/ .*//' | paste -sd' ')" "/x /x/file"
