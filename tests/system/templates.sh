#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Metadata and templates of an instance: both clients change them, and what they say is in the files of the next start.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq python3

start_ready_daemon
lightc init busybox warm
lightc delete warm
census save "$TEST_DIR/set-up"

step "what an instance has from its image"
lightc init busybox c1
assert_contains "$(lightc config metadata show c1)" "architecture: x86_64"
assert_contains "$(lightc config metadata show c1)" "templates: {}"
assert_eq "$(lightc config template list c1 --format csv)" ""

step "templates are made, shown, changed and deleted"
lightc config template create c1 empty.tpl </dev/null
echo '{{ container.name }} {{ properties.greeting }} {{ trigger }}' | lightc config template create c1 motd.tpl
assert_eq "$(lightc config template list c1 --format csv)" "empty.tpl
motd.tpl"
assert_json "$(lightc config template list c1 --format json)" 'join(" ")' "empty.tpl motd.tpl"
assert_eq "$(lightc config template show c1 empty.tpl)" ""
assert_fails "already has a template" lightc config template create c1 motd.tpl </dev/null
assert_fails 'no template "none"' lightc config template show c1 none
assert_fails 'no template "none"' lightc config template delete c1 none
assert_fails "no name of a template" lightc config template create c1 ../x </dev/null
assert_fails "not found" lightc config template list nobody
echo 'kept {{ path }}' | lightc config template edit c1 empty.tpl
assert_eq "$(lightc config template show c1 empty.tpl)" "kept {{ path }}"
head -c 300000 /dev/zero | tr '\0' x | assert_fails "256 KiB" lightc config template create c1 large.tpl
assert_eq "$(curl -s --unix-socket "$LIGHTD_SOCKET" -H "Transfer-Encoding: chunked" -T <(head -c 3000000 /dev/zero | tr '\0' x) \
        -X POST "http://x/1.0/instances/c1/metadata/templates?path=large.tpl" | jq -r .error_code)" 413
lightc config template create c1 gone.tpl </dev/null
lightc config template delete c1 gone.tpl

step "they are written when it starts"
cat >"$TEST_DIR/metadata.yaml" <<'END'
architecture: x86_64
creation_date: 5
properties: {release: 12}
templates:
  /etc/motd:
    when: [create, start]
    template: motd.tpl
    properties: {greeting: hello}
  /etc/kept:
    when: [start]
    create_only: true
    template: empty.tpl
END
lightc config metadata edit c1 <"$TEST_DIR/metadata.yaml"
assert_json "$(lightc query /1.0/instances/c1/metadata)" .properties.release 12
lightc start c1
assert_eq "$(lightc exec c1 -- cat /etc/motd)" "c1 hello create"
assert_eq "$(lightc exec c1 -- cat /etc/kept)" "kept /etc/kept"
lightc exec c1 -- sh -c 'echo mine >/etc/motd; echo mine >/etc/kept'
lightc restart --force c1
assert_eq "$(lightc exec c1 -- cat /etc/motd)" "c1 hello start"
assert_eq "$(lightc exec c1 -- cat /etc/kept)" mine
lightc exec c1 -- sh -c 'rm /etc/kept; ln -s nowhere /etc/kept'
lightc restart --force c1
assert_eq "$(lightc exec c1 -- readlink /etc/kept)" nowhere

step "a template that is named and missing stops the start, and says which"
lightc stop --force c1
lightc config template delete c1 motd.tpl
assert_fails 'names the template "motd.tpl" for "/etc/motd"' lightc start c1
echo again | lightc config template create c1 motd.tpl
lightc start c1
assert_eq "$(lightc exec c1 -- cat /etc/motd)" again
lightc stop --force c1

step "a copy has them, another daemon has them"
lightc copy c1 c2
assert_eq "$(lightc config template show c2 motd.tpl)" again
stop_daemon
start_daemon
assert_eq "$(lightc config template show c1 motd.tpl)" again
assert_json "$(lightc query /1.0/instances/c1/metadata)" .creation_date 5

step "events"
timeout 200 "$BIN/lightc" monitor --format json --type lifecycle >"$TEST_DIR/events" &
monitor=$!
has_event() { jq -r '.metadata.action + " " + .metadata.source + " " + (.metadata.context.path // "")' "$TEST_DIR/events" 2>/dev/null | grep -qxF "$1"; }
write_one() { echo x | lightc config template edit c1 event.tpl; has_event "instance-metadata-template-created /1.0/instances/c1/metadata/templates event.tpl"; }
wait_for write_one
lightc config template show c1 event.tpl >/dev/null
lightc config template delete c1 event.tpl
lightc config metadata edit c1 <"$TEST_DIR/metadata.yaml"
wait_for has_event "instance-metadata-template-retrieved /1.0/instances/c1/metadata/templates event.tpl"
wait_for has_event "instance-metadata-template-deleted /1.0/instances/c1/metadata/templates event.tpl"
wait_for has_event "instance-metadata-updated /1.0/instances/c1/metadata "
kill "$monitor"
wait "$monitor" 2>/dev/null || true

step "lxc does the same"
if [[ $(command lxc --version 2>/dev/null) == 5.0.* ]]; then
        assert_contains "$(lxc config metadata show c1)" "template: motd.tpl"
        lxc config metadata show c1 | sed 's/hello/hi/' | lxc config metadata edit c1
        assert_contains "$(lightc config metadata show c1)" "greeting: hi"
        echo '{{ properties.greeting }} {{ instance.name }}' | lxc config template edit c1 motd.tpl
        lxc config template create c1 by-lxc.tpl </dev/null
        assert_eq "$(lxc config template list c1 --format csv)" "by-lxc.tpl
empty.tpl
motd.tpl"
        assert_eq "$(lxc config template show c1 motd.tpl)" "{{ properties.greeting }} {{ instance.name }}"
        lxc config template delete c1 by-lxc.tpl
        assert_fails "" lxc config template show c1 by-lxc.tpl
        lxc start c1
        assert_eq "$(lxc exec c1 -- cat /etc/motd </dev/null)" "hi c1"
        lxc stop --force c1
fi

step "nothing is left"
lightc delete c1 c2
census diff "$TEST_DIR/set-up"
