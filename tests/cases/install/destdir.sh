#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# meson install puts the program, a page for each command and format, completions and documents into their places, and
# nothing else; what is installed works.
# NEEDS: meson man git zsh
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/install/files.sh"

(umask 077 && DESTDIR=$PWD/root meson install -C "$SHALE_BUILD" --no-rebuild --quiet)
meson introspect "$SHALE_BUILD" --buildoptions >options.json
# option NAME: its value in this build.
option() {
  json options.json "next(o['value'] for o in d if o['name'] == '$1')"
}
prefix=$PWD/root$(option prefix)

expected_files "$(option bindir)" "$(option mandir)" "$(option datadir)" >want
(cd "$prefix" && find . ! -type d) | sed 's|^\./||' | LC_ALL=C sort >got
diff -u want got >&2 || fail "other files are installed"
same "files outside the prefix" "$(find root ! -type d ! -path "root$(option prefix)/*")" ""
# For everybody, whatever the umask of who installs it; what the umask makes are the folders above.
same "files that not all can read" "$(find "$prefix" -type f ! -perm -444)" ""
same "programs" "$(cd "$prefix" && find . -type f -perm -111 | LC_ALL=C sort)" "./bin/shale
./share/doc/shale/examples/debian.sh
./share/doc/shale/examples/quickstart.sh"
[ "$(option prefix)" != /usr/local ] || zsh_looks_in "$(option prefix)/$(option datadir)/zsh/site-functions"
smoke "$prefix" "$(option bindir)" "$(option mandir)"
