#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# TIMEOUT: 120
# NEEDS: fuse
# A mount that has to re-frame a foreign layer first says so on a terminal, in the background too, and leaves nothing there.
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/terminal.sh"

mkdir mountpoint
yes 'a line of the one big file' | head -c 400000000 >file
foreign file foreign
shale import -q -t foreign oci:foreign >/dev/null
rm -rf "$SHALE_STORE"/shale/layers/* "$SHALE_STORE"/shale/catalogs/*

on_terminal 80 shale mount foreign mountpoint || fail "mount failed"
shows '^re-framing a layer  [0-9.]+ [KM]iB of [0-9.]+ [KM]iB, [0-9]+%, [0-9.]+ [KM]iB/s$' "mount"
same "what mount left" "$(cat left)" ""
head -c 100000 mountpoint/file | cmp -n 100000 - file
shale umount mountpoint

rm -rf "$SHALE_STORE"/shale/layers/* "$SHALE_STORE"/shale/catalogs/*
on_terminal 80 shale mount -q foreign mountpoint || fail "mount failed"
same "mount -q" "$(wc -l <lines)" 0
shale umount mountpoint
