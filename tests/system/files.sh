#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files of instances, running and stopped: in, out, trees, attributes, uploads that break off, paths that lead astray.
. "$(dirname "$0")/../lib/lib.sh"
need_program lxc curl jq

start_ready_daemon
lightc launch busybox c1 >/dev/null
cd "$TEST_DIR" || exit
head -c 30000000 /dev/urandom >blob
mkdir -p tree/sub
echo 1 >tree/one
echo 2 >tree/sub/two
ln -s one tree/link

url="/1.0/instances/c1/files?path="
curl_api() { timeout "$COMMAND_LIMIT" curl -s --unix-socket "$LIGHTD_SOCKET" "$@"; }
header() { curl_api -I "http://unix$url$1" | tr -d '\r' | sed -n "s/^$2: //p"; } # PATH NAME

check_transfers() { # CLIENT
        local client=$1
        $client file push -q blob c1/root/blob 2>/dev/null || $client file push blob c1/root/blob
        $client file pull c1/root/blob out
        cmp blob out
        echo text | $client file push - c1/root/a/b/t.txt -p --mode 0600 --uid 3 --gid 4
        assert_eq "$($client file pull c1/root/a/b/t.txt -)" text
        assert_eq "$(header /root/a/b/t.txt X-LXD-mode) $(header /root/a/b/t.txt X-LXD-uid)" "0600 3"
        echo edited | $client file edit c1/root/a/b/t.txt
        assert_eq "$($client file pull c1/root/a/b/t.txt -)" edited
        assert_eq "$(header /root/a/b/t.txt X-LXD-gid)" 4
        $client file push -r tree c1/root/
        rm -rf got
        mkdir got
        $client file pull -r c1/root/tree got
        diff -r tree got/tree
        assert_eq "$(readlink got/tree/link)" one
        $client file delete c1/root/blob
        assert_fails 'File "/root/blob" not found in instance "c1"' "$client" file pull c1/root/blob -
        assert_fails 'not found' "$client" file delete c1/root/blob
        assert_fails 'not empty' "$client" file delete c1/root/tree
        lightc file delete c1/root/tree/one c1/root/tree/link c1/root/tree/sub/two c1/root/tree/sub c1/root/tree
        rm -f out
}

check_wire() {
        step "the wire's form"
        assert_eq "$(header etc/passwd X-LXD-type) $(header etc/passwd Content-Length)" \
                "file $(lightc file pull c1/etc/passwd - | wc -c)"
        assert_eq "$(header /bin X-LXD-type)" directory
        assert_json "$(api GET "${url}/root/a")" '.metadata | join(" ")' b
        assert_eq "$(api GET "${url}/sbin/init")" ../bin/busybox
        assert_eq "$(header /sbin/init X-LXD-type)" symlink
        assert_json "$(api GET "${url}/nope")" .error_code 404
        assert_json "$(api GET /1.0/instances/c1/files)" .error_code 400
        assert_json "$(api GET "${url}/../../etc/shadow")" .error_code 404
        # The instance's links stay inside it.
        echo outside >"$TEST_DIR/secret"
        curl_api -X POST -H 'X-LXD-type: symlink' -H 'Content-Type: application/octet-stream' \
                --data-binary "$TEST_DIR/secret" "http://unix${url}/root/trap" >/dev/null
        curl_api -X POST -H 'Content-Type: application/octet-stream' \
                --data-binary inside "http://unix${url}/root/trap" >/dev/null
        assert_eq "$(cat "$TEST_DIR/secret")" outside
        lightc file delete c1/root/trap
        post() { curl_api -X POST -H 'Content-Type: application/octet-stream' -H "$1" --data-binary x "http://unix${url}$2"; }
        assert_contains "$(post 'X-LXD-type: fifo' /root/x)" 'X-LXD-type: \"fifo\"'
        assert_contains "$(post 'X-LXD-mode: 9x' /root/x)" 'X-LXD-mode'
        assert_json "$(post 'X-LXD-mode: 420' /root/x)" .status Success
        assert_eq "$(header /root/x X-LXD-mode)" 0644
        assert_json "$(post 'X-LXD-write: append' /root/x)" .status Success
        assert_eq "$(api GET "${url}/root/x")" xx
        assert_json "$(post 'X-LXD-uid: 0' /root/no/x)" .error_code 404
        lightc file delete c1/root/x
}

# More is promised than comes; the connection ends when "$TEST_DIR/close" is there.
half_upload() {
        python3 - "$LIGHTD_SOCKET" "$TEST_DIR/close" <<'END'
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"POST /1.0/instances/c1/files?path=/root/half HTTP/1.1\r\nHost: x\r\n"
          b"Content-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 300000)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
END
}
half_is() { [ "$(header /root/half X-LXD-type)" = "$1" ]; }

check_broken_upload() { # "visible": the half file can be looked at meanwhile
        step "an upload that breaks off leaves no file"
        rm -f "$TEST_DIR/close"
        half_upload &
        [ "$1" != visible ] || wait_for half_is file
        touch "$TEST_DIR/close"
        wait $!
        wait_for half_is ""
}

for client in lightc lxc; do
        step "$client: a running instance"
        check_transfers $client
done
check_wire
check_broken_upload visible
assert_contains "$(api GET "${url}/proc/version")" Linux # a file that does not know its size

lightc stop -f c1
for client in lightc lxc; do
        step "$client: a stopped instance"
        check_transfers $client
done
check_wire
check_broken_upload hidden

step "many at a time, a start among them"
pushes=()
for n in 1 2 3 4 5 6; do
        echo "$n" | lightc file push - "c1/root/p$n" &
        pushes+=($!)
done
wait "${pushes[@]}"
lightc file pull c1/root/p1 - >/dev/null && lightc start c1 # the start waits for what is left of the pull
assert_eq "$(lightc exec c1 -- sh -c 'cat /root/p?' | tr -d '\n')" 123456
lightc stop -f c1

step "a deletion during an upload"
lightc file push blob c1/root/blob >/dev/null 2>&1 &
lightc delete c1
wait $! || true
assert_eq "$(lightc list --format csv)" ""
stop_daemon
