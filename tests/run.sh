#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the tests that `make tests` has built: tests/run.sh [unit|golden|prog|e2e|fuzz|vm ...]
#
# One line a test, the output only of those that fail, and it keeps going. A test that exits 77 was
# skipped and says why in its last line. Which tests may be skipped stands in skips.expected: as
# root, any other skip is a failure. The last line counts, and names what was skipped.
#
# The tier vm boots other kernels, those of VM_SUITES, and runs the tiers VM_TIERS there. vm-e2e are
# the end-to-end tests with a line `# vm: yes`, vm-e2e-all also those with `# vm: long`; vm-prog are
# the program tests but those that say `vm: long` or `vm: no`, vm-prog-all all but the latter.
set -u
cd "$(dirname "$0")/.." || exit 1

tiers=("$@")
[ ${#tiers[@]} -gt 0 ] || tiers=(unit golden prog e2e fuzz vm)
fuzz_seconds=${FUZZ_SECONDS:-5}
limit=${TEST_SECONDS:-600}
guest_limit=${VM_SECONDS:-1500}
suites=${VM_SUITES:-bookworm sid}
read -ra guest_tiers <<<"${VM_TIERS:-vm-prog vm-e2e}"
outputs=$(mktemp -d)
trap 'rm -rf "$outputs"' EXIT
passed=0 failed=0 skips=()

# A guest has what its tests need: nothing may be skipped there.
may_skip() {
    [ -z "${FWCTL_IN_VM:-}" ] || return 1
    [ "$(id -u)" -ne 0 ] || sed 's/[[:space:]]*#.*//' tests/skips.expected | grep -qxF "$1"
}

report() { # RESULT NAME SECONDS [REASON]
    printf '%-5s %s (%ss)%s\n' "$1" "$2" "$3" "${4:+: $4}"
}

# Tells and counts how a test ended that wrote to $outputs/ID.
finish() { # ID NAME STATUS SECONDS
    local output=$outputs/$1 name=$2 status=$3 seconds=$4
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
        report ok "$name" "$seconds" "$(sed -n 's/^note: //p' "$output" | tail -n 1)"
    elif [ "$status" -eq 77 ] && may_skip "$name"; then
        skips+=("$name")
        report skip "$name" "$seconds" "$(tail -n 1 "$output")"
    else
        failed=$((failed + 1))
        case $status in
        77) report FAIL "$name" "$seconds" "was skipped, but may not be: $(tail -n 1 "$output")" ;;
        124 | 137) report FAIL "$name" "$seconds" "did not end in time" ;;
        *) report FAIL "$name" "$seconds" "exit status $status" ;;
        esac
        sed 's/^/    /' "$output"
    fi
}

# Runs one test: NAME COMMAND...
run() {
    local name=$1 status started=$SECONDS
    shift
    timeout --kill-after=10 "$limit" "$@" >"$outputs/test" 2>&1 </dev/null
    status=$?
    finish test "$name" $status $((SECONDS - started))
}

# A tier whose sources are there but whose programs are not must not pass in silence.
run_built() { # DIRECTORY PREFIX [PATTERN]: each source, but with the pattern, has its program in build/
    local source name
    for source in tests/"$1"/"$2"*.c; do
        [ -e "$source" ] || continue
        [ -n "${3:-}" ] && grep -qE "$3" "$source" && continue
        name=$1/$(basename "$source" .c)
        run "$name" "build/tests/$name"
    done
}

run_scripts() { # PATTERN...
    local script
    for script in "$@"; do
        [ -e "$script" ] || continue
        run "$(sed 's,^tests/,,; s,\.sh$,,' <<<"$script")" bash "$script"
    done
}

run_fuzzers() {
    local source name corpus seeds
    for source in tests/fuzz/fuzz_*.c; do
        [ -e "$source" ] || continue
        name=$(basename "$source" .c)
        corpus=build/corpus/$name
        mkdir -p "$corpus"
        seeds=()
        [ -d "tests/fuzz/corpus/$name" ] && seeds=("tests/fuzz/corpus/$name")
        run "fuzz/$name" "build/tests/fuzz/$name" -max_total_time="$fuzz_seconds" -timeout=10 \
            -dict=tests/fuzz/keywords.dict -artifact_prefix="build/corpus/$name-" "$corpus" \
            "${seeds[@]}"
    done
}

# The guests run side by side: each is emulated by one thread.
run_guests() {
    local suite status started=$SECONDS
    for suite in $suites; do
        {
            timeout --kill-after=10 "$guest_limit" tests/vm/run.sh "$suite" "${guest_tiers[@]}" \
                >"$outputs/$suite" 2>&1 </dev/null
            echo "$? $((SECONDS - started))" >"$outputs/$suite.status"
        } &
    done
    wait
    for suite in $suites; do
        read -r status started <"$outputs/$suite.status"
        finish "$suite" "vm/$suite" "$status" "$started"
    done
}

for tier in "${tiers[@]}"; do
    case $tier in
    unit) run_built unit test_ ;;
    golden) run_scripts tests/golden/run.sh ;;
    prog)
        run_built prog test_
        run_scripts tests/differential/run.sh
        ;;
    vm-prog) run_built prog test_ 'vm: (long|no)\>' ;;
    vm-prog-all) run_built prog test_ 'vm: no\>' ;;
    e2e) run_scripts tests/e2e/[0-9]*.sh ;;
    vm-e2e | vm-e2e-all)
        [ "$tier" = vm-e2e ] && marks=yes || marks='yes|long'
        mapfile -t scripts < <(grep -lxE "# vm: ($marks)" tests/e2e/[0-9]*.sh)
        run_scripts "${scripts[@]}"
        ;;
    fuzz) run_fuzzers ;;
    vm) run_guests ;;
    *)
        echo "tests/run.sh: there is no tier '$tier'" >&2
        exit 2
        ;;
    esac
done

names=${skips[*]}
echo "$passed passed, $failed failed, ${#skips[@]} skipped${names:+ (${names// /, })}"
[ $failed -eq 0 ]
