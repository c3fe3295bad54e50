#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Systems without systemd: each boots unprivileged, gets its address from the bridge, runs commands, reboots from inside,
# is stopped by being asked, and powers itself off. The short run is OpenRC on sysvinit; ODD=all adds OpenRC's own init, plain
# sysvinit, runit, i386 and the Debian installer's netboot disk, which nobody made for containers.
# shellcheck disable=SC2034
TEST_NETWORK=host COMMAND_LIMIT=200 WAIT_LIMIT=60
. "$(dirname "$0")/../lib/lib.sh"
need_program mmdebstrap dnsmasq nft
BRIDGE=lvt$((RANDOM % 10000)) IMAGES=$TEST_DIR/images
NETWORK=ifupdown,isc-dhcp-client,iproute2,netbase,procps

# ---- images ----

pack() { # NAME DIR ARCHITECTURE: an image out of a tree
        _make_metadata "$IMAGES/metadata.yaml" "$1"
        sed -i "s/^architecture:.*/architecture: $3/" "$IMAGES/metadata.yaml"
        tar -C "$IMAGES" --owner=0 --group=0 --numeric-owner -cf "$IMAGES/$1.tar" metadata.yaml
        tar -C "$2" --numeric-owner --transform='s,^\.,rootfs,S' -rf "$IMAGES/$1.tar" .
        gzip -1 "$IMAGES/$1.tar"
        lightc image import "$IMAGES/$1.tar.gz" --alias "$1" >/dev/null
        rm "$IMAGES/$1.tar.gz"
}
# The host's own sources; of a foreign architecture only the release itself, whose files always fit together.
sources() { # ARCHITECTURE
        if [ "$1" = "$(dpkg --print-architecture)" ]; then
                cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/debian.sources 2>/dev/null || true
        else
                printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s bookworm main\n' "$(mirror)"
        fi
}
mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1; }
build() { # DIR ARCHITECTURE PACKAGES
        mkdir -p "$IMAGES"
        mmdebstrap --quiet --mode=root --variant=apt --architectures="$2" --skip=check/qemu \
                --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
                --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
                --dpkgopt='path-exclude=/usr/share/locale/*' --include="$3" bookworm "$1" - <<<"$(sources "$2")" >"$TEST_DIR/build.log" 2>&1 ||
                fail "mmdebstrap: $(tail -n 5 "$TEST_DIR/build.log")"
        rm -rf "$1"/var/lib/apt/lists/* "$1/etc/hostname" # which is this host's
        printf 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n' >"$1/etc/network/interfaces"
}
build_installer() { # DIR
        mkdir -p "$1"
        (cd "$IMAGES" && apt-get download -qq debian-installer-12-netboot-amd64 >/dev/null 2>&1) || fail "no netboot package"
        dpkg-deb --fsys-tarfile "$IMAGES"/debian-installer-12-netboot-amd64_*.deb |
                tar -xO ./usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/initrd.gz | zcat |
                (cd "$1" && busybox cpio -idm 2>/dev/null)
        # Its own /init mounts /dev and starts udev, which is the host's part here, and then runs this:
        ln -sf /bin/busybox "$1/sbin/init"
        echo '::once:/bin/busybox udhcpc -i eth0' >>"$1/etc/inittab"
}

# ---- what each must do ----

pid_of() { lightc list "^$1\$" --format csv -c p; }
runs_anew() { has_state "$1" RUNNING && [ "$(pid_of "$1")" != "$2" ] && lightc exec "$1" -T -- true; }
# What says that the boot is through: a reboot in the middle of one is another test.
booted='pidof getty || pidof runsvdir || { readlink /proc/1/exe | grep openrc-init && rc-status -r | grep default && ! pidof openrc; } || [ -e /sbin/debian-installer ]'
has_booted() { lightc exec "$1" -T -- sh -c "$booted"; }
expect_up() {
        wait_for has_address "$1" || fail "\"$1\" has no address: $(lightc console "$1" --show-log | tail -n 15)"
        wait_for has_booted "$1" || fail "\"$1\" did not come up: $(lightc console "$1" --show-log | tail -n 15)"
}
live() { # NAME REBOOT-COMMAND POWEROFF-COMMAND
        local before
        step "$1"
        lightc launch "$1" "$1"
        expect_up "$1"
        assert_eq "$(lightc exec "$1" -T -- hostname)" "$1"
        before=$(pid_of "$1")
        # shellcheck disable=SC2086
        lightc exec "$1" -T -- $2 >/dev/null 2>&1 || true
        wait_for runs_anew "$1" "$before" || fail "\"$1\" did not come back after \"$2\""
        expect_up "$1"
        lightc stop "$1" --timeout 30
        has_state "$1" STOPPED || fail "\"$1\" is not stopped"
        lightc start "$1"
        expect_up "$1"
        # shellcheck disable=SC2086
        lightc exec "$1" -T -- $3 >/dev/null 2>&1 || true
        wait_for has_state "$1" STOPPED || fail "\"$1\" did not stop after \"$3\""
        lightc delete "$1"
}

start_daemon
on_exit 'ip link delete "$BRIDGE" 2>/dev/null; for family in inet bridge; do nft delete table $family "lightd_$DID" 2>/dev/null; done'
lightd init --preseed >/dev/null <<END
storage_pools: [{name: default, driver: overlay}]
networks: [{name: $BRIDGE, type: bridge}]
profiles:
- name: default
  devices:
    root: {type: disk, path: /, pool: default}
    eth0: {type: nic, name: eth0, network: $BRIDGE}
END
native=$(dpkg --print-architecture)

build "$IMAGES/openrc" "$native" "sysvinit-core,openrc,$NETWORK"
pack openrc "$IMAGES/openrc" "$(uname -m)"
live openrc reboot poweroff

step "what cannot be stopped says how it was asked"
lightc init openrc deaf
printf '#!/bin/sh\ntrap "" USR1 USR2 TERM PWR INT HUP\nmkfifo /run/f; rm -f /sbin/shutdown /sbin/poweroff /sbin/halt\nwhile :; do read x <>/run/f; done\n' >"$TEST_DIR/deaf"
lightc file delete deaf/sbin/init
lightc file push "$TEST_DIR/deaf" deaf/sbin/init --mode 0755
lightc start deaf
assert_fails '"shutdown -h now": not there, "poweroff": not there' lightc stop deaf --timeout 2
lightc delete --force deaf

if [ "${ODD:-}" = all ]; then
        ln -sf openrc-init "$IMAGES/openrc/sbin/init"
        pack openrc-init "$IMAGES/openrc" "$(uname -m)"
        live openrc-init "openrc-shutdown -r now" "openrc-shutdown -p now"
        rm -rf "$IMAGES/openrc"
        build "$IMAGES/sysvinit" "$native" "sysvinit-core,$NETWORK"
        pack sysvinit "$IMAGES/sysvinit" "$(uname -m)"
        live sysvinit reboot poweroff
        build "$IMAGES/runit" "$native" "runit-init,$NETWORK"
        pack runit "$IMAGES/runit" "$(uname -m)"
        live runit reboot poweroff
        rm -rf "$IMAGES/sysvinit" "$IMAGES/runit"
        if [ "$native" = amd64 ]; then
                build "$IMAGES/i386" i386 "sysvinit-core,$NETWORK"
                pack i386 "$IMAGES/i386" i686
                live i386 reboot poweroff
                lightc launch i386 bits
                assert_eq "$(lightc exec bits -T -- dpkg --print-architecture) $(lightc exec bits -T -- uname -m)" "i386 i686"
                lightc delete --force bits
                build_installer "$IMAGES/installer"
                pack installer "$IMAGES/installer" x86_64
                live installer reboot poweroff
        fi
fi
stop_daemon
