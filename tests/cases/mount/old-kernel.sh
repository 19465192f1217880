#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a kernel that does not send requests again nobody can take over: with its server the mount ends, and who waits gets an
# error.
# NEEDS: root fuse cc
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# A kernel whose first request, INIT (26), does not offer FUSE_HAS_RESEND: bit 7 of flags2, behind a head of 40 bytes,
# three numbers and flags.
cat >old.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

ssize_t read(int fd, void *buf, size_t len)
{
	static ssize_t (*next)(int, void *, size_t);
	uint32_t opcode;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "read");
	const ssize_t n = next(fd, buf, len);
	if (n < 60)
		return n;
	memcpy(&opcode, (char *)buf + 4, sizeof(opcode));
	if (opcode == 26)
		((uint8_t *)buf)[40 + 16] &= 0x7f;
	return n;
}
END
cc -shared -fPIC -o old.so old.c

mkdir -p context mnt
seq 100000 >context/numbers
printf 'FROM scratch\nCOPY numbers /\n' | build_text app context >/dev/null
LD_PRELOAD=$PWD/old.so shale mount -f app "$PWD/mnt" 2>messages &
foreground=$!
wait_for test -e mnt/numbers
server=$(server_of mnt)
kill -STOP "$server"
wait_for is_stopped "$server"
cat mnt/numbers >got 2>err &
reader=$!
wait_for waits_for_server "$reader"
kill -KILL "$server"
status=0
wait "$reader" || status=$?
same "status of who waited" "$status" 1
grep -q 'abort\|not connected' err || fail "$(cat err)"
status=0
wait "$foreground" || status=$?
same "status of the mount" "$status" 1
is_unmounted mnt || fail "still mounted"
same "message" "$(cat messages)" "shale: the mount at '$PWD/mnt' ended: its worker died (killed by signal 9), and before \
Linux 6.9 no other can take over: Software caused connection abort"
