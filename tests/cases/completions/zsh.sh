#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# zsh completes commands, options, values and arguments.
# NEEDS: root fuse zsh
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/completions/scenes.sh"

# Its completion works at a terminal alone: an interactive zsh is given one, with a key that completes the line and
# writes down what compadd found to match.
cat >inner.zsh <<'END'
fpath=($SHALE_BUILD/cli/completions $fpath)
autoload -U compinit
compinit -D -u
compadd() {
    # Those that only ask are left alone.
    if [[ -n ${${@[1,(i)(-|--)]}[(r)-[AOD]]} ]]; then
        builtin compadd "$@"
        return
    fi
    local -a __found
    builtin compadd -O __found "$@"
    (($#__found)) && print -rl -- $__found >>$FOUND
    builtin compadd "$@"
}
note() {
    _main_complete
    compstate[insert]= compstate[list]=
    print -r -- 'end of offers' >>$FOUND
}
zle -C note complete-word note
bindkey '^T' note
print ready >$FOUND
END
cat >offers.zsh <<'END'
zmodload zsh/zpty
export FOUND=$HOME/found TERM=vt100

# until_found TEXT: reads the terminal, so that it never fills, until the text is written down.
until_found() {
    local chunk i
    for ((i = 0; i < 400; i++)); do
        while zpty -r -t zsh chunk; do :; done
        [[ -e $FOUND ]] && grep -qx $1 $FOUND && return
        sleep 0.05
    done
    print -u 2 "no '$1' for: $line"
    exit 1
}

zpty -b zsh zsh -f -i
zpty -w zsh '. $HOME/inner.zsh'
until_found ready
while IFS= read -r line; do
    : >$FOUND
    zpty -w -n zsh $line$'\C-T'
    until_found 'end of offers'
    print -r -- "> $line"
    grep -vx 'end of offers' $FOUND
    zpty -w -n zsh $'\C-U'
done
zpty -d zsh
END
make_scenes
zsh -n "$SHALE_BUILD/cli/completions/_shale"
zsh -f ../offers.zsh <../lines >../offered
check_offers ../offered
