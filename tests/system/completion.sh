#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Completion: driven as bash does it, and by words; silent without a daemon.
. "$(dirname "$0")/../lib/lib.sh"

candidates() { lightc __complete "$@" | sort | tr '\n' ' '; }

step "commands and options, without a daemon"
assert_contains "$(candidates '')" "list "
assert_eq "$(candidates lau)" "launch "
assert_eq "$(candidates config device a)" "add "
assert_contains "$(candidates list --f)" "--format "
assert_eq "$(candidates list --format j)" "json "
assert_eq "$(candidates completion '')" "bash fish zsh "
assert_eq "$(candidates wait --for ip)" "ip ipv4 ipv6 "
assert_eq "$(candidates monitor --type l)" "lifecycle logging "
assert_eq "$(candidates start '' 2>&1)" ""
for shell in bash fish zsh; do
        [ "$(lightc completion "$shell" | wc -c)" -lt 15000 ] || fail "the script for $shell is long"
done
assert_status 2 lightc completion csh
assert_contains "$output" "bash, fish and zsh"

step "names from the daemon"
start_ready_daemon
lightc init busybox web1
lightc init busybox web2
lightc init busybox db
assert_eq "$(candidates start '')" "db web1 web2 "
assert_eq "$(candidates start web1 w)" "web1 web2 "
assert_eq "$(candidates delete --force d)" "db "
assert_eq "$(candidates exec d)" "db "
assert_eq "$(candidates launch bu)" "busybox "
assert_eq "$(candidates launch debian:1)" "debian:11 debian:12 debian:13 "
assert_eq "$(candidates profile show d)" "default "
assert_eq "$(candidates launch busybox x --profile d)" "default "
assert_eq "$(candidates config device show we)" "web1 web2 "
assert_eq "$(candidates config device get web1 '')" "eth0 root "

step "as bash asks for it"
typed() { # line → what bash would offer
        PATH=$BIN:$PATH bash --norc -c 'source <(lightc completion bash); COMP_LINE=$1 COMP_POINT=${#1}; _lightc; printf "%s\n" "${COMPREPLY[@]}"' - "$1" |
                sort | tr '\n' ' '
}
assert_eq "$(typed 'lightc st')" "start stop storage "
assert_eq "$(typed 'lightc stop we')" "web1 web2 "
assert_eq "$(typed 'lightc launch debian:1')" "11 12 13 "
lightc config set web1 user.owner=me
assert_eq "$(candidates config get web1 user.)" "user.owner "
assert_eq "$(candidates config unset web1 user.o)" "user.owner "
assert_eq "$(candidates config device get web1 eth0 user. 2>&1)" ""
lightc delete web1 web2 db
stop_daemon
