#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every command there is, from the table itself (lightc --dump): its help, its example, its completion, wrong words, a
# name nobody has, no daemon, no permission. A command that is added is tried here without a line more.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq setpriv
unset LIGHTC_PROJECT
lightc --dump >"$TEST_DIR/dump"
mapfile -t paths < <(jq -r '.commands[] | select(.group | not) | .path' "$TEST_DIR/dump")
mapfile -t groups < <(jq -r '.commands[] | select(.group) | .path' "$TEST_DIR/dump")
[ ${#paths[@]} -gt 50 ] || fail "the dump names ${#paths[@]} commands"

# What works without a daemon, or answers its absence in its own way.
is_local() { case $1 in "alias "* | "remote "* | completion | doctor | version) true ;; *) false ;; esac; }

of() { jq -r --arg path "$1" '.commands[] | select(.path == $path) | '"$2" "$TEST_DIR/dump"; }

echo "name: value" >"$TEST_DIR/file"
value_of() { # argument's name → a word that fits
        case $1 in
        *"<instance>/<path>"*) echo nosuch/etc/hostname ;;
        "<key>=<value>"*) echo user.key=value ;;
        *"<key>"*) echo user.key ;;
        *"<type>"*) echo nic ;;
        "bash|fish|zsh") echo bash ;;
        "<source>" | "<archive>" | "<target>") echo "$TEST_DIR/file" ;;
        *"<command>"*) echo true ;;
        *"<API path>"*) echo /1.0/instances/nosuch ;;
        "<remote>:<release>") echo debian:nosuch ;;
        *"<operation>"*) echo 11111111-2222-3333-4444-555555555555 ;;
        "<remote>:") echo local: ;;
        *"<filter>") echo filter ;;
        *) echo nosuch ;;
        esac
}

