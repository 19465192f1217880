#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes tests/data/tars/: one tree, archived by the tars that people make layers with, in each of
# their formats; and tests/fuzz/corpus/tar_read/, small archives of the same kinds.  What is in the
# tree is said again in tests/unit/image/test_tar_peers.c.
# Needs root (devices, owners, capabilities), GNU tar, bsdtar, busybox, python3, git, and umoci before
# 0.4.8 for the fault that it had.  Run it in tests/data.  Times of access and process ids in PAX
# headers differ from run to run.
set -eu
export LC_ALL=C TZ=UTC
umask 022

out=$PWD/tars
corpus=$PWD/../fuzz/corpus/tar_read
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
rm -rf "$corpus"
mkdir -p "$out" "$corpus" "$work/tree/t"
cd "$work/tree"

repeat() { # CHARACTER COUNT
	head -c "$2" /dev/zero | tr '\0' "$1"
}

# Names of each list are for formats that can also say those of the lists before.
plain='t
t/file
t/hard
t/link
t/setuid
t/umlaut-'$(printf '\374')
ustar='t/block
t/char
t/fifo
t/full-'$(repeat n 93)'
t/'$(repeat p 80)/$(repeat q 80)
big='t/early
t/ids
t/longlink
t/'$(repeat r 200)/$(repeat s 200)
pax='t/xattrs'

printf 'hello\n' >t/file
: >"t/full-$(repeat n 93)"
ln t/file t/hard
ln -s file t/link
printf 'set\n' >t/setuid
: >"t/umlaut-$(printf '\374')"
mknod t/block b 7 1
mknod t/char c 1 3
mkfifo t/fifo
mkdir "t/$(repeat p 80)" "t/$(repeat r 200)"
printf 'prefix\n' >"t/$(repeat p 80)/$(repeat q 80)"
printf 'early\n' >t/early
: >t/ids
ln -s "$(repeat x 120)" t/longlink
printf 'long\n' >"t/$(repeat r 200)/$(repeat s 200)"
printf 'xattrs\n' >t/xattrs
chmod 644 t/file t/early t/ids t/xattrs
chmod 6755 t/setuid
chmod 660 t/block
chmod 666 t/char
chmod 600 t/fifo
chown -h 1000:2000 t t/link
chown 3000000:4294967294 t/ids
# After chown, which drops the bits and the capability.
setfattr -n user.note -v 'a value' t/xattrs
setfattr -n user.empty t/xattrs
setfattr -n 'user.odd=%41 name' -v x t/xattrs
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 t/xattrs
find . -exec touch -h -d @1000000000 {} +
touch -h -d @1234567890.25 t/file
touch -h -d @-86400 t/early

lists=$work/lists
mkdir "$lists"
echo "$plain" | LC_ALL=C sort >"$lists/plain"
printf '%s\n%s\n' "$plain" "$ustar" | LC_ALL=C sort >"$lists/ustar"
printf '%s\n%s\n%s\n' "$plain" "$ustar" "$big" | LC_ALL=C sort >"$lists/big"
printf '%s\n%s\n%s\n%s\n' "$plain" "$ustar" "$big" "$pax" | LC_ALL=C sort >"$lists/pax"

gnu() { # FORMAT LIST OPTIONS...
	format=$1 list=$2
	shift 2
	tar --format="$format" --no-recursion -b1 "$@" -T "$lists/$list" -cf "$out/gnu-$format.tar"
}
gnu v7 plain
gnu ustar ustar
gnu gnu big
gnu pax pax --xattrs --xattrs-include='*' --pax-option=exthdr.name=%d/PaxHeaders/%f

bsdtar --format=v7tar -n -b1 -T "$lists/plain" -cf "$out/bsd-v7.tar"
bsdtar --format=ustar -n -b1 -T "$lists/ustar" -cf "$out/bsd-ustar.tar"
bsdtar --format=gnutar -n -b1 -T "$lists/big" -cf "$out/bsd-gnu.tar"
bsdtar --format=pax --xattrs -n -b1 -T "$lists/pax" -cf "$out/bsd-pax.tar"

xargs -d '\n' busybox tar --no-recursion -cf "$out/busybox.tar" <"$lists/ustar"

python3 - "$lists" "$out" <<'PY'
import os, sys, tarfile
lists, out = sys.argv[1:]
for name, form, members in (("ustar", tarfile.USTAR_FORMAT, "ustar"),
                            ("gnu", tarfile.GNU_FORMAT, "big"),
                            ("pax", tarfile.PAX_FORMAT, "big")):
    with tarfile.open(f"{out}/python-{name}.tar", "w", format=form) as tar:
        for path in os.fsdecode(open(f"{lists}/{members}", "rb").read()).splitlines():
            tar.add(path, recursive=False)
PY

small() { # NAME FORMAT OPTIONS AND PATHS...
	name=$1 format=$2
	shift 2
	tar --format="$format" --no-recursion -b1 -cf "$corpus/$name" "$@"
}
small v7 v7 t t/file t/hard t/link
small ustar ustar t t/block t/fifo "t/$(repeat p 80)/$(repeat q 80)"
small gnu-long gnu t/longlink "t/$(repeat r 200)/$(repeat s 200)"
small gnu-numbers gnu t/ids t/early
small pax pax --xattrs --xattrs-include='*' t/file t/ids t/xattrs "t/$(repeat r 200)/$(repeat s 200)"
bsdtar --format=pax --xattrs -n -b1 -cf "$corpus/bsd-xattrs" t/xattrs

