#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lightunpack against honest archives in every format and against hostile ones. Needs root; makes its own inputs.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
program=${BIN:?}/lightunpack
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
for tool in tar xz zstd bzip2 mksquashfs unsquashfs setfattr getfattr mke2fs; do
        command -v $tool >/dev/null || { echo "needs $tool"; exit 77; }
done

work=$(mktemp -d)
group=lightd-test-unpack-$$
ids='"ids":{"base":3000000,"size":65536}'
failures=0
cleanup() {
        mountpoint -q "$work/small" && umount "$work/small"
        rmdir "$(memory_root)/$group" 2>/dev/null || true
        rm -rf "$work"
}
memory_root() { awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit } $3 == "cgroup2" { v2 = $2 } END { print v2 }' /proc/mounts | head -1; }
trap cleanup EXIT
job() { "$here/lib/run-job" "$program" "$@" >"$work/answer" 2>"$work/stderr"; }
fail() { echo "FAIL: $*"; sed 's/^/    /' "$work/answer" | tail -3; failures=$((failures + 1)); }
is_empty() { [ -z "$(ls -A "$1")" ]; }
fresh() { rm -rf "$work/pool"; mkdir "$work/pool" "$work/pool/target"; echo untouched >"$work/pool/marker"; }
unpack() { # ARCHIVE FORMAT STRIP [MORE]
        job layer-unpack "{\"archive\":\"$1\",\"format\":\"$2\",\"strip\":\"$3\",\"target\":\"$work/pool/target\",$ids${4:-}}"
}
answer() { grep -o "\"$1\":[^,}]*" "$work/answer" | tail -1 | cut -d: -f2-; }

# What a tree is, in words: kind, mode, owner, size, link target, hard links, attributes.
describe() {
        (cd "$1" && find . -printf '%P %y %m %U:%G %l' -type f -printf ' %s' -printf ' %n\n' | sed -E '/ d /s/ [0-9]+$//' | LC_ALL=C sort
         find . -exec getfattr -hd -m '^(security.capability|user|system.posix_acl)' -e hex {} + 2>/dev/null | LC_ALL=C sort)
}

make_tree() {
        mkdir -p "$1/bin" "$1/home/u" "$1/var/empty dir" "$1/dev"
        cd "$1"
        echo 'int main' >bin/plain && cp bin/plain bin/suid && chmod 4755 bin/suid
        cp bin/plain bin/ping && chown 0:0 bin/ping
        setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 bin/ping
        ln bin/plain bin/linked && ln -s ../bin/plain home/link && ln -s /etc/absolute home/absolute
        truncate -s 10M home/u/sparse && printf end | dd of=home/u/sparse bs=1 seek=5000000 conv=notrunc status=none
        setfattr -n user.note -v hello home/u/sparse
        setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff02000600409c000004000400ffffffff10000600ffffffff20000000ffffffff bin/plain
        mkfifo var/fifo && chmod 1777 "var/empty dir" && printf 'ü' >"home/u/ümlaut"
        chown -R 1000:1001 home/u && chown -h 65534:65535 home/link && chmod 2750 home/u
        touch -d '2001-02-03 04:05:06' bin/plain home/u
        mknod dev/mem c 1 1 && mknod dev/sda b 8 0
        cd - >/dev/null
}

