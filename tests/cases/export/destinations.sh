#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file is replaced whole, keeping its mode; streams are written into; nothing else is touched, and all of it is told
# before anything is written.
# NEEDS: script
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app)
shale export app oci-archive:good.tar >/dev/null
shale export app docker-archive:good-docker.tar >/dev/null
shale export app rootfs:good-files.tar >/dev/null

mkdir dir sub
echo old >target
ln -s target link
ln -s nowhere dangling
for form in oci-archive docker-archive rootfs; do
  expect 2 "*'dir' is a directory" shale export app "$form:dir"
  expect 9 "*cannot write 'link': it is a link; name the file that it leads to" shale export app "$form:link"
  expect 9 "*cannot write 'dangling': it is a link that leads to nothing" shale export app "$form:dangling"
  expect 8 "*cannot write 'no/such/file': No such file or directory" shale export app "$form:no/such/file"
  expect 8 "*cannot write 'dir/new/': No such file or directory" shale export app "$form:dir/new/"
  expect 2 "*has no path" shale export app "$form:"
  expect 7 "*cannot write '/dev/full': No space left on device" shale export app "$form:/dev/full"
  same "/dev/null" "$(shale export app "$form:/dev/null" && [ -c /dev/null ])" "$digest"
  case $form in
  oci-archive) good='good.tar' ;;
  docker-archive) good='good-docker.tar' ;;
  rootfs) good='good-files.tar' ;;
  esac
  # A file that is there is replaced, by another one.
  echo old >sub/out
  chmod 640 sub/out
  ln sub/out sub/other-name
  shale export app "$form:sub/out" >/dev/null
  cmp sub/out "$good"
  same "mode" "$(stat -c %a sub/out)" 640
  same "another name of the old file" "$(cat sub/other-name)" old
  rm sub/other-name
  shale export app "$form:$PWD/sub/absolute" >/dev/null
  cmp sub/absolute "$good"
  # Streams.
  rm -f fifo
  mkfifo fifo
  cat fifo >got &
  shale export app "$form:fifo" >/dev/null
  wait
  cmp got "$good"
  shale export app "$form:/dev/stdout" | head -c "$(wc -c <"$good")" | cmp - "$good"
  : >got
  shale export app "$form:/dev/fd/3" 3>>got >/dev/null
  cmp got "$good"
  expect 7 "*cannot write to standard output: No space left on device" sh -c "exec shale export app $form:- >/dev/full"
done
same "the link's target" "$(cat target)" old
same "litter" "$(find . -name '*.tmp' -path './sub*')" ""

# Nothing on standard output but the archive, and nothing on standard error.
shale export app - >out.tar 2>err
cmp out.tar good.tar
[ ! -s err ] || fail "something was said: $(cat err)"
expect 2 "*option '--json': standard output is taken by the archive" shale export --json app oci-archive:-
expect 2 "*a directory cannot be written to standard output (did you mean oci-archive:-?)" shale export app oci:-
expect 7 "*cannot write to standard output: Bad file descriptor" sh -c 'exec shale export app rootfs:late >&-'
[ ! -e late ] || fail "a closed standard output was seen too late"
# A reader that goes away ends it without a word.
mkdir context
head -c 4000000 /dev/zero >context/big
printf 'FROM scratch\nCOPY big /\n' | build_text big context >/dev/null
for form in docker-archive rootfs; do
  {
    status=0
    shale export big "$form:-" 2>err || status=$?
    echo "$status" >status
  } | head -c 1 >/dev/null
  same "status without a reader, $form" "$(cat status)" 141
  same "what it said" "$(cat err)" ""
done
# A terminal.
status=0
script -qec 'shale export app -' typescript >terminal || status=$?
same "status on a terminal" "${status:-0}" 2
grep -q 'standard output is a terminal, which cannot show an archive' terminal || fail "a terminal: $(cat terminal)"
script -qec 'shale export app rootfs:/dev/tty' typescript >terminal || :
grep -q "'/dev/tty' is a terminal" terminal || fail "/dev/tty: $(cat terminal)"

expect 2 "*destination 'app.tar' does not start with one of oci:, oci-archive:, docker-archive:, rootfs:" shale export app app.tar
expect 2 "shale: too few arguments*" shale export app
expect 8 "*no image 'localhost/nothing:latest' in the store*" shale export nothing oci-archive:none.tar
[ ! -e none.tar ] || fail "no image made a file"

# A name that import would not take back; nothing is written.
for form in oci oci-archive; do
  for name in a@b A :A a:b:c a/B:1 "a@sha256:$(printf x | sha256sum | cut -d ' ' -f 1)"; do
    expect 2 "shale: *" shale export app "$form:unnamed:$name"
    [ ! -e unnamed ] || fail "$form:unnamed:$name was written"
  done
  for name in latest 1.0 team/app app:V1 registry.example:5000/team/app:1; do
    shale export -q app "$form:named:$name" >/dev/null
    shale import -q --store back "$form:named:$name" >/dev/null
    rm -r named back
  done
done
