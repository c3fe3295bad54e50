#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names of one's own: made, listed, renamed, removed; arguments at their places; a broken file stops no other command.
. "$(dirname "$0")/../lib/lib.sh"

start_ready_daemon
lightc init busybox c1
lightc init busybox c2
step "with arguments"
lightc alias add up "start @ARGS@"
lightc alias add "my names" "list --format csv -c n"
lightc alias add say "exec @ARG2@ -T -- echo @ARG1@ @ARGS@"
lightc up c1 c2
assert_eq "$(lightc my names | tr '\n' ' ')" "c1 c2 "
assert_eq "$(lightc my names c2)" c2
assert_eq "$(lightc say hello c1 all of you)" "hello all of you"
step "one's own comes first, and leads to no other"
lightc alias add list "version"
assert_contains "$(lightc list)" "lient"
lightc alias add a "b"
lightc alias add b "version"
assert_fails "Unknown command" lightc a
lightc alias remove list
step "list, rename, remove"
assert_contains "$(lightc alias list --format csv)" "up,start @ARGS@"
assert_contains "$(lightc alias list --format csv)" "ps,list"
lightc alias rename up go
assert_fails "already exists" lightc alias rename go say
assert_fails "already exists" lightc alias add go x
assert_fails "no alias" lightc alias remove up
assert_fails "Unknown command" lightc up c1
assert_contains "$(cat "$LIGHTC_CONF/config.yml")" "go:"
step "a file that is broken"
echo "aliases: [" >"$LIGHTC_CONF/config.yml"
assert_contains "$(lightc list 2>&1 >/dev/null)" "Warning: your aliases"
assert_fails "config.yml" lightc alias list
assert_fails "config.yml" lightc alias add x y
lightc delete --force c1 c2
stop_daemon
