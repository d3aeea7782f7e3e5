# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for keelctl. Commands and options come from its --help, units and members from the running daemon.

function __keelctl_call
    set -l words (commandline -opc)
    set -l run_dir
    if set -l place (contains -i -- --run-dir $words)
        set run_dir --run-dir $words[(math $place + 1)]
    end
    keelctl $run_dir $argv
end

function __keelctl_ask
    __keelctl_call $argv --no-headings 2>/dev/null
end

# The command among the words so far: the first that is no option and no option's value.
function __keelctl_command
    set -l value no
    for word in (commandline -opc)[2..]
        if test $value = yes
            set value no
        else if contains -- $word --run-dir --color
            set value yes
        else if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
end

function __keelctl_units
    __keelctl_ask list --columns ADDRESSES | string split ','
    __keelctl_ask list --columns INSTANCE
end

function __keelctl_members
    __keelctl_ask members --columns MEMBER,ADDRESS | string split -n ' '
end

# keelctl lists a table's columns when it is asked for one that there is not. The ones chosen so far stay in front.
function __keelctl_columns
    set -l chosen (commandline -ct | string match -r '^.*,')
    set -l columns (__keelctl_call $argv --columns '?' 2>&1)[2]
    string split ',' -- (string trim -- $columns) | string replace -r '^' "$chosen"
end

# What may stand here, with what it means behind a tab.
function __keelctl_complete
    set -l command (__keelctl_command)
    set -l words (commandline -opc)
    switch $words[-1]
        case --run-dir
            __fish_complete_directories (commandline -ct)
        case --svg --vip-file
            __fish_complete_path (commandline -ct)
        case --color
            printf '%s\n' auto always never
        case --pool
            __keelctl_ask members --columns POOL | sort -u
        case --with --without
            __keelctl_members
        case --columns
            __keelctl_columns $command
        case --timeout --limit --interval --config-id
        case '*'
            if string match -q -- '-*' (commandline -ct)
                keelctl $command --help 2>/dev/null | string replace -rf '^  (--[a-z-]+) ?\S* +(.*)$' '$1\t$2'
                return
            end
            switch "$command"
                case ''
                    keelctl --help | grep '^  [a-z]' | cut -c3-11,28- | sed 's/  */\t/'
                case explain take release history events
                    __keelctl_units
                case dump
                    printf '%s\n' data stats json
                case snmp
                    printf '%s\n' VRRPV3-MIB VRRP-MIB EVENKEEL-MIB
                case convert
                    printf '%s\n' keepalived wackamole
                    __fish_complete_path (commandline -ct)
                case check
                    __fish_complete_path (commandline -ct)
            end
    end
end

complete -c keelctl -f -a '(__keelctl_complete)'