# A command line that is complete, into the array `words`.
compose() { # path [with-optional]
        local filter='.args[] | select((.optional | not) or (.repeated and (.name | test("<instance>")))) | .name' arg
        [ $# = 1 ] || filter='.args[].name'
        read -ra words <<<"$1"
        while IFS= read -r arg; do [ -z "$arg" ] || words+=("$(value_of "$arg")"); done < <(of "$1" "$filter")
}

try() { # words…: status in $status, everything said in $said; never asks anybody, never stays
        status=0
        said=$(EDITOR=true lightc "$@" </dev/null 2>&1) || status=$?
        [ $status != 124 ] || fail "lightc $* does not end"
}

# A person reads it: a sentence, and no number or structure in its place.
readable() { # what words…
        local first=${said%%$'\n'*}
        [[ $first == "Error: "* ]] || fail "$1: lightc ${*:2} says: $said"
        [[ $said != *errno* && $said != *'{"'* ]] || fail "$1: lightc ${*:2} shows what is for programs: $said"
}

step "help, and an example that is one"
for path in "${paths[@]}" "${groups[@]}"; do
        read -ra words <<<"$path"
        try "${words[@]}" --help
        assert_eq "$status" 0 "lightc $path --help"
        assert_contains "$said" "Usage: lightc $path"
        [ "$(wc -l <<<"$said")" -le 50 ] || fail "the help of $path is longer than a screen"
        examples=$(of "$path" .example | sed -n 's/^\(.*[ (]\)\?lightc //p')
        [ "$examples" ] || fail "$path has no example"
        group=$path # of a group: one of its commands
        while [[ $examples != *"$group"* && $group == *" "* ]]; do group=${group% *}; done
        [[ $examples == *"$group"* ]] || fail "the example of $path is of another command: $examples"
done

step "completion"
for path in "${paths[@]}" "${groups[@]}"; do
        read -ra words <<<"$path"
        offered=$(lightc __complete "${words[@]}" 2>&1)
        grep -qxF "${words[-1]}" <<<"$offered" || fail "completion does not know \"$path\": $offered"
        assert_contains "$(lightc __complete "${words[@]}" --he 2>&1)" "--help"
done

step "wrong words"
for path in "${paths[@]}"; do
        read -ra words <<<"$path"
        try "${words[@]}" --no-such-option
        assert_eq "$status" 2 "lightc $path --no-such-option: $said"
        assert_contains "$said" "no-such-option"
        if [ "$(of "$path" '[.args[] | select(.optional | not)] | length')" != 0 ]; then
                try "${words[@]}"
                assert_eq "$status" 2 "lightc $path without words: $said"
                assert_contains "$said" "Missing argument"
                assert_contains "$said" "Usage: lightc $path"
        fi
        if [ "$(of "$path" '[.args[] | select(.repeated)] | length')" = 0 ]; then
                compose "$path" all
                try "${words[@]}" one-more
                assert_eq "$status" 2 "lightc ${words[*]} one-more: $said"
                assert_contains "$said" '"one-more"'
        fi
done
for path in "${groups[@]}"; do
        read -ra words <<<"$path"
        try "${words[@]}" nosuch
        assert_eq "$status" 2 "lightc $path nosuch"
        assert_contains "$said" "\"$path nosuch\""
done

step "no daemon"
for path in "${paths[@]}"; do
        is_local "$path" && continue
        compose "$path"
        try "${words[@]}"
        [[ $said == *"The daemon is not running"* && $said == *"systemctl start lightd"* && $status = 1 ]] ||
                fail "lightc ${words[*]} without a daemon: $status: $said"
done

step "a name nobody has"
start_ready_daemon
for path in "${paths[@]}"; do
        compose "$path"
        [[ ${words[*]} == *nosuch* ]] || continue
        is_local "$path" && continue
        try "${words[@]}"
        assert_eq "$status" 1 "lightc ${words[*]}: $said"
        readable "a name nobody has" "${words[@]}"
        assert_contains "$said" nosuch
done
for path in "${paths[@]}"; do
        compose "$path"
        [[ ${words[*]} == *11111111-* ]] || continue
        try "${words[@]}"
        assert_eq "$status" 1
        assert_contains "$said" '"11111111-2222-3333-4444-555555555555" not found'
done

step "a remote nobody has"
for path in "${paths[@]}"; do
        of "$path" '.args[].name' | grep -qF '<remote>:' || continue
        [ "$path" != "image import" ] && [ "$path" != "image build" ] || continue # there it is one of several words
        compose "$path" all
        if [ "$path" = "image export" ]; then words[-1]=$TEST_DIR/exported; fi
        for ((i = 0; i < ${#words[@]}; i++)); do
                case ${words[i]} in
                filter) words[i]=elsewhere: ;; # a filter may have colons of its own
                nosuch* | local: | 11111111-* | /1.0/*) words[i]=elsewhere:${words[i]#local:} ;;
                esac
        done
        try "${words[@]}"
        [ $status != 0 ] || fail "lightc ${words[*]} succeeded: $said"
        assert_contains "$said" elsewhere
done

step "a slip in a name"
lightc init busybox web1
try start wbe1
assert_contains "$said" 'did you mean "web1"?'
lightc delete web1

step "not allowed"
cp "$BIN/lightc" "$TEST_DIR/lightc-of-all"
chmod 0711 "$TEST_DIR" "$LIGHTD_DIR"
for path in "${paths[@]}"; do
        is_local "$path" && continue
        compose "$path"
        said=$(HOME=/ EDITOR=true setpriv --reuid 65534 --regid 65534 --clear-groups env ASAN_OPTIONS=detect_leaks=0 timeout 20 "$TEST_DIR/lightc-of-all" "${words[@]}" </dev/null 2>&1) && status=0 || status=$?
        if [ $status = 0 ] || [[ $said != *"not allowed to use the daemon's socket"* ]]; then
                # A file of root's is named before the daemon is asked.
                [[ $path == "image import" || $path == "file p"* ]] && [[ $said == *"Permission denied"* ]] ||
                        fail "lightc ${words[*]} as nobody: $status: $said"
        fi
done
stop_daemon