# Go's archive/tar.  umoci archives a folder, all of it and sorted.  Go writes neither names that
# are no UTF-8, nor attributes with "=" in the name or without a value.
rm t/umlaut-*
setfattr -x user.empty t/xattrs
setfattr -x 'user.odd=%41 name' t/xattrs
touch -h -d @1000000000 t
layer() { # IMAGE
	python3 - "$work/image" "$1" <<'PY'
import json, sys
image, tag = sys.argv[1:]
def blob(digest):
    return f"{image}/blobs/" + digest.replace(":", "/")
for m in json.load(open(f"{image}/index.json"))["manifests"]:
    if m["annotations"]["org.opencontainers.image.ref.name"] == tag:
        print(blob(json.load(open(blob(m["digest"])))["layers"][0]["digest"]))
PY
}
umoci init --layout "$work/image"
umoci new --image "$work/image:x"
umoci unpack --image "$work/image:x" "$work/bundle"
cp -a t "$work/bundle/rootfs/"
touch -h -d @1000000000 "$work/bundle/rootfs"
umoci repack --image "$work/image:tree" "$work/bundle"
gzip -dc <"$(layer tree)" >"$out/go.tar"
# Before 0.4.8 this leaves out the end of the archive, and the padding of the last file.
mkdir "$work/one"
printf 'one\n' >"$work/one/file"
find "$work/one" -exec touch -d @1000000000 {} +
umoci insert --image "$work/image:x" "$work/one" one
gzip -dc <"$(layer x)" >"$out/umoci-insert.tar"

# A global header, with the commit as a comment.
mkdir "$work/git"
cd "$work/git"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000'
git init -q
printf 'hello\n' >file
git add file
git -c user.name=x -c user.email=x@example.org commit -qm x
git archive --format=tar -o "$out/git.tar" HEAD

# Six ranges of one block, holes between them and at the end; a file that is one hole.
cd "$work"
python3 - <<'PY'
with open("sparse", "wb") as f:
    for i in range(6):
        f.seek(i * 131072 + 8192)
        f.write(bytes([ord("a") + i]) * 4096)
    f.truncate(1048577)
open("hole", "wb").truncate(1 << 40)
PY
touch -d @1000000000 sparse hole
for version in 0.0 0.1 1.0; do
	tar --format=pax --sparse --sparse-version=$version -b1 -cf "$out/gnu-sparse-$version.tar" \
		sparse hole
done
tar --format=gnu --sparse -b1 -cf "$out/gnu-sparse-old.tar" sparse hole
bsdtar --format=pax -b1 -cf "$out/bsd-sparse.tar" sparse hole
for version in 0.0 0.1 1.0; do
	small sparse-$version pax --sparse --sparse-version=$version hole
done
small sparse-old gnu --sparse hole
head -c 2048 "$out/git.tar" >"$corpus/global"
head -c 1024 /dev/zero >>"$corpus/global"

# What ustar can say, with no choice in it: shale must write the same bytes.
python3 - "$out" <<'PY'
import io, sys, tarfile
members = [
    ("a", tarfile.REGTYPE, dict(mode=0o644, size=5, mtime=315532800)),
    ("dir/", tarfile.DIRTYPE, dict(mode=0o1777, uid=1, gid=2)),
    ("dir/link", tarfile.SYMTYPE, dict(mode=0o777, linkname="../a")),
    ("dir/hard", tarfile.LNKTYPE, dict(mode=0o644, linkname="a")),
    ("dir/char", tarfile.CHRTYPE, dict(mode=0o666, devmajor=1, devminor=3)),
    ("dir/block", tarfile.BLKTYPE, dict(mode=0o660, devmajor=0o7777777, devminor=0o7777777)),
    ("dir/fifo", tarfile.FIFOTYPE, dict(mode=0)),
    ("ids", tarfile.REGTYPE, dict(mode=0o7777, uid=0o7777777, gid=0o7777777)),
    ("late", tarfile.REGTYPE, dict(mode=0o600, mtime=0o77777777777)),
    ("n" * 100, tarfile.REGTYPE, dict(mode=0o644, size=512)),
    ("p" * 155 + "/" + "n" * 100, tarfile.REGTYPE, dict(mode=0o644)),
    ("p" * 80 + "/" + "q" * 80 + "/", tarfile.DIRTYPE, dict(mode=0o755)),
    ("one/two/" + "t" * 97, tarfile.REGTYPE, dict(mode=0o644, size=1)),
    ("umlaut-\udcfc", tarfile.SYMTYPE, dict(mode=0o777, linkname="l" * 100)),
]
with open(f"{sys.argv[1]}/exact.tar", "wb") as out:
    for name, kind, fields in members:
        info = tarfile.TarInfo(name)
        info.type = kind
        for key, value in fields.items():
            setattr(info, key, value)
        header = bytearray(info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape"))
        if kind not in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            # Python leaves the device numbers of other members blank; GNU tar and Go do not.
            header[329:345] = b"0000000\0" * 2
            header[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(header))[0]
        out.write(header)
        out.write(b"x" * info.size + bytes(-info.size % 512))
    out.write(bytes(1024))
PY
