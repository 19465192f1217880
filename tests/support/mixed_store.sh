# SPDX-License-Identifier: Apache-2.0
# A small store with one of everything: a layer that brings its index, one of gzip and one of zstd that do not, the
# latter with frames of its own, a catalog, a signature;
# after lib.sh:  . "$SHALE_SOURCE/tests/support/mixed_store.sh"
# shellcheck shell=sh

# mixed_store: $SHALE_STORE with the image `app`, signed by team.key.
mixed_store() {
  mkdir -p mixed/dir/empty
  python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import gzip, random, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from blobs import zstd_raw
from layout import LAYER, tar_of, write_image
rng = random.Random(7)
open("mixed/noise", "wb").write(rng.randbytes(120000))
open("mixed/zeros", "wb").write(bytes(100000))
open("mixed/empty", "wb")
open("mixed/dir/text", "w").write("".join(f"line {i}\n" for i in range(12000)))
for i in range(60):
    open(f"mixed/dir/small{i}", "w").write(f"small {i}\n" * i)
low = tar_of([("low/", b""), ("low/noise", rng.randbytes(60000)), ("low/text", b"low\n" * 20000)])
more = tar_of([("low/more", rng.randbytes(60000))])
write_image("mixed-layout", [(LAYER + "+gzip", gzip.compress(low, mtime=0), low), (LAYER + "+zstd", zstd_raw(more), more)])
END
  ln -sf text mixed/dir/link
  shale import -q -t base oci:mixed-layout >/dev/null
  printf 'FROM base\nCOPY . /\n' | shale build -q -f - -t app mixed >/dev/null
  shale rm base >/dev/null
  make_key team
  sign app
  shale cat app /dir/text >/dev/null
  shale gc >/dev/null
}
