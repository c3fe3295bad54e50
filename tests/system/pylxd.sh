#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Debian's unmodified pylxd (LXD's client library for Python) against our daemon, by LXD's older paths.
. "$(dirname "$0")/../lib/lib.sh"
PYTHON=/usr/bin/python3 # the one that Debian's packages are for
"$PYTHON" -c 'import pylxd' 2>/dev/null || skip "needs the package python3-pylxd"

start_ready_daemon
lightc launch busybox warm >/dev/null
lightc delete --force warm
census save "$TEST_DIR/set-up"

cat >"$TEST_DIR/session.py" <<'END'
import os
import warnings

warnings.simplefilter("ignore")
import pylxd

client = pylxd.Client()
HERE = os.environ["TEST_DIR"]
NAT = {"ipv4.address": "none", "ipv6.address": "none"}


def same(got, wanted):
    assert got == wanted, "got %r, wanted %r" % (got, wanted)


def refused(what, kind=pylxd.exceptions.LXDAPIException):
    try:
        what()
    except kind as error:
        return str(error)
    raise AssertionError("not refused")


assert client.trusted
same(client.host_info["environment"]["server"], "lxd")

# images: bytes without a type, and two files
bytes_of_odd = open(os.environ["ODD_IMAGE"], "rb").read()
image = client.images.create(bytes_of_odd, public=True, wait=True)
split = client.images.create(open(os.environ["BUSYBOX_ROOTFS"], "rb"), metadata=open(os.environ["BUSYBOX_META"], "rb"), wait=True)
image.add_alias("odd", "what it is")
same(client.images.get_by_alias("odd").fingerprint, image.fingerprint)
image.properties["colour"] = "red"
image.save(wait=True)
image.sync()
same((image.public, image.properties["colour"]), (True, "red"))
same(image.export().read(), bytes_of_odd)
refused(lambda: client.images.get("0123456789"), pylxd.exceptions.NotFound)

# profiles
profile = client.profiles.create("web", config={"user.a": "b"})
profile.description = "Front"
profile.save(wait=True)
same(client.profiles.get("web").description, "Front")
client.profiles.get("web").rename("www")
same(client.profiles.exists("web"), False)

# containers
config = {"name": "c1", "source": {"type": "image", "alias": "odd"}, "profiles": ["default", "www"], "config": {"user.x": "y"}}
c1 = client.containers.create(config, wait=True)
assert "already exists" in refused(lambda: client.containers.create(config, wait=True))
same([client.containers.exists(n) for n in ("c1", "nobody", "no_body")], [True, False, False])
same([c.name for c in client.containers.all()], ["c1"])
same((c1.status, c1.architecture, c1.profiles, c1.config["user.x"]), ("Stopped", os.uname().machine, ["default", "www"], "y"))
assert "volatile.eth0.hwaddr" in c1.config
c1.start(wait=True)
c1.sync()
same(c1.status, "Running")
assert c1.state().pid > 0

same(tuple(c1.execute(["sh", "-c", "echo out; echo err >&2; exit 3"])), (3, "out\n", "err\n"))
same(c1.execute(["cat"], stdin_payload="hello").stdout, "hello")
same(c1.execute(["sh", "-c", "echo $A"], environment={"A": "b"}).stdout, "b\n")
same(len(c1.execute(["head", "-c", "300000", "/dev/zero"]).stdout), 300000)
same(c1.execute(["no-such-command"]).exit_code, 127)

c1.files.put("/root/f", b"data", mode=0o600, uid=1, gid=2)
same(c1.execute(["stat", "-c", "%a %u %g", "/root/f"]).stdout, "600 1 2\n")
same(c1.files.get("/root/f"), b"data")
c1.files.delete("/root/f")
refused(lambda: c1.files.get("/root/f"), pylxd.exceptions.NotFound)
c1.files.recursive_put(os.path.join(HERE, "tree"), "/root/tree")
same(c1.execute(["cat", "/root/tree/deep/leaf"]).stdout, "leaf\n")

first, second = client.containers.get("c1"), client.containers.get("c1")
first.config["user.z"] = "1"
first.save(wait=True)
second.config["user.z"] = "2"
second.save(wait=True)  # without If-Match: the last one wins
same(client.containers.get("c1").config["user.z"], "2")

c1.freeze(wait=True)
c1.sync()
same(c1.status, "Frozen")
c1.unfreeze(wait=True)
c1.restart(wait=True)
assert "is running" in refused(lambda: c1.delete(wait=True))
c1.stop(wait=True)
assert "is not running" in refused(lambda: c1.stop(wait=True))
c1.rename("c2", wait=True)
client.containers.get("c2").delete(wait=True)
refused(lambda: client.containers.get("c2"), pylxd.exceptions.NotFound)

# networks and pools
network = client.networks.create("pylxd0", description="d", type="bridge", config=NAT)
network.config["user.a"] = "b"
network.save(wait=True)
same((client.networks.get("pylxd0").config["user.a"], network.managed), ("b", True))
network.delete(wait=True)
pool = client.storage_pools.create({"name": "pool2", "driver": "dir"})
same((pool.driver, client.storage_pools.get("pool2").description), ("dir", ""))
pool.delete()

profile = client.profiles.get("www")
profile.delete(wait=True)
for i in (image, split):
    i.delete(wait=True)
same(client.images.exists(image.fingerprint), False)
END

mark() { echo odd >"$1/etc/odd"; }
make_image "$TEST_DIR/odd.tar.xz" mark
mkdir -p "$TEST_DIR/tree/deep"
echo leaf >"$TEST_DIR/tree/deep/leaf"

step "a session with pylxd"
ODD_IMAGE=$TEST_DIR/odd.tar.xz timeout 120 "$PYTHON" "$TEST_DIR/session.py" 2>"$TEST_DIR/session.err" ||
        fail "$(grep -vE '^Failed to receive|ConnectionReset' "$TEST_DIR/session.err" | tail -n 5)"
census diff "$TEST_DIR/set-up"
stop_daemon
