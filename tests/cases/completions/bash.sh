#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bash completes commands, options, values and arguments.
# NEEDS: root fuse bash
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/completions/scenes.sh"

cat >offers.bash <<'END'
. /usr/share/bash-completion/bash_completion
. "$SHALE_BUILD/cli/completions/shale"

# Splits the line as readline does: colons and equal signs are words of their own.
split() {
    local word='' i char
    COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=()
    for ((i = 0; i < ${#1}; i++)); do
        char=${1:i:1}
        case $char in
        ' ') [[ ! $word ]] || COMP_WORDS+=("$word") && word='' ;;
        [:=])
            [[ ! $word || $word == "$char" ]] || { COMP_WORDS+=("$word") && word=''; }
            word+=$char
            ;;
        *)
            [[ $word != [:=]* ]] || { COMP_WORDS+=("$word") && word=''; }
            word+=$char
            ;;
        esac
    done
    COMP_WORDS+=("$word")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
}

while IFS= read -r line; do
    printf '> %s\n' "$line"
    split "$line"
    _shale
    # What readline keeps in front: the word up to its last colon or equal sign.
    last=${line##* }
    [[ $last == *[:=]* ]] && last=${last%"${last##*[:=]}"} || last=''
    ((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]/#/$last}"
done
END
make_scenes
bash --norc ../offers.bash <../lines >../offered 2>../errors
same "messages" "$(cat ../errors)" ""
check_offers ../offered

# bash finds it by itself in its folder.
mkdir -p ../data/bash-completion/completions
cp "$SHALE_BUILD/cli/completions/shale" ../data/bash-completion/completions
# shellcheck disable=SC2016 # for the other shell
same "loaded" "$(XDG_DATA_HOME=$PWD/../data bash --norc -c '. /usr/share/bash-completion/bash_completion
  _completion_loader shale; complete -p shale')" "complete -F _shale shale"

# The words that tables of their own list are those that the commands take.
offered_for() {
  sed -n "s/^$1|//p" ../scenes | tr ' ' '\n'
}
for word in $(offered_for "shale mount -o "); do
  same "shale mount -o $word" "$(status_of shale mount -o "$word" nothing contexts)" 8
done
for word in $(offered_for "shale keygen --type "); do
  same "shale keygen --type $word" "$(status_of env SHALE_PASSPHRASE=x shale keygen --type "$word" "of-$word")" 0
done
for word in $(offered_for "shale import "); do
  same "shale import $word:" "$(status_of shale import -t x "$word:nothing")" 8
done