test_formats() {
        make_tree "$work/image/rootfs"
        printf 'architecture: x86_64\ncreation_date: 1700000000\nproperties: {release: 22.10}\n' >"$work/image/metadata.yaml"
        rm -rf "$work/wanted" && cp -a "$work/image/rootfs" "$work/wanted" && rm "$work/wanted/dev/mem" "$work/wanted/dev/sda"
        describe "$work/wanted" >"$work/wanted.txt"
        tar -C "$work/image" --numeric-owner --xattrs --acls --xattrs-include='*' -S -cf "$work/unified.tar" metadata.yaml rootfs
        tar -C "$work/image/rootfs" --numeric-owner --xattrs --acls --xattrs-include='*' -S -cf "$work/split.tar" .
        xz -k --block-size=4KiB "$work/unified.tar" && gzip -k "$work/unified.tar" && zstd -q "$work/unified.tar" && bzip2 -k "$work/unified.tar"
        for file in unified.tar unified.tar.xz unified.tar.gz unified.tar.zst unified.tar.bz2; do
                fresh
                unpack "$work/$file" tar rootfs/ ",\"cgroup\":\"$group\"" || { fail "$file"; continue; }
                check_tree "$file"
        done
        fresh
        unpack "$work/split.tar" tar "" && check_tree split.tar || fail split.tar
        for packing in gzip xz zstd; do
                rm -f "$work/root.squashfs"
                mksquashfs "$work/image/rootfs" "$work/root.squashfs" -comp $packing -quiet -no-progress >/dev/null 2>&1
                fresh
                unpack "$work/root.squashfs" squashfs "" ",\"cgroup\":\"$group\"" || { fail "squashfs $packing"; continue; }
                check_tree "squashfs $packing"
        done
}
check_tree() {
        describe "$work/pool/target" >"$work/got.txt"
        if ! diff <(normal "$1" "$work/wanted.txt") <(normal "$1" "$work/got.txt") >"$work/diff"; then
                fail "$1 differs"; head -20 "$work/diff"
        fi
        [ "$(answer skipped_nodes)" = 2 ] || fail "$1: skipped_nodes"
        [ "$(stat -c %Y "$work/pool/target/home/u")" = "$(date -d '2001-02-03 04:05:06' +%s)" ] || fail "$1: a directory's time"
        [ "$(stat -c %b "$work/pool/target/home/u/sparse")" -lt 4096 ] || fail "$1: holes are filled"
}
# squashfs has no access lists.
normal() { case $1 in squashfs*) grep -v -e posix_acl -e '^$' -e '^# file: bin/\(plain\|linked\)$' "$2" ;; *) cat "$2" ;; esac; }

test_hostile() {
        mkdir -p "$work/hostile"
        "$here/lib/hostile-archives" "$work/hostile" >"$work/rows"
        while IFS=$'\t' read -r kind file says; do
                fresh
                case $kind in
                unpack) unpack "$file" tar "" && fail "$file was accepted" ;;
                rootfs) unpack "$file" tar rootfs/ && fail "$file was accepted" ;;
                inspect) job image-inspect "{\"meta\":\"$file\",\"rootfs\":\"\"}" && fail "$file was accepted" ;;
                esac
                grep -qF -- "$says" "$work/answer" || fail "$file: no word of '$says'"
                is_empty "$work/pool/target" || fail "$file left something behind"
                [ "$(cat "$work/pool/marker")" = untouched ] || fail "$file reached outside"
        done <"$work/rows"
}

