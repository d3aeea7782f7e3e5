# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for keelctl: commands, and the units and members of the running daemon.

set -l commands status members list plan explain take release drain undrain rebalance reload history events counters snmp check convert witness

function __keelctl_units
    keelctl list --columns ADDRESSES --no-headings 2>/dev/null | string split ','
end

function __keelctl_members
    keelctl members --columns MEMBER,ADDRESS --no-headings 2>/dev/null | string split -n ' '
end

complete -c keelctl -f
complete -c keelctl -n "not __fish_seen_subcommand_from $commands" -a "$commands"
complete -c keelctl -n "__fish_seen_subcommand_from explain take release history events" -a "(__keelctl_units)"
complete -c keelctl -n "__fish_seen_subcommand_from plan" -l with -x -a "(__keelctl_members)"
complete -c keelctl -n "__fish_seen_subcommand_from plan" -l without -x -a "(__keelctl_members)"
complete -c keelctl -n "__fish_seen_subcommand_from snmp" -a "VRRPV3-MIB VRRP-MIB EVENKEEL-MIB"
complete -c keelctl -n "__fish_seen_subcommand_from check convert" -F
complete -c keelctl -n "__fish_seen_subcommand_from convert" -a keepalived
complete -c keelctl -l json
complete -c keelctl -l run-dir -x -a "(__fish_complete_directories)"
