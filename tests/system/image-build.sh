#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `lightc image build`: a Debian image with packages of one's choice from this host's mirrors; what is not there is said
# with its name; a build that is given up leaves nothing.
# shellcheck disable=SC2034
TEST_NETWORK=host COMMAND_LIMIT=400 WAIT_LIMIT=120
. "$(dirname "$0")/../lib/lib.sh"
need_program mmdebstrap unsquashfs jq

spool_is_empty() { [ -z "$(ls -A "$LIGHTD_DIR/images/spool")" ]; }
no_images() { [ "$(api GET /1.0/images | jq -c .metadata)" = '[]' ] && spool_is_empty; }
build_runs() { ls "$LIGHTD_DIR"/images/spool/*/root/etc; }

start_daemon

step "what makes no sense is said at once"
assert_fails 'no release "99"' lightc image build debian:99
assert_fails 'not the name of a package' lightc image build debian:12 --package '../x'
assert_fails 'is not what an image is built from' lightc image build mine
assert_fails 'not known' lightc image build nowhere:12

step "a package that is not there"
assert_fails 'there is no package "no-such-thing" in it' lightc image build debian:12 --package hello --package no-such-thing --alias x
assert_contains "$output" apt-cache
wait_for no_images

step "Ctrl-C leaves nothing"
"$BIN/lightc" image build debian:12 --package hello --alias x >"$TEST_DIR/out" 2>&1 &
build=$!
wait_for build_runs
kill -INT $build
status=0
wait $build || status=$?
[ "$status" != 0 ] || fail "a cancelled build succeeded"
wait_for no_images
assert_eq "$(pgrep -c mmdebstrap || true)" 0 "what is left of mmdebstrap"

step "built, named, with its package"
lightc image build debian:12 --package hello --alias hi >"$TEST_DIR/out"
assert_contains "$(cat "$TEST_DIR/out")" "Image built with fingerprint: "
F=$(sed -n 's/.*fingerprint: //p' "$TEST_DIR/out")
assert_json "$(api GET "/1.0/images/$F")" '.metadata.aliases[0].name + .metadata.update_source.packages[0]' hihello
assert_json "$(api GET "/1.0/images/$F")" .metadata.cached false
assert_contains "$(unsquashfs -l "$LIGHTD_DIR/images/$F.rootfs" usr/bin/hello)" usr/bin/hello
assert_fails 'alias "hi" already exists' lightc image build debian:12 --package hello --alias hi

step "the same again is there already"
lightc image build debian:12 --package hello --alias again >/dev/null
assert_json "$(api GET /1.0/images)" '.metadata|length' 1
stop_daemon