test_limits() {
        fresh
        mkdir "$work/zeroes" && head -c 20000000 /dev/zero >"$work/zeroes/zeroes"
        tar -C "$work/zeroes" -czf "$work/zeroes.tar.gz" zeroes
        unpack "$work/zeroes.tar.gz" tar "" ',"max_bytes":1000000' && fail "a bomb was accepted"
        grep -q '"too-large".*more than the 1000000 bytes' "$work/answer" && is_empty "$work/pool/target" || fail "a bomb"
        mksquashfs "$work/zeroes" "$work/zeroes.squashfs" -quiet -no-progress >/dev/null 2>&1
        unpack "$work/zeroes.squashfs" squashfs "" ',"max_bytes":1000000' && fail "a squashfs bomb was accepted"
        grep -q '"too-large".*more than the 1000000 bytes' "$work/answer" || fail "a squashfs bomb"
        truncate -s 1T "$work/zeroes/zeroes" && tar -C "$work/zeroes" -S -czf "$work/hole.tar.gz" zeroes
        unpack "$work/hole.tar.gz" tar "" && fail "a file of 1 TiB was accepted"
        grep -q '"too-large"' "$work/answer" && is_empty "$work/pool/target" || fail "a hole of 1 TiB"
        rm -rf "$work/zeroes"
        for file in unified.tar.xz unified.tar.gz unified.tar.zst unified.tar; do
                head -c $(($(stat -c %s "$work/$file") * 2 / 3)) "$work/$file" >"$work/cut"
                unpack "$work/cut" tar rootfs/ && fail "$file cut short was accepted"
                grep -q bad-request "$work/answer" && is_empty "$work/pool/target" || fail "$file cut short"
        done
        head -c 300 "$work/root.squashfs" >"$work/cut"
        unpack "$work/cut" squashfs "" && fail "a cut squashfs was accepted"
        grep -q 'cut short' "$work/answer" || fail "a cut squashfs"
        (head -c 200 "$work/root.squashfs"; head -c $(($(stat -c %s "$work/root.squashfs") - 200)) /dev/urandom) >"$work/cut"
        unpack "$work/cut" squashfs "" && fail "a scrambled squashfs was accepted"
        grep -q bad-request "$work/answer" && is_empty "$work/pool/target" || fail "a scrambled squashfs"
}

test_full_disk() {
        # Not a tmpfs: kernels before 6.3 cannot map its ids.
        truncate -s 3M "$work/small.disk" && mke2fs -q -t ext4 -m 0 -O ^has_journal "$work/small.disk"
        mkdir "$work/small" "$work/big" && mount -o loop "$work/small.disk" "$work/small" && mkdir "$work/small/target"
        head -c 8000000 /dev/urandom >"$work/big/random"
        tar -C "$work/big" -cf "$work/big.tar" random
        rm -f "$work/big.squashfs" && mksquashfs "$work/big" "$work/big.squashfs" -quiet -no-progress >/dev/null 2>&1
        for archive in big.tar big.squashfs; do
                job layer-unpack "{\"archive\":\"$work/$archive\",\"format\":\"${archive#big.}\",\"target\":\"$work/small/target\",$ids}" &&
                        fail "$archive fits a full disk"
                grep -q '"no-space"' "$work/answer" || fail "$archive on a full disk"
                is_empty "$work/small/target" || fail "$archive left something on the full disk"
        done
        umount "$work/small"
}

