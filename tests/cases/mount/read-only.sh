#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever writes to a mount gets EROFS, as root too.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/dir mnt
echo text >tree/file
shale import -q -t app dir:tree >/dev/null
shale mount app mnt
python3 - mnt <<'END'
import errno, os, sys
os.chdir(sys.argv[1])
attempts = {
    "open for writing": lambda: os.open("file", os.O_WRONLY),
    "open for both": lambda: os.open("file", os.O_RDWR),
    "create": lambda: os.open("new", os.O_CREAT | os.O_WRONLY),
    "truncate": lambda: os.truncate("file", 0),
    "unlink": lambda: os.unlink("file"),
    "mkdir": lambda: os.mkdir("new"),
    "rmdir": lambda: os.rmdir("dir"),
    "rename": lambda: os.rename("file", "dir/file"),
    "link": lambda: os.link("file", "new"),
    "symlink": lambda: os.symlink("file", "new"),
    "mknod": lambda: os.mkfifo("new"),
    "chmod": lambda: os.chmod("file", 0o777),
    "chown": lambda: os.chown("file", 1, 1),
    "utime": lambda: os.utime("file", (1, 1)),
    "setxattr": lambda: os.setxattr("file", "user.a", b"b"),
    "removexattr": lambda: os.removexattr("file", "user.a"),
}
for name, attempt in attempts.items():
    try:
        attempt()
        sys.exit(f"{name}: it worked")
    except OSError as e:
        if e.errno != errno.EROFS:
            sys.exit(f"{name}: {e}")
END
same "content" "$(cat mnt/file)" text
shale umount mnt
