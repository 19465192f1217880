# SPDX-License-Identifier: Apache-2.0
# The commands that are killed and failed, each with what it starts from; after lib.sh:
# . "$SHALE_SOURCE/tests/support/fault.sh"
# shellcheck shell=sh

mkdir context context/dir rootfs
seq 5000 >context/numbers
echo hello >context/hello
echo below >context/dir/file
mkdir rootfs/etc
seq 3000 >rootfs/etc/numbers
ln -s numbers rootfs/etc/link
printf 'FROM scratch\nCOPY numbers /\nCOPY hello /\nCOPY d*/file /\n' >one
printf 'FROM app\nCOPY hello /again\n' >two

# layout: an image of another tool, of a gzip layer and one of zstd, which needs frames of its own; gzip: the same for
# docker's archives, which have no zstd.
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import gzip, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from blobs import zstd_raw
from layout import LAYER, tar_of, write_image
tars = [tar_of([("a", b"a" * 100000)]), tar_of([("dir/", b""), ("dir/b", b"b" * 3000)])]
write_image("layout", [(LAYER + "+gzip", gzip.compress(tars[0], mtime=0), tars[0]),
                       (LAYER + "+zstd", zstd_raw(tars[1]), tars[1])])
write_image("gzip", [(LAYER + "+gzip", gzip.compress(t, mtime=0), t) for t in tars])
END

(cd layout && tar cf ../oci.tar index.json oci-layout blobs)
(cd rootfs && tar cf ../rootfs.tar etc)
skopeo --insecure-policy copy -q oci:gzip docker-archive:docker.tar:app:1
setfattr -n user.note -v here rootfs/etc/numbers

# empty: no store.  full: one with images, names, a key, and litter of gc.
mkdir empty full
(
  SHALE_STORE=$PWD/full/store
  export SHALE_STORE
  shale build -q -f one -t app context >/dev/null
  make_key full/team
  shale build -q -f two -t old context >/dev/null
  shale import -q -t old oci:layout >/dev/null
  shale rm old >/dev/null
  shale cat app /hello >/dev/null
)
cp -r full kept
SHALE_STORE=$PWD/kept/store shale gc >/dev/null

# faulted WHAT NAME: all the faults of WHAT (see faults.py; power and nomem: power.py, nomem.py) for a command.
faulted() {
  case $1 in
  kill) faulted_samples=15 ;;
  EIO) faulted_samples=12 ;;
  power | nomem) faulted_samples=10 ;;
  *) faulted_samples=6 ;;
  esac
  # What a command does after a fault is the same in both builds; sanitizers look at fewer of them.
  ! has_sanitizers || faulted_samples=$(((faulted_samples + 2) / 3))
  [ -z "${SHALE_FULL:-}" ] || faulted_samples=0
  faulted_what=$1
  faulted_once=
  faulted_parallel=
  case $2 in
  build-new) set -- empty shale build -q --workers 0 -f one -t app:1 context ;;
  build) set -- kept shale build -q --workers 0 -f two -t next context ;;
  build-parallel) faulted_parallel=--parallel && set -- kept shale build -q --workers 2 -f two -t next context ;;
  import-oci) set -- kept shale import -q --workers 0 -t app oci:layout ;;
  import-dir) set -- kept shale import -q --workers 0 -t new dir:rootfs ;;
  import-oci-archive) set -- kept shale import -q --workers 0 -t app oci-archive:oci.tar ;;
  import-docker-archive) set -- kept shale import -q --workers 0 -t app docker-archive:docker.tar ;;
  import-rootfs) set -- kept shale import -q --workers 0 -t new rootfs:rootfs.tar ;;
  sign) faulted_once=--once && set -- kept shale sign --key kept/team.key --passphrase-file pass app ;;
  tag) set -- kept shale tag app other:2 ;;
  rm) faulted_once=--once && set -- full shale rm app ;;
  gc) faulted_once=--once && set -- full shale gc ;;
  cat) set -- kept shale cat app /hello ;;
  export-oci) set -- kept shale export -q --workers 0 app oci:work/out ;;
  export-oci-archive) set -- kept shale export -q --workers 0 app oci-archive:work/out.tar ;;
  export-docker-archive) set -- kept shale export -q --workers 0 app docker-archive:work/out.tar ;;
  export-rootfs) set -- kept shale export -q --workers 0 app rootfs:work/out.tar ;;
  *) fail "no command $2" ;;
  esac
  faulted_pristine=$1
  shift
  set -- --samples "$faulted_samples" ${faulted_once:+"$faulted_once"} "$*" "$faulted_pristine" -- "$@"
  case $faulted_what in
  power) "$SHALE_SOURCE/tests/support/power.py" "$@" ;;
  nomem) "$SHALE_SOURCE/tests/support/nomem.py" --library "$PWD/nomem.so" "$@" ;;
  *) "$SHALE_SOURCE/tests/support/faults.py" --what "$faulted_what" ${faulted_parallel:+"$faulted_parallel"} "$@" ;;
  esac
}
