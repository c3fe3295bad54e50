#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Images in and out: every form, by both clients, byte for byte; aliases; uploads that are wrong, broken off, too large
# for the disk; a daemon killed in the middle; leftovers of an earlier life.
. "$(dirname "$0")/../lib/lib.sh"
need_program xz gzip zstd bzip2 mksquashfs curl jq lxc mke2fs

busybox_image
W=$TEST_DIR/w
mkdir "$W"
xz -dc "$BUSYBOX_IMAGE" >"$W/plain.tar"
gzip -kc "$W/plain.tar" >"$W/image.tar.gz"
zstd -qc "$W/plain.tar" >"$W/image.tar.zst"
xz --format=lzma -c "$W/plain.tar" >"$W/image.tar.lzma"
bzip2 -kc "$W/plain.tar" >"$W/image.tar.bz2"
mkdir "$W/root"
tar -C "$W/root" --strip-components=1 -xf "$W/plain.tar" rootfs
tar -C "$W/root" -cJf "$W/rootfs.tar.xz" .

fingerprint_of() { cat "$@" | sha256sum | cut -d' ' -f1; }
stored() { find "$LIGHTD_DIR/images" -mindepth 1 -printf '%P\n' | LC_ALL=C sort | tr '\n' ' '; }
spool_is_empty() { [ -z "$(ls -A "$LIGHTD_DIR/images/spool")" ]; }
spool_is_used() { ls "$LIGHTD_DIR"/images/spool/*/meta; }
no_images() { [ "$(api GET /1.0/images | jq -c .metadata)" = '[]' ] && [ "$(stored)" = 'spool ' ]; }

unified() { # FILE CLIENT
        step "unified $(basename "$1") by $2"
        local fp
        fp=$(fingerprint_of "$1")
        "$2" image import "$1" --alias one "x.y=a b&c" >"$W/out"
        assert_contains "$(cat "$W/out")" "$fp"
        assert_eq "$(stored)" "$fp spool "
        assert_json "$(api GET "/1.0/images/$fp")" .metadata.aliases[0].name one
        assert_json "$(api GET "/1.0/images/$fp")" '.metadata.properties["x.y"]' 'a b&c'
        assert_json "$(api GET "/1.0/images/$fp")" .metadata.size "$(stat -c %s "$1")"
        "$2" image export one "$W/export" >/dev/null
        cmp "$1" "$(ls "$W"/export*)"
        rm "$W"/export*
        assert_fails "already exists" "$2" image import "$1"
        "$2" image delete "${fp:0:12}"
        wait_for no_images
}

split() { # META ROOTFS CLIENT
        step "split $(basename "$2") by $3"
        local fp
        fp=$(fingerprint_of "$1" "$2")
        "$3" image import "$1" "$2" --alias two/parts >"$W/out"
        assert_contains "$(cat "$W/out")" "$fp"
        assert_eq "$(stored)" "$fp $fp.rootfs spool "
        mkdir "$W/e"
        "$3" image export two/parts "$W/e/x" >/dev/null
        assert_eq "$(cat "$W"/e/* | wc -c)" "$(cat "$1" "$2" | wc -c)" "size of both files"
        cmp "$1" "$(find "$W/e" -size "-$(($(stat -c %s "$1") / 512 + 2))b" -type f | head -1)"
        cmp "$2" "$(find "$W/e" -size "+$(($(stat -c %s "$2") / 512 - 1))b" -type f | head -1)"
        rm -r "$W/e"
        "$3" image delete two/parts
        wait_for no_images
}

start_daemon
for client in lightc lxc; do
        for file in "$BUSYBOX_IMAGE" "$W/plain.tar" "$W/image.tar.gz" "$W/image.tar.zst" "$W/image.tar.bz2" "$W/image.tar.lzma"; do
                unified "$file" $client
        done
        split "$BUSYBOX_META" "$BUSYBOX_ROOTFS" $client
        split "$BUSYBOX_META" "$W/rootfs.tar.xz" $client
done

step "aliases by both clients"
lightc image import "$BUSYBOX_IMAGE" --alias busybox >/dev/null
F=$(fingerprint_of "$BUSYBOX_IMAGE")
for client in lightc lxc; do
        $client image alias create "deep/er name" busybox >/dev/null
        assert_contains "$($client image alias list --format csv)" "deep/er name,${F:0:12}"
        $client image alias rename "deep/er name" other/1
        assert_contains "$($client image info other/1)" "$F"
        $client image alias delete other/1
        assert_fails "already exists" $client image alias create busybox busybox
        for name in ../x a//b x/ ".hidden" $'a\tb'; do
                assert_fails "nvalid alias" $client image alias create "$name" busybox
        done
done
assert_json "$(api GET /1.0/images/aliases)" '.metadata|tojson' '["/1.0/images/aliases/busybox"]'

step "an edit"
lxc image show busybox | sed "s/^public: .*/public: true/; s/os: .*/os: mine/" | lxc image edit busybox
assert_json "$(api GET "/1.0/images/$F")" .metadata.properties.os mine
assert_json "$(api GET "/1.0/images/$F")" .metadata.public true
lightc image show busybox | sed "s/^public: .*/public: false/; s/os: .*/os: ours/" | lightc image edit busybox
assert_contains "$(lxc image show busybox)" "public: false"
assert_eq "$(lxc image get-property busybox os)" ours

step "properties, one at a time, by both clients"
for client in lightc lxc; do
        $client image set-property busybox colour "dark red"
        assert_eq "$($client image get-property busybox colour)" "dark red"
        $client image unset-property busybox colour
        assert_fails "Property not found" $client image get-property busybox colour
        assert_eq "$(lightc image get-property busybox os)" ours "another property"
done
lightc image set-property busybox a=1 "b=2 3"
assert_json "$(api GET "/1.0/images/$F")" '.metadata.properties | .a + .b' "12 3"
assert_fails "Property not found" lightc image unset-property busybox colour
assert_contains "$output" "lightc image show busybox"
assert_contains "$(cat <<<"no: yaml: here" | lightc image edit busybox 2>&1 || true)" "line 1"

# The daemon's own words for an upload: of the answer, or of the operation it became.
upload() { # curl options
        local answer operation
        answer=$(curl -s --max-time 60 --unix-socket "$LIGHTD_SOCKET" "$@" http://unix/1.0/images)
        operation=$(jq -r .operation <<<"$answer")
        [ -z "$operation" ] || answer=$(api GET "$operation/wait")
        jq -r '.error + .metadata.err' <<<"$answer"
}
octets=(-H "Content-Type: application/octet-stream")

step "uploads that are wrong"
head -c 100000 /dev/urandom >"$W/noise"
head -c 100 "$W/image.tar.gz" >"$W/short.tar.gz"
assert_contains "$(upload "${octets[@]}" --data-binary "@$W/noise")" "not a tar archive"
assert_contains "$(upload "${octets[@]}" --data-binary "@$W/short.tar.gz")" "truncated"
assert_contains "$(upload "${octets[@]}" --data-binary "@$W/rootfs.tar.xz")" "metadata.yaml"
assert_contains "$(upload "${octets[@]}" --data-binary "@$W/image.tar.gz" -H "X-LXD-fingerprint: $F")" "expected \"$F\""
assert_contains "$(upload "${octets[@]}" --data-binary "@$W/image.tar.gz" -H "X-LXD-filename: ../x")" "not the name of a file"
assert_contains "$(upload -F "evil=@$W/image.tar.gz")" 'unexpected part "evil"'
assert_contains "$(upload -F "rootfs=@$W/image.tar.gz")" 'metadata'
assert_contains "$(upload -F "rootfs.img=@$W/image.tar.gz")" 'virtual machine'
assert_contains "$(upload "${octets[@]}" --data-binary "")" 'empty'
assert_contains "$(upload -d '{"source":{"type":"url"}}')" 'URL'
wait_for spool_is_empty
assert_eq "$(stored)" "$F spool "

step "archives that are cut short are told at import, whatever their form"
for file in "$BUSYBOX_IMAGE" "$W/plain.tar" "$W/image.tar.gz" "$W/image.tar.zst" "$W/image.tar.bz2" "$W/image.tar.lzma"; do
        head -c $(($(stat -c %s "$file") * 2 / 3)) "$file" >"$W/cut"
        said=$(upload "${octets[@]}" --data-binary "@$W/cut")
        assert_contains "$said" "rchive"
done
head -c $(($(stat -c %s "$W/rootfs.tar.xz") * 2 / 3)) "$W/rootfs.tar.xz" >"$W/cut"
assert_contains "$(upload -F "metadata=@$BUSYBOX_META" -F "rootfs=@$W/cut")" "cut short"
head -c $(($(stat -c %s "$BUSYBOX_ROOTFS") * 2 / 3)) "$BUSYBOX_ROOTFS" >"$W/cut"
assert_contains "$(upload -F "metadata=@$BUSYBOX_META" -F "rootfs=@$W/cut")" "cut short"
wait_for spool_is_empty
assert_eq "$(stored)" "$F spool "

step "an upload whose client is killed"
truncate -s 1G "$W/large"
curl -s --limit-rate 20M --unix-socket "$LIGHTD_SOCKET" "${octets[@]}" -X POST -T "$W/large" http://unix/1.0/images &
client=$!
wait_for spool_is_used
kill -KILL $client
wait $client || true
wait_for spool_is_empty
assert_eq "$(stored)" "$F spool "
assert_lacks "$(pgrep -a lightunpack || true)" image-receive

step "an upload that is cancelled by closing, chunked"
mkfifo "$W/fifo"
curl -s --unix-socket "$LIGHTD_SOCKET" "${octets[@]}" -T "$W/fifo" -X POST http://unix/1.0/images &
client=$!
{ cat "$W/image.tar.gz"; wait_for spool_is_used; kill -KILL $client; } >"$W/fifo"
wait $client || true
wait_for spool_is_empty
assert_eq "$(stored)" "$F spool "

step "the daemon killed in the middle of an upload, and what an earlier life left"
curl -s --limit-rate 20M --unix-socket "$LIGHTD_SOCKET" "${octets[@]}" -X POST -T "$W/large" http://unix/1.0/images &
client=$!
wait_for spool_is_used
kill_daemon
wait $client || true
echo x >"$LIGHTD_DIR/images/$(printf '%064d' 7)"
echo x >"$LIGHTD_DIR/images/$(printf '%064d' 7).rootfs"
echo x >"$LIGHTD_DIR/images/somebodys-file"
start_daemon
assert_eq "$(stored)" "$F somebodys-file spool "
rm "$LIGHTD_DIR/images/somebodys-file"
lightc image export busybox "$W/export" >/dev/null
cmp "$BUSYBOX_IMAGE" "$(ls "$W"/export*)"
rm "$W"/export*

step "killed at every effect of an import"
for point in image-receive image-commit; do
        for when in before after; do
                stop_daemon
                LIGHTD_FAILPOINT=$point:$when:daemon start_daemon
                lightc image import "$W/image.tar.zst" >/dev/null 2>&1 || true
                wait_for _is_gone "$LIGHTD_PID"
                kill_daemon
                start_daemon
                assert_eq "$(stored)" "$F spool " "$point $when"
                assert_json "$(api GET /1.0/images)" '.metadata|length' 1
        done
done
lightc image import "$W/image.tar.zst" >/dev/null
lightc image delete "$(fingerprint_of "$W/image.tar.zst" | head -c 12)"
stop_daemon

step "a full disk"
truncate -s 24M "$W/disk"
mke2fs -q -t ext4 -m 0 -O ^has_journal "$W/disk"
mkdir "$TEST_DIR/full"
mount -o loop "$W/disk" "$TEST_DIR/full"
on_exit "umount -l $TEST_DIR/full"
use_dir full
start_daemon
lightc image import "$BUSYBOX_IMAGE" --alias busybox >/dev/null
head -c 40000000 /dev/urandom >"$W/noise"
cat "$W/image.tar.gz" "$W/noise" >"$W/too-large.tar.gz"
assert_contains "$(upload "${octets[@]}" --data-binary "@$W/too-large.tar.gz")" "No space left"
wait_for spool_is_empty
assert_eq "$(stored)" "$F spool "
lightc image import "$W/image.tar.gz" >/dev/null
assert_json "$(api GET /1.0/images)" '.metadata|length' 2
stop_daemon
