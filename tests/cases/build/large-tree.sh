#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A context of many files, deep directories and long names is built, and comes out as it went in.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

python3 - <<'END'
import os
for i in range(20):
    os.makedirs(f"context/tree/{i}/sub")
    for j in range(50):
        with open(f"context/tree/{i}/sub/{j}", "w") as f:
            f.write(f"{i} {j}\n" * (j * j))
deep = "context/tree/" + "/".join(["d" * 100] * 30)
os.makedirs(deep)
with open(deep + "/" + "f" * 255, "w") as f:
    f.write("deep")
END
printf 'FROM scratch\nCOPY tree /\n' | build_text app context >/dev/null
mkdir out
zstd -qdc "$(blob "$(layers app)")" | tar -x -C out
diff -r context/tree out
shale cp -q app:/ copy
diff -r context/tree copy
