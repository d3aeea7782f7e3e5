# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for keelctl: commands, options, and the units and members of the running daemon.

_keelctl_ask()
{
    local run_dir=() i
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == --run-dir ]]; then
            run_dir=(--run-dir "${COMP_WORDS[i + 1]}")
        fi
    done
    keelctl "${run_dir[@]}" "$@" --no-headings 2>/dev/null
}

_keelctl_units()
{
    _keelctl_ask list --columns ADDRESSES | tr ',' '\n'
}

_keelctl_members()
{
    _keelctl_ask members --columns MEMBER,ADDRESS | tr -s ' ' '\n'
}

_keelctl()
{
    local commands="status members list plan explain take release drain undrain rebalance reload history events counters snmp check
        convert witness"
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" i choices=""

    # Without this readline would take the colons of IPv6 addresses for the ends of words.
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local words cword
        _get_comp_words_by_ref -n : cur words cword
        word=$cur
    fi
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --run-dir | --pool | --columns | --with | --without | --timeout | --limit) ((i++)) ;;
        -*) ;;
        *)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done
    case $before in
    --run-dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    --with | --without)
        mapfile -t COMPREPLY < <(compgen -W "$(_keelctl_members)" -- "$word")
        return
        ;;
    --pool)
        mapfile -t COMPREPLY < <(compgen -W "$(_keelctl_ask members --columns POOL)" -- "$word")
        return
        ;;
    --columns | --timeout | --limit) return ;;
    esac
    if [[ $word == -* ]]; then
        choices=$(keelctl $command --help 2>/dev/null | grep -o '^  --[a-z-]*')
    elif [[ -z $command ]]; then
        choices=$commands
    else
        case $command in
        explain | take | release | history | events) choices=$(_keelctl_units) ;;
        convert) mapfile -t COMPREPLY < <(compgen -W keepalived -- "$word"; compgen -f -- "$word") && return ;;
        snmp) choices="VRRPV3-MIB VRRP-MIB EVENKEEL-MIB" ;;
        check) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$word"
    fi
}

complete -F _keelctl keelctl
