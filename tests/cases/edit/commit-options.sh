#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What commit says of an image: names, history, configuration, annotations, times; its report; and what it repeats.
# NEEDS: root fuse skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/etc mnt
head -c 2097152 /dev/zero >tree/big
echo conf >tree/etc/conf
touch -d '2001-02-03 04:05:06 UTC' tree tree/etc tree/big tree/etc/conf
shale import -q -t base dir:tree >/dev/null
shale mount --edit --session work base mnt >/dev/null
chmod 600 mnt/big
echo new >mnt/etc/new
touch -d '2010-01-02 03:04:05 UTC' mnt/etc/new mnt/etc
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("mnt/etc/socket")'
touch -d '2010-01-02 03:04:05 UTC' mnt/etc
shale umount mnt

# shellcheck disable=SC2016 # a variable of the image
shale commit --json -t app -t app:2 -m 'a message' -a 'An Author' -c 'ENV A=B PATH=$PATH:/x' -c 'cmd ["a"]' \
  --label k=v --annotation a.b=c work >report.json 2>notes
grep -qx 'the layer repeats 2.0 MiB of the image: files of which only .*' notes || fail "no note: $(cat notes)"
grep -q "'/etc/socket' is a socket, and left out" notes || fail "no warning: $(cat notes)"
same "the report" "$(json report.json "sorted(d)")" \
  "['config', 'content_size', 'diff_id', 'digest', 'entries', 'layer', 'names', 'repeated_size', 'sockets']"
same "numbers" "$(json report.json "(d['entries'], d['content_size'], d['repeated_size'], d['sockets'], d['names'])")" \
  "(3, 2097156, 2097152, 1, ['localhost/app:latest', 'localhost/app:2'])"
same "the layer" "$(layers app | tail -1)" "$(json report.json "d['layer']")"
same "one image" "$(inspect app:2 "d['digest']")" "$(json report.json "d['digest']")"
skopeo inspect --config "oci:$SHALE_STORE:localhost/app:2" >config.json
same "the history" "$(json config.json "d['history'][-1]")" \
  "{'created': '2010-01-02T03:04:05Z', 'created_by': 'shale commit', 'author': 'An Author', 'comment': 'a message'}"
same "the config" "$(json config.json "(d['author'], d['created'], d['config']['Cmd'], d['config']['Env'][-1], d['config']['Labels'])")" \
  "('An Author', '2010-01-02T03:04:05Z', ['a'], 'A=B', {'k': 'v'})"
same "the diff_id" "$(json config.json "d['rootfs']['diff_ids'][-1]")" "$(json report.json "d['diff_id']")"
same "the annotation" "$(skopeo inspect --raw "oci:$SHALE_STORE:localhost/app:2" >raw.json && json raw.json "d['annotations']")" \
  "{'a.b': 'c'}"
same "quietly" "$(shale commit -q work 2>quiet)" "$(shale commit work 2>/dev/null)"
if grep -v socket quiet >&2; then fail "not quiet"; fi

# An epoch clamps: what is older stays.
SOURCE_DATE_EPOCH=1000000000 shale commit -q -t old work >/dev/null
shale ls --json -R old >ls.json
same "times" "$(json ls.json "sorted((f['path'], f['mtime']) for f in d)")" \
  "[('/big', 981173106), ('/etc', 1000000000), ('/etc/conf', 981173106), ('/etc/new', 1000000000)]"
same "created" "$(shale inspect --config old >c.json && json c.json "d['created']")" 2001-09-09T01:46:40Z
same "--timestamp" "$(SOURCE_DATE_EPOCH=7 shale commit -q --timestamp 1000000000 work)" "$(inspect old "d['digest']")"

# A socket alone.
shale mount --edit --session socket base mnt >/dev/null
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("mnt/etc/socket")'
shale umount mnt
same "a socket in diff" "$(shale diff socket)" "$(printf 'C /etc\nA /etc/socket')"
shale diff --json socket >diff.json
same "its type" "$(json diff.json "d[1]['new_type']")" s
shale commit --json socket >report.json 2>notes
same "a socket alone" "$(json report.json "(d['entries'], d['layer'], d['sockets'])")" "(0, None, 1)"
grep -q 'warning: sockets are all that is new' notes || fail "no warning: $(cat notes)"

# Times alone.
shale mount --edit --session times base mnt >/dev/null
touch -d '2011-01-01' mnt/etc/conf
shale umount mnt
shale commit --json -t same times >report.json
same "a time alone" "$(json report.json "(d['entries'], d['layer'], d['diff_id'])")" "(0, None, None)"
shale commit --json --times -t timed times >report.json
same "a time alone, with --times" "$(json report.json "d['entries']")" 2

# Another order, other inodes, the same digest.
for session in one two; do
  shale mount --edit --session "$session" base mnt >/dev/null
  case $session in
  one)
    mkdir mnt/x
    echo a >mnt/x/a
    echo b >mnt/x/b
    mv mnt/etc mnt/moved
    ;;
  two)
    mv mnt/etc mnt/elsewhere
    mkdir mnt/y
    echo b >mnt/y/b
    echo other >mnt/y/a
    mv mnt/elsewhere mnt/moved
    rm mnt/y/a
    mv mnt/y mnt/x
    echo a >mnt/x/a
    ;;
  esac
  shale umount mnt
done
same "the order of changes" "$(SOURCE_DATE_EPOCH=1000000000 shale commit -q one)" \
  "$(SOURCE_DATE_EPOCH=1000000000 shale commit -q two)"
