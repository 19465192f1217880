# SPDX-License-Identifier: Apache-2.0
# What cases of progress share; after lib.sh:  . "$SHALE_SOURCE/tests/support/terminal.sh"
# shellcheck shell=sh

# on_terminal COLUMNS COMMAND...: runs it with a terminal as standard error and output; what came is in `screen`, the status
# its own.  A line that was drawn is one of `lines`.
on_terminal() {
  python3 - "$@" <<'END'
import fcntl, os, pty, re, struct, sys, termios

width = int(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
got = b""
while True:
    try:
        part = os.read(fd, 65536)
    except OSError:
        break
    if not part:
        break
    got += part
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
open("screen", "wb").write(got)
drawn = re.findall(rb"\r([^\r\n\x1b]+)\x1b\[K", got)
with open("lines", "wb") as f:
    f.writelines(line + b"\n" for line in drawn)
# What is there at the end: as a terminal does it.
rows = []
for row in got.replace(b"\r\n", b"\n").split(b"\n"):
    rows.append(row.split(b"\x1b[K")[-1].replace(b"\r", b""))
open("left", "wb").write(b"\n".join(rows))
for line in drawn:
    if len(line.decode()) >= width:
        sys.exit("a line is as wide as the terminal: %r" % line)
sys.exit(status)
END
}

# figures: how many different amounts the lines show for a phase.
figures() {
  grep "^$1" lines | sed 's/^[a-z -]*[0-9/]*  \([0-9.]* [KMG]*i*B\).*/\1/' | sort -u | wc -l
}

shows() {
  grep -Eq "$1" lines || {
    cat -v lines >&2
    fail "$2: no line like '$1'"
  }
}

# foreign FILE DIR: an OCI layout at DIR of an image of another tool, with FILE as /file of its only layer (gzip).
foreign() {
  python3 - "$SHALE_SOURCE/tests/hostile" "$1" "$2" <<'END'
import gzip, sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from layout import LAYER, tar_of, write_image

with open(sys.argv[2], "rb") as f:
    tar = tar_of([("file", f.read())])
write_image(sys.argv[3], [(LAYER + "+gzip", gzip.compress(tar, 1, mtime=0), tar)])
END
}
