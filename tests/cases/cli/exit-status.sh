#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each kind of failure has the exit status that shale(1) gives it.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
printf right >right
printf wrong >wrong
shale keygen --passphrase-file right team >/dev/null

expect 0 '*localhost/app*' shale images
# The system says no: a symbolic link that leads to itself.
ln -s loop loop
expect 1 '*' shale build loop
expect 2 '*' shale inspect
echo FRUM scratch >Shalefile
expect 3 '*' shale build .
head -c 1048577 /dev/zero | tr '\0' '#' >Shalefile
expect 4 '*' shale build .
expect 6 '*' shale sign --key team.key --passphrase-file wrong app
status=0
shale images >/dev/full 2>err || status=$?
same "output that cannot be written" "$status" 7
expect 8 '*' shale inspect nothing
expect 9 '*' shale keygen --passphrase-file right team
flip "$(blob "$(layers app)")" 20
expect 5 '*' shale fsck --read-data

# What can be no name is wrong usage wherever it stands on the command line; in a manifest it is the input.
for line in "inspect App" "ls App" "cat App /hello" "cp App:/hello to" "rm app App" "rm -f App" "tag App app:2" \
  "tag app App" "diff app App" "diff App app" "history App" "size App" "export App oci:to" "export app oci:to:App" \
  "export app docker-archive:to:App" "mount App /mnt" "verify --key team.pub App" "sign --key team.key App" \
  "sign --key team.key --identity App app" "verify --key team.pub --identity App app" "build -t App ." \
  "import -t App dir:." "images --filter before=App" "images --filter since=a:b:c"; do
  # shellcheck disable=SC2086 # words
  expect 2 "shale: *reference '*: byte *" shale $line
done
printf 'FROM App\n' >Shalefile
expect 3 '*' shale build .
