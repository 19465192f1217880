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
# A layer that its platforms share, and one of each.
echo amd64 >context/amd64
echo arm64 >context/arm64
# shellcheck disable=SC2016 # the manifest's
printf 'FROM scratch\nARG TARGETARCH\nCOPY hello /\nCOPY $TARGETARCH /arch\n' >platforms

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
skopeo --insecure-policy copy -q --additional-tag app:2 oci:gzip docker-archive:names.tar:app:1
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
# more: two images, one signed, and of the other no catalog yet.
cp -r kept more
(
  SHALE_STORE=$PWD/more/store
  export SHALE_STORE
  shale build -q -f two -t next context >/dev/null
  shale sign --key kept/team.key --passphrase-file pass app >/dev/null
  rm -f more/store/shale/catalogs/"$(inspect next "d['digest'].split(':')[1]")"
)
# damaged: a catalog, an index and frames that are to be made anew.
cp -r kept damaged
SHALE_STORE=$PWD/damaged/store shale import -q -t other oci:layout >/dev/null
SHALE_STORE=$PWD/damaged/store shale cat other /a >/dev/null
for faulted_file in damaged/store/shale/catalogs/* damaged/store/shale/layers/*; do
  flip "$faulted_file" -10
done
# edited: sessions, of one of which a part is left that somebody was removing.
cp -r kept edited
(
  SHALE_STORE=$PWD/edited/store
  export SHALE_STORE
  for faulted_name in work other left; do
    "$SHALE_BUILD/tests/support/make-session" app "$faulted_name" >/dev/null
  done
  for faulted_file in edited/store/shale/sessions/*; do
    seq 1000 >"$faulted_file/data/1"
    ! grep -q '"left"' "$faulted_file/session.json" ||
      mv "$faulted_file" "${faulted_file%/*}/.removing-${faulted_file##*/}"
  done
)
# changed: a session with changes.
cp -r kept changed
SHALE_STORE=$PWD/changed/store "$SHALE_BUILD/tests/support/make-session" app work >/dev/null
SHALE_STORE=$PWD/changed/store "$SHALE_BUILD/tests/support/edit-session" work
# exported: what exports replace, or add to.  foreign: an image whose layers another tool compressed.
cp -r kept exported
cp -r exported foreign
SHALE_STORE=$PWD/foreign/store shale import -q -t foreign oci:layout >/dev/null
cp -r layout exported/out
echo older >exported/out.tar

# faulted WHAT NAME...: all the faults of WHAT for each command of that name, or of a group of them (faulted_names): kill,
# errors (faults.py), nomem, leaks (failing.py), power (power.py).  ONLY="NAME..." in the environment chooses some of them.
faulted() {
  faulted_what=$1
  shift
  faulted_count=0
  for faulted_name in $(faulted_names "$@"); do
    case " ${ONLY:-$faulted_name} " in
    *" $faulted_name "*)
      faulted_count=$((faulted_count + 1))
      faulted_one
      ;;
    esac
  done
  [ "$faulted_count" -gt 0 ] || fail "no command is called '${ONLY:-}'"
}

# faulted_names NAME...: with all of `changes`, which change a store or carry an image out of it, and of `reads`.
faulted_names() {
  for faulted_name in "$@"; do
    case $faulted_name in
    changes)
      echo build-new build build-parallel build-platforms
      echo import-oci import-oci-archive import-docker-archive import-names import-dir import-rootfs
      echo export-oci export-oci-more export-oci-archive export-docker-archive export-rootfs export-stdout
      echo export-recoded-oci export-recoded-docker
      echo sign tag rm gc fsck-repair session-rm gc-sessions
      ;;
    reads) echo cat cp ls diff size history inspect images verify fsck sessions ;;
    *) echo "$faulted_name" ;;
    esac
  done
}

# samples COUNT: as many of these, or all (0) with --full.  What a command does after a fault is the same in both builds:
# sanitizers look at fewer of them.  So do commands that are mostly what another one is.
samples() {
  samples_of=1
  case $faulted_name in build-platforms | import-names | export-recoded-*) samples_of=2 ;; esac
  ! has_sanitizers || samples_of=3
  if [ -n "${SHALE_FULL:-}" ]; then
    echo 0
  else
    echo $((($1 + samples_of - 1) / samples_of))
  fi
}

