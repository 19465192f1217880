#compdef shale
# Completion of shale(1) for zsh.
# SPDX-License-Identifier: Apache-2.0
# What can be completed is printed by the build behind this file, from the tables of the program itself.

# The names in the store, without the host that shale adds by itself; the arguments are for compadd.
_shale_images() {
    local store=${${(Q)opt_args[--store]}/#\~\//$HOME/} expl
    local -a names
    names=(${(f)"$($program images --names ${store:+--store=$store} 2>/dev/null)"})
    # Other tools may have put anything there.
    names=(${names:#*[^A-Za-z0-9._:/@+-]*})
    [[ $PREFIX == localhost/* ]] || names=(${names#localhost/})
    _wanted images expl image compadd "$@" -a - names
}

# The sessions in the store; the arguments are for compadd.
_shale_sessions() {
    local store=${${(Q)opt_args[--store]}/#\~\//$HOME/} expl
    local -a names
    names=(${(f)"$($program sessions --quiet ${store:+--store=$store} 2>/dev/null)"})
    _wanted sessions expl session compadd "$@" -a - names
}

# Files of the host, and images or sessions with a path behind them.
_shale_image_paths() {
    _alternative 'images:image:_shale_images -S \:/' 'files:file:_files'
}

_shale_session_paths() {
    _alternative 'sessions:session:_shale_sessions -S \:/' 'files:file:_files'
}

# Where images are mounted; the kernel writes blanks and backslashes as octal numbers.
_shale_mounts() {
    local source point type rest expl
    local -a points
    while read -r source point type rest; do
        [[ $type == fuse.shale ]] && points+=(${(g:o:)point})
    done </proc/self/mounts
    _wanted mounts expl mountpoint compadd "$@" -a - points
}

# One of the words; behind a "=" more is to come.
_shale_pair() {
    local expl
    local -a begun whole
    begun=(${(M)@:#*=})
    whole=(${@:#*=})
    _wanted words expl word compadd -S '' -a - begun
    _wanted words expl word compadd -a - whole
}

# A file behind one of the prefixes and ":".
_shale_prefixed() {
    local expl
    if compset -P '*:'; then
        _files
    else
        _wanted prefixes expl prefix compadd -S : - "$@"
    fi
}

_shale() {
    local curcontext=$curcontext program=$words[1] state line ret=1
    typeset -A opt_args
    _arguments -C \
        '(- *)'{-h,--help}'[list the commands]' \
        '(- *)--version[show the version]' \
        '1:COMMAND:_shale_commands' \
        '*::ARGUMENT:->arguments' && ret=0
    if [[ $state == arguments ]]; then
        curcontext=${curcontext%:*:*}:shale-$words[1]:
        _shale_command $words[1] && ret=0
    fi
    return ret
}
