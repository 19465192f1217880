# Completion of shale(1) for bash, with the functions of bash-completion.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # options, values, arguments, repeats: _shale_table sets them
# What can be completed is printed by the build behind this file, from the tables of the program itself.

# _shale_offer WORD...: those that begin with what is typed.
_shale_offer()
{
    local word
    for word; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
}

# _shale_images [SUFFIX]: the names in the store, without the host that shale adds by itself.
_shale_images()
{
    local name
    while IFS= read -r name; do
        # Other tools may have put anything there, and bash puts words into the line as they are.
        [[ $name == *[!A-Za-z0-9._:/@+-]* ]] && continue
        [[ $cur == localhost/* ]] || name=${name#localhost/}
        _shale_offer "$name${1-}"
    done < <("${words[0]}" images --names ${store:+"--store=$store"} 2>/dev/null)
}

# _shale_sessions [SUFFIX]: the sessions in the store.
_shale_sessions()
{
    local name
    while IFS= read -r name; do
        _shale_offer "$name${1-}"
    done < <("${words[0]}" sessions --quiet ${store:+"--store=$store"} 2>/dev/null)
}

# Where images are mounted; the kernel writes blanks and backslashes as octal numbers.
_shale_mounts()
{
    local point type
    while read -r _ point type _; do
        [[ $type == fuse.shale ]] || continue
        printf -v point '%b' "$point"
        printf -v point '%q' "$point"
        _shale_offer "$point"
    done </proc/self/mounts
}

# _shale_pair WORD...: one of them; behind a "=" more is to come.
_shale_pair()
{
    _shale_offer "$@"
    [[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2>/dev/null
    # readline keeps what is in front of the last "=", and adds what it is given.
    [[ $COMP_WORDBREAKS != *=* ]] || COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*=}"}"}")
}

# _shale_list WORD...: one more of a list with commas between.
_shale_list()
{
    local word before=${cur%"${cur##*,}"}
    for word; do
        [[ ,$before == *",$word,"* ]] || _shale_offer "$before$word"
    done
    compopt -o nospace 2>/dev/null
}

# _shale_prefixed PREFIX...: a file behind one of them and ":".
_shale_prefixed()
{
    if [[ $cur != *:* ]]; then
        _shale_offer "${@/%/:}"
        compopt -o nospace 2>/dev/null
        return
    fi
    local prefix=${cur%%:*}: whole=$cur
    cur=${cur#*:}
    _filedir
    COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
    cur=$whole
}

# _shale_complete KIND [CHOICE]...
_shale_complete()
{
    local kind=${1-}
    shift
    case $kind in
    file) _filedir ;;
    directory) _filedir -d ;;
    image) _shale_images ;;
    image-path)
        _filedir
        _shale_images :/
        compopt -o nospace 2>/dev/null
        ;;
    mount) _shale_mounts ;;
    session) _shale_sessions ;;
    session-path)
        _filedir
        _shale_sessions :/
        [[ ${COMPREPLY[*]} != *:/ ]] || compopt -o nospace 2>/dev/null
        ;;
    choice) _shale_offer "$@" ;;
    pair) _shale_pair "$@" ;;
    list) _shale_list "$@" ;;
    prefixed) _shale_prefixed "$@" ;;
    command) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
    esac
}

# Goes over the words before the cursor: `count` arguments, --store; `is_value` when they end with an option that takes
# the next one, `ended` when options are over.
_shale_look_back()
{
    local i word
    for ((i = 2; i < cword; i++)); do
        word=${words[i]}
        if [[ $ended || $word != -?* ]]; then
            # Behind a command all options are its own.
            [[ ${arguments[count]-} != command ]] || ended=1
            ((++count))
        elif [[ $word == -- ]]; then
            ended=1
        elif [[ $word == --store=* ]]; then
            store=${word#*=}
        elif [[ ${values[$word]+set} ]]; then
            ((++i))
            if ((i == cword)); then
                is_value=1
            elif [[ $word == --store ]]; then
                store=${words[i]}
            fi
        fi
    done
    store=${store/#\~\//$HOME/}
}

_shale()
{
    local cur prev words cword split
    local options='' repeats='' arguments=() count=0 store='' is_value='' ended=''
    local -A values=()
    COMPREPLY=()
    _init_completion -s -n : || return

    # shellcheck disable=SC2086 # lists of plain words
    if ((cword == 1)); then
        [[ $cur != -* ]] || _shale_offer -h --help --version
        _shale_offer $_shale_commands
    elif [[ ${words[1]} == help ]]; then
        ((cword > 2)) || _shale_offer $_shale_commands
    elif _shale_table "${words[1]}"; then
        _shale_look_back
        ((count < ${#arguments[@]} || ! ${#repeats})) || count=$((${#arguments[@]} - 1))
        if [[ $is_value || $split == true ]]; then
            _shale_complete ${values[$prev]-}
        elif [[ ! $ended && $cur == -* ]]; then
            _shale_offer $options
        else
            _shale_complete ${arguments[count]-}
        fi
    fi
    __ltrim_colon_completions "$cur"
}
