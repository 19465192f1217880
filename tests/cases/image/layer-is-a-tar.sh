#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# zstd and tar alone make of a layer the tree that was packed: owners, modes, times to the ns, xattrs, links, devices.
# NEEDS: root getfattr zstd
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
shale import -q -t app dir:tree >/dev/null
layer=$(blob "$(layers app)")
zstd -qt "$layer"
zstd -qdc "$layer" >layer.tar
same "diff_id" "sha256:$(sha256sum <layer.tar | cut -d' ' -f1)" "$(inspect app "d['layers'][0]['diff_id']")"
mkdir gnu bsd
tar --numeric-owner --xattrs --xattrs-include='*' -xpf layer.tar -C gnu 2>warnings
same_trees tree gnu
bsdtar -tf layer.tar | sed 's/\/$//' | LC_ALL=C sort | grep -vx . >bsd/list
shale ls -R app | sed 's/^\///' | LC_ALL=C sort | grep -v '\\x\|é' >ours
grep -v '\\\|é' bsd/list | diff -u ours - >&2 || fail "bsdtar lists other names"
