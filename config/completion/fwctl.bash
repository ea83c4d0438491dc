# SPDX-License-Identifier: GPL-2.0-only
# Completion of fwctl(8) for bash.

_fwctl_labels() {
    fwctl "${pins[@]}" --wait 0 list --numbers 2>/dev/null |
        sed -n 's/.* label \([^ ]*\).*/\1/p' | grep -v '^builtin:'
}

_fwctl() {
    local commands="apply check format explain list stats status add delete save diff set ban unban flows watch down"
    local globals="--pin-dir --wait --quiet --verbose --help"
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' word i
    local -a pins=()

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        --pin-dir)
            pins=(--pin-dir "${COMP_WORDS[i + 1]}")
            i=$((i + 1))
            ;;
        --wait) i=$((i + 1)) ;;
        -*) ;;
        *)
            command=$word
            break
            ;;
        esac
    done

    COMPREPLY=()
    case $previous in
    --pin-dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --rules | --pcap | --file | --sets)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --before | --after)
        mapfile -t COMPREPLY < <(compgen -W "$(_fwctl_labels)" -- "$current")
        return
        ;;
    --hook)
        mapfile -t COMPREPLY < <(compgen -W "ingress egress" -- "$current")
        return
        ;;
    --wait | --at | --packet | --interface) return ;;
    esac

    local words="$globals"
    case $command in
    '') words="$commands $globals --version" ;;
    apply) words+=" --dry-run --missing-ok --sets" ;;
    set) words+=" list add delete replace flush test save restore --json --file --force" ;;
    ban) words+=" for --force" ;;
    check) words+=" --json" ;;
    diff) words+=" --json --exit-code" ;;
    format) words+=" --write" ;;
    explain) words+=" --rules --packet --pcap --hook --interface --why --kernel --json" ;;
    list) words+=" --numbers --json" ;;
    stats) words+=" --json --prometheus" ;;
    status) words+=" --json" ;;
    add) words+=" --before --after --at ingress egress" ;;
    delete) words+=" ingress egress $(_fwctl_labels)" ;;
    save) words+=" --force --sets" ;;
    flows) words+=" list count delete flush from to address port state rule on --json" ;;
    esac
    case $command in
    apply | check | format | save | diff)
        if [[ $current != -* ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o filenames -F _fwctl fwctl
