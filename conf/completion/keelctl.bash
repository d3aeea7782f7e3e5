# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for keelctl. Commands and options come from its --help, units and members from the running daemon.

_keelctl_call()
{
    local run_dir=() i
    for ((i = 1; i < ${#COMP_WORDS[@]} - 1; i++)); do
        if [[ ${COMP_WORDS[i]} == --run-dir ]]; then
            run_dir=(--run-dir "${COMP_WORDS[i + 1]}")
        fi
    done
    keelctl "${run_dir[@]}" "$@"
}

_keelctl_ask()
{
    _keelctl_call "$@" --no-headings 2>/dev/null
}

# Addresses, and names of instances.
_keelctl_units()
{
    _keelctl_ask list --columns ADDRESSES | tr ',' '\n'
    _keelctl_ask list --columns INSTANCE
}

_keelctl_members()
{
    _keelctl_ask members --columns MEMBER,ADDRESS | tr -s ' ' '\n'
}

# The columns of a command's table, which keelctl lists when it is asked for one that there is not. The ones chosen so
# far stay in front.
_keelctl_columns()
{
    local column chosen=""
    if [[ $2 == *,* ]]; then
        chosen=${2%,*},
    fi
    for column in $(_keelctl_call "$1" --columns '?' 2>&1 | sed -n '2s/,/ /gp'); do
        echo "$chosen$column"
    done
}

_keelctl()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" i choices=""

    # Without this readline would take the colons of IPv6 addresses for the ends of words.
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local cur words cword
        _get_comp_words_by_ref -n : cur words cword
        word=$cur
    fi
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --run-dir | --pool | --columns | --color | --with | --without | --timeout | --limit | --interval | --svg) ((i++)) ;;
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
    --svg | --vip-file)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --color) choices="auto always never" ;;
    --with | --without) choices=$(_keelctl_members) ;;
    --pool) choices=$(_keelctl_ask members --columns POOL) ;;
    --columns) choices=$(_keelctl_columns "$command" "$word") ;;
    --timeout | --limit | --interval | --config-id) return ;;
    *)
        if [[ $word == -* ]]; then
            choices=$(keelctl $command --help 2>/dev/null | grep -o '^  --[a-z-]*')
        elif [[ -z $command ]]; then
            choices=$(keelctl --help | grep -o '^  [a-z]*')
        else
            case $command in
            explain | take | release | history | events) choices=$(_keelctl_units) ;;
            convert) mapfile -t COMPREPLY < <(compgen -W "keepalived wackamole" -- "$word"; compgen -f -- "$word") && return ;;
            dump) choices="data stats json" ;;
            snmp) choices="VRRPV3-MIB VRRP-MIB EVENKEEL-MIB" ;;
            check) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
            esac
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$word"
    fi
}

complete -F _keelctl keelctl
