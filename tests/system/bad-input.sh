#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What no client of ours sends: names, JSON, HTTP and clients that misbehave. Every answer is a 4xx that says what is
# wrong, the daemon lives, and nothing is left.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq curl

start_ready_daemon
lightc launch busybox c1 >/dev/null
wait_for guest_is_up c1
census save "$TEST_DIR/before"
code() { # METHOD PATH [curl option…]
        local method=$1 path=$2
        shift 2
        timeout 60 curl -s -o "$TEST_DIR/answer" -w '%{http_code}' --path-as-is --unix-socket "$LIGHTD_SOCKET" -X "$method" "http://unix$path" "$@"
}
bad=0
wrong() {
        echo "FAILED: ${1:0:300}: $2: $(head -c 300 "$TEST_DIR/answer")"
        bad=$((bad + 1))
}
# refused STATUS METHOD PATH [curl option…]: that status, in LXD's envelope, with a sentence
refused() {
        local wanted=$1 got
        shift
        got=$(code "$@")
        if ! [[ $got =~ ^($wanted)$ ]]; then
                wrong "$*" "$got instead of $wanted"
        elif [ "$(jq -r '.type + " " + (.error_code | tostring)' "$TEST_DIR/answer" 2>&1)" != "error $got" ]; then
                wrong "$*" "not an error's envelope"
        elif [ "$(jq -r '.error | length > 5' "$TEST_DIR/answer")" != true ]; then
                wrong "$*" "no sentence"
        fi
}

step "names"
long=$(printf 'a%.0s' {1..300})
for name in '' a/b .. . '../../etc' 'a\nb' 'a\u0000b' 'a b' '-rf' 'ü' '1a' 'a_b' 'a-' "$long"; do
        for what in instances profiles networks storage-pools; do
                case $what in
                instances)
                        [ -n "$name" ] || continue # LXD makes a name up
                        body="{\"name\":\"$name\",\"source\":{\"type\":\"image\",\"alias\":\"busybox\"}}"
                        ;;
                profiles | networks) body="{\"name\":\"$name\"}" ;;
                storage-pools) body="{\"name\":\"$name\",\"driver\":\"dir\"}" ;;
                esac
                # Only instances are host names; the others may have what no path, rule or file name minds.
                [ "$what" = instances ] || [[ $name =~ ^(ü|1a|a_b|a-|a b)$ ]] ||
                        refused 400 POST "/1.0/$what" -d "$body"
                [ "$what" != instances ] || refused 400 POST "/1.0/$what" -d "$body"
        done
done
for path in /1.0/instances/a%2fb /1.0/instances/.. /1.0/instances/%2e%2e /1.0/instances/a%00b /1.0/instances/a%0ab \
        "/1.0/instances/$long" /1.0/profiles/%2e%2e%2f%2e%2e /1.0/images/..%2f..%2fetc%2fpasswd \
        /1.0/instances/c1/logs/..%2f..%2fdatabase /1.0/instances/c1/logs/%2e%2e /1.0/operations/..%2fx \
        /1.0/storage-pools/..%2f..; do
        refused '400|404' GET "$path"
done
refused '400|404' GET "/1.0/instances/c1/files?path=%00"
refused '400|404' GET "/1.0/instances/c1?project=%2e%2e%2fx"
refused 400 POST /1.0/instances/c1 -d '{"name":"../c2"}'
refused 400 PATCH /1.0/instances/c1 -d '{"config":{"user.x":"a\u0000b"}}'
refused 400 PATCH /1.0/instances/c1 -d '{"config":{"environment.A":"a\nb"}}'
refused 400 PATCH /1.0/instances/c1 -d '{"config":{"no.such.key":"1"}}'
refused 400 PATCH /1.0/instances/c1 -d '{"devices":{"x":{"type":"nonsense"}}}'

step "JSON of the wrong type, nested, cut, big"
for body in '[]' '"x"' '3' 'null' '{"name":3,"source":[]}' '{"name":["a"]}' '{"config":"x","name":"x1"}' '{"config":{"a":{}},"name":"x1"}' \
        '{"name":"x1","source":"x"}' '{"name":"x1","devices":{"eth0":3}}' '{"name":"x1"' '{"name":"x1"} trailing' '{' '' \
        "{'name':'x1'}" '{"name":"\ud800"}'; do
        refused 400 POST /1.0/instances -H 'Content-Type: application/json' --data-binary "$body"
done
printf '{"name":"x1","source":{"type":"image","alias":"busybox"},"config":%s%s}' \
        "$(printf '{"a":%.0s' {1..10000})1" "$(printf '}%.0s' {1..10000})" >"$TEST_DIR/deep"
refused 400 POST /1.0/instances -H 'Content-Type: application/json' --data-binary "@$TEST_DIR/deep"
printf '%s' "$(printf '[%.0s' {1..10000})" >"$TEST_DIR/deep"
refused 400 PUT /1.0/profiles/default -H 'Content-Type: application/json' --data-binary "@$TEST_DIR/deep"
head -c 64000000 /dev/zero >"$TEST_DIR/big"
refused '400|413' POST /1.0/profiles -H 'Content-Type: application/json' --data-binary "@$TEST_DIR/big"
refused '400|413' POST /1.0/profiles -H 'Content-Type: application/json' -H 'Transfer-Encoding: chunked' --data-binary "@$TEST_DIR/big"
rm "$TEST_DIR/big"

step "routes and methods"
assert_eq "$(code GET /)" 200 # the list of versions
refused 404 GET /2.0
refused 404 GET /1.0/no-such-thing
refused 404 GET /1.0/instances/nobody
refused 404 DELETE /1.0/instances/c1/nonsense
refused 501 DELETE /1.0
refused '404|501' PATCH /1.0/operations
refused '400|501' BREW /1.0
refused 404 GET '/1.0/instances?project=none'
refused 400 GET '/1.0/instances?filter=((('
refused 400 GET '/1.0/instances?recursion=x'

step "If-Match"
etag=$(timeout 20 curl -s -D - -o /dev/null --unix-socket "$LIGHTD_SOCKET" http://unix/1.0/profiles/default | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
[ -n "$etag" ] || fail "no ETag"
refused 412 PATCH /1.0/profiles/default -H 'If-Match: 0123456789' -d '{"description":"x"}'
assert_eq "$(code PATCH /1.0/profiles/default -H "If-Match: $etag" -d '{"description":"x"}')" 200
refused 412 PATCH /1.0/profiles/default -H "If-Match: $etag" -d '{"description":"y"}'
assert_eq "$(code PATCH /1.0/profiles/default -d '{"description":""}')" 200

step "requests that two readers would read differently, and those that are no requests"
timeout 200 python3 "$LIB/bad-clients" "$LIGHTD_SOCKET"

step "still there, and nothing left"
[ $bad = 0 ] || fail "$bad answers were wrong"
assert_eq "$(lightc exec c1 -- echo alive)" alive
assert_eq "$(lightc list --format csv -c n)" c1
census diff "$TEST_DIR/before"
lightc delete -f c1
stop_daemon