start_slow() { # leaves its pid in $pid once the first bytes are on disk
        fresh
        echo "{\"archive\":\"$work/slow.tar\",\"format\":\"tar\",\"target\":\"$work/pool/target\",$ids,\"cgroup\":\"$group\"}" >"$work/args"
        "$program" layer-unpack 3<"$work/args" 4>"$work/answer" &
        pid=$!
        until [ -s "$work/pool/target/f1" ] || ! kill -0 $pid 2>/dev/null; do :; done
}
check_sandbox() { # PID of the reader
        local status ns
        status=$(tr '\t' ' ' <"/proc/$1/status")
        for line in 'Uid: 3000000 3000000 3000000 3000000' 'Gid: 3000000 3000000 3000000 3000000' 'Groups: ' 'NoNewPrivs: 1' \
                'Seccomp: 2' 'CapInh: 0000000000000000' 'CapPrm: 000000008000001b' 'CapEff: 000000008000001b' \
                'CapBnd: 000000008000001b' 'CapAmb: 0000000000000000'; do
                grep -qF "$line" <<<"$status" || fail "the reader lacks $line"
        done
        for ns in user mnt pid net ipc uts; do
                [ "$(readlink "/proc/$1/ns/$ns")" != "$(readlink /proc/self/ns/$ns)" ] || fail "the reader shares the $ns namespace"
        done
        [ "$(wc -l <"/proc/$1/mountinfo")" = 1 ] || fail "the reader sees more than its one mount"
        grep -q 'nosuid,nodev,noexec.*idmapped' "/proc/$1/mountinfo" || fail "the reader's mount: $(cat "/proc/$1/mountinfo")"
        [ "$(find "/proc/$1/fd" -type l | wc -l)" -le 8 ] || fail "the reader has many descriptors"
        grep -qF "/$group" "/proc/$1/cgroup" || fail "the reader is not in its cgroup"
        [ "$(cat "$(memory_root)/$group"/memory.{max,limit_in_bytes} 2>/dev/null)" = $((512 << 20)) ] || fail "its memory is not bounded"
}
test_interruption() {
        mkdir "$work/slow" && truncate -s 300M "$work/slow/f1" && truncate -s 300M "$work/slow/f2"
        tar -C "$work/slow" -cf "$work/slow.tar" f1 f2
        start_slow
        kill -STOP $pid
        check_sandbox "$(pgrep -P $pid)"
        kill -CONT $pid
        kill -TERM $pid
        wait $pid || fail "SIGTERM: status $?"
        grep -q '"cancelled"' "$work/answer" || fail "SIGTERM"
        is_empty "$work/pool/target" || fail "SIGTERM left something behind"
        [ ! -e "$(memory_root)/$group" ] || fail "SIGTERM left the cgroup"
        start_slow
        kill -KILL $pid
        wait $pid 2>/dev/null || true
        # Its child goes with it; the tree under its temporary name and the group are start-up's to remove.
        local n=0
        while [ -s "$(memory_root)/$group/cgroup.procs" ] && [ $((n += 1)) -lt 10000 ]; do :; done
        [ ! -s "$(memory_root)/$group/cgroup.procs" ] || fail "a child outlived its killed worker"
        rmdir "$(memory_root)/$group"
        rm -rf "$work/slow" "$work/slow.tar"
}

receive() { # BODY MORE
        rm -rf "$work/spool" && mkdir "$work/spool"
        "$here/lib/run-job" --in "$1" "$program" image-receive "{\"spool\":\"$work/spool\"$2}" >"$work/answer" 2>&1
}
part() { printf -- '--BB\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n' "$1" "$2"; cat "$3"; printf '\r\n'; }
test_receive() {
        local type=',"content_type":"multipart/form-data; boundary=BB"'
        receive "$work/unified.tar.xz" ",\"length\":$(stat -c %s "$work/unified.tar.xz")" || fail receive
        [ "$(answer fingerprint)" = "\"$(sha256sum <"$work/unified.tar.xz" | cut -d' ' -f1)\"" ] || fail "its fingerprint"
        cmp -s "$work/unified.tar.xz" "$work/spool/meta" && [ "$(ls "$work/spool")" = meta ] || fail "its files"
        { part metadata m.tar.xz "$work/unified.tar.xz"; part rootfs r.squashfs "$work/root.squashfs"; printf -- '--BB--\r\n'; } >"$work/body"
        receive "$work/body" "$type" || fail "receive multipart"
        [ "$(answer fingerprint)" = "\"$(cat "$work/unified.tar.xz" "$work/root.squashfs" | sha256sum | cut -d' ' -f1)\"" ] || fail "multipart fingerprint"
        cmp -s "$work/root.squashfs" "$work/spool/rootfs" && grep -q '"filename":"r.squashfs"' "$work/answer" || fail "multipart files"
        job image-inspect "{\"meta\":\"$work/spool/meta\",\"rootfs\":\"$work/spool/rootfs\"}" || fail "inspect a split image"
        grep -q '"layout":"split","rootfs_format":"squashfs".*"release":"22.10"' "$work/answer" || fail "its description"
        while IFS='|' read -r body more says; do
                receive "$work/$body" "$more" && fail "receive accepted: $says"
                grep -q "$says" "$work/answer" && is_empty "$work/spool" || fail "receive: $says"
        done <<ROWS
unified.tar.xz|,"length":5000000|ended after
unified.tar.xz|,"max_bytes":100|too-large
unified.tar.xz|$type|before its closing delimiter
vm|$type|virtual machine
order|$type|not one .*metadata
odd|$type|unexpected part
none|$type|has no part
ROWS
        ! receive /dev/null '' || fail "an empty upload was accepted"
}

