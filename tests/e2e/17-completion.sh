#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The completions offer every command, and every option that a command's usage names.
set -u
cd "$(dirname "$0")/../.." || exit 1
fwctl=build/fwctl

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

[ -x "$fwctl" ] || fail "$fwctl is not built"
# shellcheck source=config/completion/fwctl.bash
. config/completion/fwctl.bash

# offered WORD...: what bash offers behind these words, for a word that is not begun, or begins with -
offered() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _fwctl 2>/dev/null
    printf '%s\n' "${COMPREPLY[@]}"
}

mapfile -t commands < <("$fwctl" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ ${#commands[@]} -gt 10 ] || fail "no commands in --help"
options=0
for command in "${commands[@]}"; do
    offered fwctl '' | grep -qx "$command" || fail "bash does not offer $command"
    grep -q "^        '$command:" config/completion/_fwctl || fail "zsh does not offer $command"
    for option in $("$fwctl" "$command" --help | sed "/^$/q" | grep -o -- '--[a-z-]*'); do
        options=$((options + 1))
        offered fwctl "$command" -- | grep -qx -- "$option" ||
            fail "bash does not offer $command $option"
        # From the command's line in the case to the end of its entry.
        sed -n "/^        $command)/,/;;/p" config/completion/_fwctl | grep -q -- "'$option\[" ||
            fail "zsh does not offer $command $option"
    done
done
[ $options -gt 15 ] || fail "only $options options were found"
offered fwctl check --no-such | grep -q . && fail "an option is offered that there is not"
exit 0
