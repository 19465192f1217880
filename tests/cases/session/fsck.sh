#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fsck looks into sessions: one that is whole is no finding, mounted, idle or left by processes that were killed; a row that
# cannot be is an error that names the session.
# NEEDS: root fuse
# TIMEOUT: 60
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
shale mount --edit --session work app "$PWD/mnt" >/dev/null
mkdir mnt/new
head -c 100000 /dev/urandom >mnt/new/file
ln mnt/new/file mnt/new/again
expect 0 "*0 errors*" shale fsck
shale umount mnt
expect 0 "*0 errors*" shale fsck
shale mount --edit --session work "$PWD/mnt" >/dev/null
rm mnt/new/again
kill_mount mnt
shale umount mnt
expect 0 "*0 errors*" shale fsck
same "what is there" "$(shale diff work)" "A /new
A /new/file"

sql() {
  python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()' \
    "$(echo store/shale/sessions/*/meta.db)" "$1"
}
sql 'UPDATE inode SET nlink = 7 WHERE place = 2'
expect 5 "*error: session work: *links*1 error*" shale fsck
same "in JSON" "$(shale fsck --json 2>/dev/null | python3 -c 'import json, sys; print([f["subject"] for f in json.load(sys.stdin)["findings"] if f["severity"] == "error"])')" \
  "['session work']"
sql 'UPDATE inode SET nlink = 1 WHERE place = 2'
expect 0 "*0 errors*" shale fsck
rm store/shale/sessions/*/data/*
expect 5 "*error: session work: *" shale fsck