test_import() {
        import() { "$here/lib/run-job" "$BIN/lightrun" layer-import "{\"file\":\"$1\",\"target\":\"$2\"}" >"$work/answer" 2>&1; }
        fresh
        import "$work/root.squashfs" "$work/pool/l.squashfs" || fail layer-import
        [ "$work/root.squashfs" -ef "$work/pool/l.squashfs" ] || fail "layer-import did not link"
        mount -t tmpfs none "$work/small"
        import "$work/root.squashfs" "$work/small/l.squashfs" || fail "layer-import elsewhere"
        cmp -s "$work/root.squashfs" "$work/small/l.squashfs" && [ "$(ls -A "$work/small")" = l.squashfs ] || fail "its copy"
        umount "$work/small"
        ln -s /etc/passwd "$work/link"
        ! import "$work/link" "$work/pool/link.squashfs" || fail "layer-import followed a link"
}

# systemd shares the host's mounts, and a copy of a shared one stays shared until told otherwise.
test_shared_mounts() {
        for file in unified.tar:tar:rootfs/ root.squashfs:squashfs:; do
                IFS=: read -r file format strip <<<"$file"
                fresh
                unshare --mount --propagation shared "$here/lib/run-job" "$program" layer-unpack "{\"archive\":\"$work/$file\",\"format\":\"$format\",\"strip\":\"$strip\",\"target\":\"$work/pool/target\",$ids}" >"$work/answer" || fail "$file on a shared mount"
        done
}

test_build_arguments() {
        mkdir -p "$work/spool2"
        ! job image-build "{\"release\":\"14\",\"spool\":\"$work/spool2\",$ids}" || fail "an unknown release"
        for name in -oAPT::x a,b 'a b' ../x; do
                ! job image-build "{\"release\":\"12\",\"packages\":[\"$name\"],\"spool\":\"$work/spool2\",$ids}" || fail "package $name"
                grep -q 'not the name of a Debian package' "$work/answer" || fail "package $name"
        done
        if [ -x /usr/bin/mmdebstrap ]; then
                ! unshare -n "$here/lib/run-job" "$program" image-build "{\"release\":\"12\",\"spool\":\"$work/spool2\",$ids}" >"$work/answer" || fail "a build without network"
                grep -q '"unavailable".*mirror cannot be reached\|"unsupported".*no Debian package sources' "$work/answer" || fail "a build without network"
                is_empty "$work/spool2" || fail "a failed build left something behind"
        fi
        ! job layer-unpack "{\"archive\":\"$work/unified.tar\",\"format\":\"tar\",\"target\":\"$work/spool2\",\"ids\":{\"base\":0,\"size\":65536}}" || fail "host id 0 was mapped"
}

mounts() { awk -v dir="$work" 'index($0, dir)' /proc/mounts | wc -l; } # the others' come and go
mounts_before=$(mounts)
test_formats
test_shared_mounts
test_hostile
test_limits
test_full_disk
test_interruption
echo x >"$work/x"
{ part metadata m "$work/x"; part rootfs.img r "$work/x"; printf -- '--BB--\r\n'; } >"$work/vm"
{ part rootfs r "$work/x"; part metadata m "$work/x"; printf -- '--BB--\r\n'; } >"$work/order"
{ part other r "$work/x"; printf -- '--BB--\r\n'; } >"$work/odd"
printf -- '--BB--\r\n' >"$work/none"
test_receive
test_import
test_build_arguments
[ "$(mounts)" = "$mounts_before" ] || fail "mounts are left over"
[ ! -e "$(memory_root)/$group" ] || fail "a cgroup is left over"
[ $failures = 0 ] && echo "all good" || { echo "$failures failures"; exit 1; }
