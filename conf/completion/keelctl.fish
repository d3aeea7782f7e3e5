# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for keelctl: commands, options and their values, and the units and members of the running daemon.

set -l commands status watch members list plan explain take release drain undrain rebalance reload history events counters snmp dump dns check convert witness

function __keelctl_ask
    set -l words (commandline -opc)
    set -l place (contains -i -- --run-dir $words)
    and set -l run_dir --run-dir $words[(math $place + 1)]
    keelctl $run_dir $argv --no-headings 2>/dev/null
end

function __keelctl_units
    __keelctl_ask list --columns ADDRESSES | string split ','
    __keelctl_ask list --columns INSTANCE
end

function __keelctl_members
    __keelctl_ask members --columns MEMBER,ADDRESS | string split -n ' '
end

complete -c keelctl -f
complete -c keelctl -n "not __fish_seen_subcommand_from $commands" -a "$commands"
complete -c keelctl -n "__fish_seen_subcommand_from explain take release history events" -a "(__keelctl_units)"
complete -c keelctl -n "__fish_seen_subcommand_from plan" -l with -x -a "(__keelctl_members)"
complete -c keelctl -n "__fish_seen_subcommand_from plan" -l without -x -a "(__keelctl_members)"
complete -c keelctl -n "__fish_seen_subcommand_from dump" -a "data stats json"
complete -c keelctl -n "__fish_seen_subcommand_from snmp" -a "VRRPV3-MIB VRRP-MIB EVENKEEL-MIB"
complete -c keelctl -n "__fish_seen_subcommand_from check convert" -F
complete -c keelctl -n "__fish_seen_subcommand_from convert" -a 'keepalived wackamole'
complete -c keelctl -n "__fish_seen_subcommand_from watch" -l interval -x
complete -c keelctl -n "__fish_seen_subcommand_from history" -l timeline
complete -c keelctl -n "__fish_seen_subcommand_from history" -l svg -r -F
complete -c keelctl -n "__fish_seen_subcommand_from history events" -l limit -x
complete -c keelctl -n "__fish_seen_subcommand_from history counters" -l all
complete -c keelctl -n "__fish_seen_subcommand_from events" -l follow
complete -c keelctl -n "__fish_seen_subcommand_from members list plan explain history counters" -l columns -x
complete -c keelctl -n "__fish_seen_subcommand_from members list plan explain history counters" -l no-headings
complete -c keelctl -n "__fish_seen_subcommand_from take release drain" -l no-wait
complete -c keelctl -n "__fish_seen_subcommand_from take release drain" -l timeout -x
complete -c keelctl -n "__fish_seen_subcommand_from drain" -l now
complete -c keelctl -l pool -x -a "(__keelctl_ask members --columns POOL | sort -u)"
complete -c keelctl -l color -x -a "auto always never"
complete -c keelctl -l json
complete -c keelctl -l run-dir -x -a "(__fish_complete_directories)"
