# Completion of shale(1) for fish.
# SPDX-License-Identifier: Apache-2.0
# What can be completed is printed by the build behind this file, from the tables of the program itself.

# __shale_in COMMAND: it is the one before the cursor.
function __shale_in
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end

# __shale_at -: no command is there yet.
# __shale_at COMMAND -eq|-ge|-le NUMBER [command OWN|option]: the argument of this number is at the cursor; of a command to
# run, which comes behind OWN others, all that follows is its own; or it is an option or its value, when as many arguments
# are in front of it.
function __shale_at
    set -l words (commandline -opc)
    if test $argv[1] = -
        test (count $words) -eq 1
        return
    end
    __shale_in $argv[1]; or return
    set -e words[1..2]
    set -l valued (__shale_valued $argv[1])
    set -l number 1
    set -l is_value 0
    set -l ended 0
    for word in $words
        if test $is_value = 1
            set is_value 0
        else if test $ended = 1; or not string match -q -- '-?*' $word
            set number (math $number + 1)
            test "$argv[4]" = command; and test $number -gt (math $argv[5] + 1); and set ended 1
        else if test "$word" = --
            set ended 1
        else if contains -- $word $valued
            set is_value 1
        end
    end
    test $is_value = 0; or test "$argv[4]" = option; and test $number $argv[2] $argv[3]
end

# The --store of the command line, in one word.
function __shale_store
    set -l words (commandline -opc)
    set -l store
    set -l i 3
    while test $i -le (count $words)
        if string match -q -- '--store=*' $words[$i]
            set store $words[$i]
        else if test "$words[$i]" = --store; and test $i -lt (count $words)
            set store --store=$words[(math $i + 1)]
        end
        set i (math $i + 1)
    end
    # `string` without an argument would read standard input.
    if set -q store[1]
        string replace -r -- '^--store=~/' "--store=$HOME/" $store
    end
end

# __shale_images [SUFFIX]: the names in the store, without the host that shale adds by itself.
function __shale_images
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    for name in (command $words[1] images --names (__shale_store) 2>/dev/null)
        # Other tools may have put anything there.
        string match -qr '^[A-Za-z0-9._:/@+-]+$' -- $name; or continue
        if not string match -q -- 'localhost/*' "$token"
            set name (string replace -r '^localhost/' '' -- $name)
        end
        printf '%s%s\n' $name $argv[1]
    end
end

# __shale_sessions [SUFFIX]: the sessions in the store.
function __shale_sessions
    set -l words (commandline -opc)
    for name in (command $words[1] sessions --quiet (__shale_store) 2>/dev/null)
        printf '%s%s\n' $name $argv[1]
    end
end

# Where images are mounted; the kernel writes blanks and backslashes as octal numbers.
function __shale_mounts
    string replace -rf '^\S+ (\S+) fuse\.shale .*' '$1' </proc/self/mounts | while read -l point
        printf '%b\n' $point
    end
end

# __shale_prefixed PREFIX...: a file behind one of them and ":".
function __shale_prefixed
    set -l token (commandline -ct)
    set -l parts (string split -m 1 : -- "$token")
    if test (count $parts) -eq 2
        for path in (__fish_complete_path $parts[2])
            printf '%s:%s\n' $parts[1] $path
        end
    else
        printf '%s:\n' $argv
    end
end

complete -c shale -f
complete -c shale -n '__shale_at -' -s h -l help -d 'list the commands'
complete -c shale -n '__shale_at -' -l version -d 'show the version'
complete -c shale -n '__shale_at -' -a help -d 'Show the options of a command'
