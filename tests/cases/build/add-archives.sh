#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ADD unpacks a tar, however it is compressed and whatever it is called: what is in the image is what GNU tar unpacks.
# NEEDS: root getfattr
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# Late enough that no time is clamped.
export SOURCE_DATE_EPOCH=4000000000
mkdir context want
make_rootfs tree
tar --format=posix --xattrs --xattrs-include='*' --numeric-owner -C tree -cf context/plain .
tar --xattrs --xattrs-include='*' -C want -xpf context/plain
touch -d @4000000000 want
for tool in gzip bzip2 xz zstd; do
  "$tool" -c context/plain >"context/$tool.txt"
done
printf 'FROM scratch\nADD plain /sub\n' | build_text app context >/dev/null
shale cp -a app:/sub got
same_trees want got
layer=$(layers app)
for tool in gzip bzip2 xz zstd; do
  printf 'FROM scratch\nADD %s.txt /sub/\n' "$tool" | build_text app context >/dev/null
  same "the layer of $tool" "$(layers app)" "$layer"
done
# What is not compressed is read where it is, and nothing of either stays in the store.
same "the rest" "$(find "$SHALE_STORE/tmp" -type f 2>/dev/null)" ""
same "with threads" "$(printf 'FROM scratch\nADD zstd.txt /sub/\n' | shale build -q --workers 3 -f - context)" "$(inspect app "d['digest']")"

# Owners of the option, times up to the epoch, a directory of sources, and archives in order.
mkdir one two
echo 1 >one/both
echo one >one/first
ln one/first one/hard
echo 2 >two/both
touch -d @1000 one/both
touch -d @2000 one/first
chmod 2750 one/first
tar -C one -cf context/1.tar both first hard
tar -C two -cf context/2.tgz -z both
export SOURCE_DATE_EPOCH=1500
build_text app context >/dev/null <<'END'
FROM scratch
ADD --chown=7:8 --chmod=0600 1.tar /chown/
ADD [12].t* /globbed/
ADD 2.tgz 1.tar /listed/
ADD --unpack=false 1.tar /kept
ADD --link 2.tgz /linked/
COPY 2.tgz /copied
END
same "files" "$(files app | sed "s/ $(stat -c %s context/2.tgz)\$/ TGZ/")" "/chown d0755 7:8
/chown/both -0644 7:8 2
/chown/first -2750 7:8 4
/chown/hard -2750 7:8 4
/copied -0644 0:0 TGZ
/globbed d0755 0:0
/globbed/both -0644 0:0 2
/globbed/first -2750 0:0 4
/globbed/hard -2750 0:0 4
/kept -0644 0:0 10240
/linked d0755 0:0
/linked/both -0644 0:0 2
/listed d0755 0:0
/listed/both -0644 0:0 2
/listed/first -2750 0:0 4
/listed/hard -2750 0:0 4"
same "the last archive" "$(shale cat app /globbed/both /listed/both | paste -sd' ')" "2 1"
shale ls -R --json app /chown >chown.json
same "times" "$(json chown.json "sorted(f['mtime'] for f in d if f['type'] == '-')")" "[1000, 1500, 1500]"
blob "$(json "$(blob "$(inspect app "d['manifest']")")" "d['config']['digest']")" >config
same "history" "$(json "$(cat config)" "d['history'][0]['created_by']")" "ADD --chown=7:8 --chmod=0600 1.tar /chown/ # buildkit"

# What is no tar is copied, be it compressed or not.
unset SOURCE_DATE_EPOCH
seq 1000 >context/numbers
gzip -c context/numbers >context/numbers.tar.gz
gzip -c context/2.tgz >context/twice.tgz
: >context/empty.tar
head -c 10240 /dev/zero >context/zeros.tar
head -c 100 context/1.tar >context/short.tar
head -c 20 context/2.tgz >context/short.tgz
printf 'BZh91AY&SYnothing' >context/broken.tar.bz2
python3 -m zipfile -c context/x.zip context/numbers
build_text files context >/dev/null <<'END'
FROM scratch
ADD numbers numbers.tar.gz twice.tgz empty.tar zeros.tar short.tar short.tgz broken.tar.bz2 x.zip /
END
for name in numbers numbers.tar.gz twice.tgz empty.tar zeros.tar short.tar short.tgz broken.tar.bz2 x.zip; do
  shale cat files "/$name" | cmp - "context/$name" || fail "$name is not as it was"
done