# fsck tells, and succeeds, when it cannot read what is derived, or when there is a lease that somebody left.
faulted_one() {
  faulted_once=
  faulted_parallel=
  faulted_partial=
  faulted_derived=
  case $faulted_name in
  build-new) set -- empty shale build -q --workers 0 -f one -t app:1 context ;;
  build) set -- kept shale build -q --workers 0 -f two -t next context ;;
  build-parallel) faulted_parallel=--parallel && set -- kept shale build -q --workers 2 -f two -t next context ;;
  build-platforms)
    set -- kept shale build -q --workers 0 --platform linux/amd64,linux/arm64 -f platforms -t next context
    ;;
  import-oci) set -- kept shale import -q --workers 0 -t app oci:layout ;;
  import-dir) set -- kept shale import -q --workers 0 -t new dir:rootfs ;;
  import-oci-archive) set -- kept shale import -q --workers 0 -t app oci-archive:oci.tar ;;
  import-docker-archive) set -- kept shale import -q --workers 0 docker-archive:docker.tar:app:1 ;;
  import-names) set -- kept shale import -q --workers 0 docker-archive:names.tar ;;
  import-rootfs) set -- kept shale import -q --workers 0 -t new rootfs:rootfs.tar ;;
  export-oci) set -- kept shale export -q --workers 0 app oci:work/out ;;
  export-oci-more) set -- exported shale export -q --workers 0 app oci:work/out:second ;;
  export-oci-archive) set -- kept shale export -q --workers 0 app oci-archive:work/out.tar ;;
  export-docker-archive) set -- exported shale export -q --workers 0 app docker-archive:work/out.tar ;;
  export-rootfs) set -- kept shale export -q --workers 0 app rootfs:work/out.tar ;;
  export-stdout) set -- kept shale export -q --workers 0 app - ;;
  export-recoded-oci) set -- foreign shale export -q --workers 0 --compression gzip:1 foreign oci:work/out ;;
  export-recoded-docker)
    set -- foreign shale export -q --workers 0 --compression gzip:1 foreign docker-archive:work/out.tar
    ;;
  sign) faulted_once=--once && set -- kept shale sign --key kept/team.key --passphrase-file pass app ;;
  tag) set -- kept shale tag app other:2 ;;
  rm) faulted_once=--once && set -- full shale rm app ;;
  gc) faulted_once=--once && set -- full shale gc ;;
  fsck-repair) faulted_once=--once faulted_derived=--derived && set -- damaged shale fsck -q --read-data --repair ;;
  session-rm) faulted_once=--once && set -- edited shale session rm work ;;
  gc-sessions) faulted_once=--once && set -- edited shale gc ;;
  sessions) set -- edited shale sessions ;;
  commit) set -- changed shale commit -q --workers 0 -t app:2 -m why work ;;
  diff-session) set -- changed shale diff --stat work ;;
  cat) set -- kept shale cat app /hello ;;
  cp) faulted_partial=--partial && set -- more shale cp -q next:/. work/copy ;;
  ls) set -- more shale ls -R next ;;
  diff) set -- more shale diff app next ;;
  size) set -- more shale size next ;;
  history) set -- more shale history next ;;
  inspect) set -- more shale inspect --layers next ;;
  images) set -- more shale images ;;
  verify) set -- more shale verify -q --key kept/team.pub app ;;
  fsck) faulted_once=--once faulted_derived=--derived && set -- kept shale fsck -q --read-data ;;
  *) fail "no command $faulted_name" ;;
  esac
  faulted_pristine=$1
  shift
  [ "$faulted_what" != power ] || faulted_partial=
  set -- "$faulted_name" "$faulted_pristine" -- "$@"
  for faulted_option in $faulted_once $faulted_derived $faulted_partial; do
    set -- "$faulted_option" "$@"
  done
  for faulted_kind in $(faulted_kinds); do
    set -- --what "$faulted_kind" "$@"
  done
  case $faulted_what in
  kill | errors) "$SHALE_SOURCE/tests/support/faults.py" ${faulted_parallel:+"$faulted_parallel"} "$@" ;;
  nomem | leaks)
    # ASan itself gives up when a thread that starts finds no memory.
    [ "$faulted_what $faulted_name" != "nomem build-parallel" ] || ! has_sanitizers || return 0
    "$SHALE_SOURCE/tests/support/failing.py" "$@"
    ;;
  power)
    # Threads compress, and write nothing; and a pipe is no disk.
    case $faulted_name in build-parallel | export-stdout) return 0 ;; esac
    "$SHALE_SOURCE/tests/support/power.py" --samples "$(samples 4)" "$@"
    ;;
  esac
}

# faulted_kinds: those of kill, errors, nomem and leaks, with their samples.
faulted_kinds() {
  case $faulted_what in
  kill) echo "kill=$(samples 6)" ;;
  nomem) echo "ENOMEM=$(samples 4)" ;;
  errors | leaks)
    echo "EIO=$(samples 5) ENOSPC=$(samples 4) EMFILE=$(samples 4)"
    # They say what ENOSPC and EMFILE do.
    [ -z "${SHALE_FULL:-}" ] || echo "EDQUOT=0 ENFILE=0"
    [ "$faulted_name" != build-parallel ] || echo "EAGAIN=0"
    ;;
  esac
}
