#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One manifest and context give one digest, as any user, whatever umask, zone, language, workers, times and order of files.
# NEEDS: root cc
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# make_context DIR NAME...: makes the same files in this order.
make_context() {
  dir=$1
  shift
  mkdir -p "$dir"
  for name in "$@"; do
    mkdir -p "$dir/src/$name.d/sub"
    seq "$name" 30000 >"$dir/src/$name"
    echo "$name" >"$dir/src/$name.d/sub/file"
    ln -s "../$name" "$dir/src/$name.d/link"
  done
  chmod 755 "$dir/src/3"
  printf 'FROM scratch\nENV A=1\nWORKDIR /srv/work\nCOPY --chown=5 src ./\nCOPY src/[12]* /few/\nCMD ["/x"]\n' >"$dir/Dockerfile"
}
make_context one 1 2 3 4 5 6 7 8 9
want=$(shale build -q one)
# check WHAT COMMAND...: prints the same digest, from a store of its own.
check() {
  what=$1
  shift
  rm -rf other
  same "$what" "$("$@")" "$want"
}
check "again" shale build -q --store other one
for workers in 0 1 2 5; do
  check "$workers workers" shale build -q --store other --workers "$workers" one
done
check "zone" env TZ=Asia/Kathmandu shale build -q --store other one
check "language" env LC_ALL=tr_TR.UTF-8 LANG=de_DE shale build -q --store other one
check "umask" sh -c 'umask 077 && shale build -q --store other one'
(umask 027 && make_context two 9 1 8 2 7 3 6 4 5)
chmod 755 two/src/3
find two -exec touch -h -d '2001-01-01' {} +
chown -R 1000:1000 two
check "order, times, owners and modes" shale build -q --store other two
mkdir user
chown 1000:1000 user
check "another user" as_user shale build -q --store user/store two
mkdir tmpfs
mount -t tmpfs none tmpfs
cp -r one tmpfs/
check "another file system" shale build -q --store tmpfs/store tmpfs/one
umount tmpfs

# Directories are read from their end; the library leaves a line in a file, so that its use is seen.
cat >backwards.c <<'END'
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIRS_MAX = 64, NAMES_MAX = 1000 };

static struct dir {
	DIR *stream;
	struct dirent64 *entries[NAMES_MAX];
	int count;
} dirs[DIRS_MAX];

static void say(const char *name)
{
	FILE *said = fopen(getenv("BACKWARDS"), "a");
	fprintf(said, "%s\n", name);
	fclose(said);
}
static struct dir *dir_of(DIR *stream)
{
	for (int i = 0; i < DIRS_MAX; i++)
		if (dirs[i].stream == stream)
			return &dirs[i];
	return NULL;
}
struct dirent64 *readdir64(DIR *stream)
{
	struct dirent64 *(*real)(DIR *) = (struct dirent64 * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir64");
	struct dirent64 *entry;
	struct dir *dir = dir_of(stream);

	if (!dir && (dir = dir_of(NULL))) {
		dir->stream = stream;
		while (dir->count < NAMES_MAX && (entry = real(stream))) {
			struct dirent64 *copy = malloc(sizeof(*copy));
			memcpy(copy, entry, entry->d_reclen);
			dir->entries[dir->count++] = copy;
		}
		if (dir->count > 5)
			say(dir->entries[dir->count - 1]->d_name);
	}
	if (!dir)
		abort();
	return dir->count > 0 ? dir->entries[--dir->count] : NULL;
}
int closedir(DIR *stream)
{
	int (*real)(DIR *) = (int (*)(DIR *))dlsym(RTLD_NEXT, "closedir");
	struct dir *dir = dir_of(stream);

	if (dir)
		dir->stream = NULL;
	return real(stream);
}
/* What one call gives is all of a small directory. */
ssize_t getdents64(int fd, void *buf, size_t size)
{
	ssize_t (*real)(int, void *, size_t) = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "getdents64");
	const ssize_t n = real(fd, buf, size);
	char *copy = malloc(size);
	struct dirent64 *entry = NULL;
	int count = 0;

	for (ssize_t at = 0; at < n; at += entry->d_reclen, count++) {
		entry = (struct dirent64 *)((char *)buf + at);
		memcpy(copy + n - at - entry->d_reclen, entry, entry->d_reclen);
	}
	if (n > 0)
		memcpy(buf, copy, n);
	free(copy);
	if (count > 5)
		say(entry->d_name);
	return n;
}
END
cc -shared -fPIC -o backwards.so backwards.c
backwards() {
  : >said
  ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" BACKWARDS=$PWD/said LD_PRELOAD=$PWD/backwards.so "$@"
}
check "directories from their end" backwards shale build -q --store other one
[ -s said ] || fail "no directory was read"
shale import -q --store other -t plain dir:one >digest-plain
rm -rf other
backwards shale import -q --store other -t plain dir:one >digest-from-end
[ -s said ] || fail "no directory was read"
same "an import of directories from their end" "$(cat digest-from-end)" "$(cat digest-plain)"

# What was built once is built for ever, by the same encoder.  Another one gives other bytes: then the value below has to
# be measured anew, with the commit before.
golden_libzstd_1_5_4=sha256:0ad7d2f12f168002b6fa9f31ad186356a9315cb25cc8edd9c1041d41d4c7e22e
encoder=$(python3 -c 'import ctypes; z = ctypes.CDLL("libzstd.so.1").ZSTD_versionString; z.restype = ctypes.c_char_p; print(z().decode())')
[ "$encoder" = 1.5.4 ] || fail "libzstd is $encoder, and the digest that is known is one of 1.5.4"
same "the digest of old" "$(shale build -q --store other --platform linux/amd64 one)" "$golden_libzstd_1_5_4"
