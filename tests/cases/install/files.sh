# SPDX-License-Identifier: Apache-2.0
# What an installation consists of.
# shellcheck shell=sh

# expected_files BINDIR MANDIR DATADIR: the program, a page for each command and format, completions, documents, examples.
expected_files() {
  {
    echo "$1/shale"
    echo "$2/man1/shale.1"
    shale --help | sed -n "s|^  \([a-z]*\) .*|$2/man1/shale-\1.1|p"
    (cd "$SHALE_SOURCE/docs" && printf '%s\n' *.[2-9].scd) | sed "s|\(.*\)\.\([0-9]\)\.scd|$2/man\2/\1.\2|"
    echo "$3/bash-completion/completions/shale"
    echo "$3/fish/vendor_completions.d/shale.fish"
    echo "$3/zsh/site-functions/_shale"
    (cd "$SHALE_SOURCE" && git ls-files -co --exclude-standard CHANGELOG.md LICENSE README.md examples) |
      sed "s|^|$3/doc/shale/|"
  } | LC_ALL=C sort
}

# zsh_looks_in DIR: for functions that complete.
zsh_looks_in() {
  zsh -f -c 'print -l $fpath' | grep -qx "$1" || fail "zsh does not look in $1"
}

# smoke ROOT BINDIR MANDIR: debian/tests/smoke with the program in ROOT.
smoke() {
  mkdir smoke
  PATH=$1/$2:$PATH MANPATH=$1/$3 AUTOPKGTEST_TMP=$PWD/smoke \
    sh -c '[ "$(command -v shale)" = "$1" ] && exec sh "$2"' - "$1/$2/shale" "$SHALE_SOURCE/debian/tests/smoke" \
    >smoke.log 2>&1 || fail "debian/tests/smoke ended with $?: $(cat smoke.log)"
  rm -rf smoke
}
