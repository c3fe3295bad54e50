#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lightrun's jobs that enter a guest: exec and the file jobs, against containers started by lightrun itself.
# DEBIAN may name an unpacked Debian 12 with systemd: then that is started, too.
set -u -o pipefail
RUN_JOB=$(dirname "$0")/../lib/run-job
RUN=$BIN/lightrun
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

T=$(mktemp -d /tmp/enter.XXXXXX) TREE=lightd-test-enter-$$ FAILED=0 IS_MAPPED=1
chmod 711 "$T"
V2=/sys/fs/cgroup/unified
[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] && V2=/sys/fs/cgroup
IDMAP='"idmap":{"base":3000000,"size":65536}'

is() { # what, got, wanted
        [ "$2" = "$3" ] && return
        echo "FAILED $1: got '$2', wanted '$3'"
        FAILED=1
}
has() { # what, got, part
        case "$2" in *"$3"*) return ;; esac
        echo "FAILED $1: '$2' does not contain '$3'"
        FAILED=1
}
until_true() { # waits for a condition, 20 s at most
        local end=$((SECONDS + 20))
        until eval "$1"; do
                [ $SECONDS -lt $end ] || { echo "FAILED waiting for: $1"; FAILED=1; return 1; }
                read -rt 0.02 <> <(:)
        done
}

rootfs_json() { # num, lower
        echo "\"rootfs\":{\"type\":\"overlay\",\"lowers\":[\"$2\"],\"volume\":\"$T/vol$1\",\"create\":true}"
}
start() { # num, lower, ids, init → PID, and U: the arguments every job for it needs
        local n=$1 cg=$TREE/$1
        mkdir -p "$V2/$cg/monitor" "$V2/$cg/payload"
        U="\"cgroup\":\"$cg\",$3"
        "$RUN_JOB" --no-wait --cgroup "$V2/$cg/monitor" "$RUN" start "{\"version\":1,\"name\":\"c$n\",\"project\":\"default\",
          \"hostname\":\"c$n\",\"num\":$n,\"run_dir\":\"$T/run$n\",$U,$(rootfs_json "$n" "$2"),\"init\":$4}" > "$T/answer"
        PID=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$T/answer")
        [ -n "$PID" ] || { cat "$T/answer"; exit 1; }
}
stop() { "$RUN_JOB" "$RUN" teardown "{\"cgroup\":\"$TREE/$1\",\"run_dir\":\"$T/run$1\",\"nics\":[],\"num\":$1}" > "$T/answer" || cat "$T/answer"; }
finish() {
        for n in 1 2 3; do [ -d "$T/run$n" ] && stop $n; done
        for d in /sys/fs/cgroup/*/"$TREE" /sys/fs/cgroup/"$TREE"; do [ -d "$d" ] && find "$d" -depth -type d -exec rmdir {} +; done
        rm -rf "$T"
}
trap finish EXIT

job() { # job, arguments, options: prints the answer
        local what=$1 args=$2
        shift 2
        timeout 60 "$RUN_JOB" --pidfd "$PID" "$@" "$RUN" "$what" "{$U,$args}" 2> "$T/stderr"
}
x() { # command, more arguments: runs with output in out and err
        job exec "\"command\":$1${2:+,$2},\"fds\":{\"stdout\":7,\"stderr\":8}" --fd "7=$T/out:w" --fd "8=$T/err:w"
}
sh_x() { # script: its output
        x "[\"sh\",\"-c\",\"$1\"]" "${2:-}" > "$T/answer" || cat "$T/answer"
        cat "$T/out"
}
get() { job file-get "\"path\":\"$1\"" --out "$T/got" | sed 's/,"modified":[0-9]*//'; }
put() { job file-put "\"path\":\"$1\"${2:+,$2}" --in "${3:-$T/hello}"; }
del() { job file-delete "\"path\":\"$1\""; }

echo hello > "$T/hello"
echo "host secret" > "$T/secret"
"$(dirname "$0")/../lib/busybox-rootfs" "$T/busybox" || exit 1

test_exec() {
        is "exit 0" "$(x '["true"]')" '{"result":{"return":0}}'
        is "exit 1" "$(x '["false"]')" '{"result":{"return":1}}'
        is "exit 255" "$(x '["sh","-c","exit 255"]')" '{"result":{"return":255}}'
        is "not found" "$(x '["nonesuch"]')" '{"result":{"return":127,"message":"\"nonesuch\": command not found"}}'
        is "not executable" "$(x '["/etc/passwd"]')" '{"result":{"return":126,"message":"\"/etc/passwd\": Permission denied"}}'
        is "killed" "$(x '["sh","-c","kill -15 $$"]')" '{"result":{"return":143}}'
        printf 'echo script $1\n' > "$T/script"
        put /tmp/script '"mode":493' "$T/script" > /dev/null
        is "script without #!" "$(sh_x '/tmp/script run')" "script run"
        printf '#!/none/sh\n' > "$T/script"
        put /tmp/script '"mode":493' "$T/script" > /dev/null
        has "missing interpreter" "$(x '["/tmp/script"]')" '"return":127,"message":"\"/tmp/script\": its interpreter is missing"'
        is "default directory" "$(sh_x pwd)" /root
        is "directory" "$(sh_x pwd '"cwd":"/usr"')" /usr
        has "missing directory" "$(x '["pwd"]' '"cwd":"/nope"')" 'Entering the directory \"/nope\"'
        is "ids" "$(sh_x 'id -u; id -g; id -G | wc -w' '"user":1000,"group":100' | tr '\n' ' ')" "1000 100 1 "
        has "id outside the map" "$(x '["id"]' '"user":70000')" 'no user \"70000\"'
        is "environment" "$(sh_x 'echo $HOME $USER $LANG $PATH $A' '"environment":{"A":"b c"}')" \
           "/root root C.UTF-8 /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin b c"
        is "no home for others" "$(sh_x 'echo $HOME-$USER' '"user":1000')" "-"
        has "empty command" "$(x '[]')" '"reason":"bad-request"'
}

test_isolation() {
        is "descriptors" "$(sh_x 'ls /proc/self/fd' | tr '\n' ' ')" "0 1 2 3 "
        is "namespaces" "$(sh_x 'for n in /proc/self/ns/*; do readlink $n; done' | sort)" \
           "$(for n in /proc/$PID/ns/*; do readlink $n; done | sort)"
        is "session" "$(sh_x 'cut -d\" \" -f4,5,6,7 /proc/self/stat' | awk '{ print ($2 == $3 && $1 != 0 || $1 == 0) }')" 1
        is "no_new_privs" "$(sh_x 'grep NoNewPrivs /proc/self/status')" "NoNewPrivs:	0"
        is "filter" "$(sh_x 'grep Seccomp: /proc/self/status')" "Seccomp:	2"
        is "capabilities as init's" "$(sh_x 'grep Cap /proc/self/status')" "$(grep Cap /proc/$PID/status)"
        is "no capabilities for others" "$(sh_x 'grep -E \"CapPrm|CapInh|CapAmb\" /proc/self/status' '"user":1' | tr -d '\n\t')" \
           "CapInh:0000000000000000CapPrm:0000000000000000CapAmb:0000000000000000"
        is "signals" "$(x '["grep","-E","SigBlk|SigIgn","/proc/self/status"]' > /dev/null; tr -d '\n\t' < "$T/out")" "SigBlk:0000000000000000SigIgn:0000000000000000"
        is "oom score" "$(sh_x 'cat /proc/self/oom_score_adj')" 0
        is "umask" "$(sh_x umask)" 0022
        is "limits" "$(sh_x 'ulimit -n; ulimit -c' | tr '\n' ' ')" "1024 0 "
        has "keyring" "$(sh_x 'cat /proc/keys 2>/dev/null; echo end')" end
        is "no key of the host" "$(sh_x 'cat /proc/keys' | grep -c lightd-enter-test)" 0
}

test_cgroups() {
        local bad=0 n=0 p
        mkfifo "$T/control"
        x '["sleep","1000"]' '"record":true' > /dev/null &
        local job=$!
        until_true '[ "$(wc -l < "$V2/$TREE/1/payload/cgroup.procs")" -ge 2 ]'
        for p in $(cat "$V2/$TREE/1/payload/cgroup.procs"); do
                n=$((n + 1))
                bad=$((bad + $(grep -vc "/$TREE/1/payload\$" /proc/$p/cgroup)))
        done
        is "processes outside the payload groups" $bad 0
        sh_x 'killall sleep' > /dev/null
        wait $job
}

control() { # lines on stdin; more arguments
        job exec "$1,\"fds\":{\"stdout\":7,\"control\":9}" --fd "7=$T/out:w" --control 9
}

test_control() {
        is "signal" "$(echo '{"command":"signal","args":null,"signal":15}' | control '"command":["sleep","1000"]')" '{"result":{"return":143}}'
        is "hang-up" "$(echo eof | control '"command":["sleep","1000"]')" '{"result":{"return":129}}'
        is "record outlives control" "$(echo eof | control "\"command\":[\"sh\",\"-c\",\"echo on; exit 5\"],\"record\":true,\"exit_file\":\"$T/exit.json\"")" \
           '{"result":{"return":5}}'
        is "record's output" "$(cat "$T/out")" on
        is "exit file" "$(cat "$T/exit.json")" '{"return":5}'
        is "nonsense is ignored" "$(printf '%s\n' nonsense '{"command":"signal","signal":-4}' '{"command":"signal","signal":9}' |
                control '"command":["sleep","1000"]')" '{"result":{"return":137}}'
}

# SIGTERM, the daemon's cancel: the command dies, a new file goes.
test_cancel() {
        mkfifo "$T/upload"
        exec 6<> "$T/upload"
        echo part > "$T/upload"
        job file-put '"path":"/tmp/half"' --cancel "$T/cancel" --in "$T/upload" > "$T/cancelled" &
        local upload=$!
        until_true 'get /tmp/half | grep -q \"size\":5'
        : > "$T/cancel"
        wait $upload
        exec 6<&-
        has "a cancelled upload" "$(cat "$T/cancelled"; get /tmp/half)" '"reason":"cancelled"'
        has "leaves nothing" "$(get /tmp/half)" '"reason":"not-found"'
        rm "$T/cancel"
        job exec '"command":["sh","-c","echo > /tmp/runs; exec sleep 1000"],"record":true' --cancel "$T/cancel" > "$T/cancelled" &
        local run=$!
        until_true 'get /tmp/runs | grep -q file'
        : > "$T/cancel"
        wait $run
        has "a cancelled command" "$(cat "$T/cancelled")" '"reason":"cancelled"'
        is "is dead" "$(sh_x 'pgrep sleep | wc -l')" 0
}

test_pty() {
        printf '%s\n' 'tty; stty size; id -u; echo ready' '@expect ready' 'ls -ln /dev/pts; ls /proc/self/fd; echo done' 'exit 7' |
                job exec '"command":["sh"],"interactive":true,"width":132,"height":43,"user":1000,"environment":{"TERM":"xterm"},"fds":{"control":9}' \
                        --control 9 --pty > "$T/pty"
        has "pty result" "$(cat "$T/pty")" '{"result":{"return":7}}'
        has "pty name" "$(cat "$T/pty")" /dev/pts/
        has "pty size" "$(cat "$T/pty")" "43 132"
        has "pty owner" "$(cat "$T/pty")" "crw--w----    1 1000     5"
        job exec '"command":["sh","-c","echo ready; read x; echo got $x; exit 3"],"interactive":true,"fds":{"control":9}' \
                --control 9 --pty > "$T/pty" <<< $'@expect ready\nline'
        has "pty reads" "$(cat "$T/pty")" "got line"
        # ^C is the terminal's own work: no message, no signal from us
        has "^C" "$(printf '@expect ready\n\003\n' | job exec '"command":["sh","-c","echo ready; exec cat"],"interactive":true,"fds":{"control":9}' \
                --control 9 --pty)" '{"result":{"return":130}}'
}

test_streams() {
        head -c 268435456 /dev/urandom > "$T/big"
        local sum
        sum=$(sha256sum < "$T/big")
        cat "$T/big" | job exec '"command":["sha256sum"],"fds":{"stdin":6,"stdout":7}' --fd 6=@0 --fd "7=$T/out:w" > "$T/answer"
        is "256 MiB through stdin" "$(cat "$T/out")" "$sum"
        cat "$T/big" | job file-put '"path":"/tmp/big","length":268435456' --in - > "$T/answer"
        is "256 MiB file-put" "$(cat "$T/answer")" '{"result":{}}'
        is "256 MiB through stdout" "$( (job exec '"command":["cat","/tmp/big"],"fds":{"stdout":7}' --fd 7=@9 9>&1 > "$T/answer") | sha256sum)" "$sum"
        is "256 MiB file-get" "$( (job file-get '"path":"/tmp/big"' --out -) 2> /dev/null | sha256sum)" "$sum"
        is "stdin's end" "$(true | job exec '"command":["wc","-c"],"fds":{"stdin":6,"stdout":7}' --fd 6=@0 --fd "7=$T/out:w"; cat "$T/out")" \
           '{"result":{"return":0}}
0'
        del /tmp/big > /dev/null
        rm "$T/big"
        is "a pipe can be reopened" "$(job exec '"command":["sh","-c","echo again > /proc/self/fd/1"],"user":1000,"fds":{"stdout":7}' --fd 7=@9 9>&1 > /dev/null | cat)" again
}

test_files() { # the same for a running and a stopped container
        is "put" "$(put /tmp/new '"uid":5,"gid":6,"mode":416')" '{"result":{}}'
        is "get" "$(get /tmp/new; cat "$T/got")" '{"result":{"type":"file","uid":5,"gid":6,"mode":416,"size":6}}
hello'
        put /tmp/new '"write":"append"' > /dev/null
        is "append, attributes kept" "$(get tmp/new | grep -c bad-request; get /tmp/new; cat "$T/got")" '1
{"result":{"type":"file","uid":5,"gid":6,"mode":416,"size":12}}
hello
hello'
        put /tmp/new '"mode":2541' > /dev/null
        is "overwrite with a mode" "$(get /tmp/new; cat "$T/got")" '{"result":{"type":"file","uid":5,"gid":6,"mode":2541,"size":6}}
hello'
        put /tmp/plain > /dev/null
        is "defaults" "$(get /tmp/plain)" '{"result":{"type":"file","uid":0,"gid":0,"mode":420,"size":6}}'
        [ "$IS_MAPPED" = 0 ] || has "owner outside the map" "$(put /tmp/who '"uid":99999')" 'owner does not exist'
        has "mode too large" "$(put /tmp/who '"mode":8192')" 'mode is not'
        has "cut short" "$(put /tmp/short '"length":7')" '"reason":"cancelled"'
        has "no commit" "$(job file-put '"path":"/tmp/short","commit":true' --in "$T/hello" --fd 6=/dev/null)" '"reason":"cancelled"'
        has "nothing left of both" "$(get /tmp/short)" not-found
        is "commit" "$(job file-put '"path":"/tmp/whole","commit":true' --in "$T/hello" --fd "6=$T/hello")" '{"result":{}}'
        is "directory" "$(put /tmp/dir '"type":"directory","uid":7,"mode":448'; put /tmp/dir '"type":"directory"'; get /tmp/dir)" '{"result":{}}
{"result":{}}
{"result":{"type":"directory","uid":7,"gid":0,"mode":448,"size":4096,"entries":[]}}'
        printf ../etc/passwd > "$T/target"
        put /tmp/dir/link '"type":"symlink"' "$T/target" > /dev/null
        is "symbolic link" "$(get /tmp/dir/link)" '{"result":{"type":"symlink","uid":0,"gid":0,"mode":511,"size":13,"target":"../etc/passwd"}}'
        has "not empty" "$(del /tmp/dir)" 'The directory \"/tmp/dir\" is not empty'
        is "delete" "$(del /tmp/dir/link; del /tmp/dir/; del /tmp/new)" '{"result":{}}
{"result":{}}
{"result":{}}'
        has "deleted" "$(get /tmp/new)" '"reason":"not-found"'
        has "the root stays" "$(del /)" 'does not name a file'
        has "listing" "$(get /)" '"etc"'
        has "no content" "$(job file-get '"path":"/tmp/plain","content":false' --out "$T/got"; wc -c < "$T/got")" '
0'
}

# What a guest may have prepared: every path must end inside its own root.
test_hostile_files() {
        printf '%s' "$T" > "$T/target"
        put /tmp/out '"type":"symlink"' "$T/target" > /dev/null
        printf '../../../../../../..%s' "$T" > "$T/target"
        put /tmp/up '"type":"symlink"' "$T/target" > /dev/null
        for l in /tmp/out /tmp/up "/../../../../$T" "/tmp/../../..$T"; do
                has "get through $l" "$(get "$l/secret")" '"error"'
                has "put through $l" "$(put "$l/secret")" '"error"'
                has "put a directory through $l" "$(put "$l/made" '"type":"directory"')" '"error"'
                has "delete through $l" "$(del "$l/secret")" '"error"'
        done
        printf '%s/made' "$T" > "$T/target"
        put /tmp/dangling '"type":"symlink"' "$T/target" > /dev/null
        put /tmp/dangling > /dev/null
        is "host untouched" "$(cat "$T/secret"; [ -e "$T/made" ] || echo none)" "host secret
none"
        for l in out up dangling; do del /tmp/$l > /dev/null; done
}

test_special_files() {
        sh_x 'mkfifo /tmp/fifo; nc -lU /tmp/sock 2>/dev/null & mkdir -p /tmp/many; cd /tmp/many; for i in $(seq 500); do echo > f$i; done'
        has "get a fifo" "$(get /tmp/fifo)" '\"/tmp/fifo\" is a named pipe'
        has "put a fifo" "$(put /tmp/fifo)" '\"/tmp/fifo\" is a named pipe, not a file'
        has "get a device" "$(get /dev/null)" '\"/dev/null\" is a device'
        has "put a device" "$(put /dev/full)" '\"/dev/full\" is a device, not a file'
        has "put on a directory" "$(put /etc)" '\"/etc\" is a directory, not a file'
        has "magic link" "$(get /proc/1/root/etc/passwd)" '"error"'
        has "proc file" "$(get /proc/1/status; cat "$T/got")" "Name:"
        has "unknown size" "$(get /proc/1/status)" '"size":-1'
        is "many entries" "$(get /tmp/many | tr ',' '\n' | grep -c '"f[0-9]')" 500
        is "a name that is not text" "$(sh_x 'cd /tmp/many; touch $(printf a\\\\377b)' ; get /tmp/many | grep -c 'a�b')" 1
}

test_race() {
        printf '#!/bin/sh\nwhile :; do ln -sfn /etc /tmp/flip; ln -sfn %s /tmp/flip; ln -sfn ../../../..%s /tmp/flip; done\n' "$T" "$T" > "$T/flipper"
        put /tmp/flipper '"mode":493' "$T/flipper" > /dev/null
        mkfifo "$T/flip-control" 2> /dev/null
        (exec 5<> "$T/flip-control"; job exec '"command":["/tmp/flipper"],"fds":{"control":9}' --control 9 < "$T/flip-control" > /dev/null) &
        local flipper=$!
        until_true 'get /tmp/flip | grep -q symlink'
        local bad=0
        for _ in $(seq 25); do
                get /tmp/flip/secret > /dev/null && grep -q host "$T/got" && bad=$((bad + 1))
                put /tmp/flip/secret > /dev/null
        done
        is "escapes" "$bad $(cat "$T/secret")" "0 host secret"
        sh_x 'killall flipper' > /dev/null
        wait $flipper
        del /etc/secret > /dev/null
}

test_gone() {
        local dead=$U
        U="\"cgroup\":\"$TREE/99\",$IDMAP"
        has "exec in no group" "$(x '["true"]')" 'The instance is not running'
        has "files in no group" "$(get /etc)" 'The instance is not running'
        U=$dead
}

# A privileged container's root can write to what the host's root owns: not to the program that enters it.
test_sealed() {
        printf '#!/proc/self/exe exec\n' > "$T/script"
        put /tmp/self '"mode":493' "$T/script" > /dev/null
        mkfifo "$T/full"
        exec 8<> "$T/full"
        dd if=/dev/zero of="$T/full" bs=4096 count=16 2> /dev/null # the next writer to it stays where it is
        job exec '"command":["/tmp/self"],"record":true,"fds":{"stderr":8}' --fd 8=@8 > "$T/self-answer" &
        local self=$!
        # The program's file is its mount's root, so that is its name.
        until_true 'sh_x "for p in /proc/[0-9]*; do readlink \$p/exe; done" | grep -qx /'
        has "the program cannot be written" "$(sh_x 'for p in /proc/[0-9]*; do case $(readlink $p/exe) in /) (: > $p/exe) 2>&1; esac; done')" \
            "Read-only file system"
        exec 8<&-
        sh_x 'for p in /proc/[0-9]*; do case $(readlink $p/exe) in /) kill -9 ${p#/proc/}; esac; done' > /dev/null
        wait $self
        has "still a program" "$(head -c 4 "$RUN" | tr -d '\177')" ELF
}

keyctl add user lightd-enter-test x @s > /dev/null 2>&1
start 1 "$T/busybox" "$IDMAP" '["/bin/sh","-c","trap : TERM; while :; do tail -f /dev/null; done"]'
for t in exec isolation cgroups control cancel pty streams files hostile_files special_files race gone; do test_$t; done
# With a pidfd from before: where somebody reaps the init at once there is none to be had later.
held() {
        python3 -I -S -c 'import os, sys; os.dup2(os.pidfd_open(int(sys.argv[1])), 9); os.execvp(sys.argv[2], sys.argv[2:])' "$PID" "$@"
}
export -f stop
export T TREE U RUN RUN_JOB
has "exec in a container that ended" \
        "$(held bash -c 'stop 1; "$RUN_JOB" --fd 5=@9 --fd "7=$T/out:w" "$RUN" exec "{$U,\"command\":[\"true\"],\"fds\":{\"stdout\":7}}"')" \
        'The instance is not running'

job() { # of the stopped container
        local what=$1 args=$2
        shift 2
        timeout 60 "$RUN_JOB" "$@" "$RUN" "$what" "{$IDMAP,$(rootfs_json 1 "$T/busybox"),$args}" 2> "$T/stderr"
}
for t in files hostile_files; do test_$t; done
is "owner on disk" "$(put /root/owned '"uid":3,"gid":4' > /dev/null; stat -c '%u %g' "$T/vol1/upper/root/owned")" "3 4"

job() {
        local what=$1 args=$2
        shift 2
        timeout 60 "$RUN_JOB" --pidfd "$PID" "$@" "$RUN" "$what" "{$U,$args}" 2> "$T/stderr"
}
IS_MAPPED=0
start 2 "$T/busybox" '"privileged":true,"idmap":null' '["/bin/sh","-c","trap : TERM; while :; do tail -f /dev/null; done"]'
for t in isolation files sealed; do test_$t; done
is "privileged: user namespace" "$(sh_x 'readlink /proc/self/ns/user')" "$(readlink /proc/self/ns/user)"
stop 2

if [ -d "${DEBIAN:-}" ]; then
        start 3 "$DEBIAN" "$IDMAP" '["/sbin/init"]'
        until_true 'x "[\"systemctl\",\"is-system-running\",\"--wait\"]" > /dev/null; grep -Eq "running|degraded" "$T/out"'
        is "Debian" "$(sh_x '. /etc/os-release; echo $ID; ls /proc/self/fd | wc -l')" "debian
4"
        has "Debian's file" "$(get /usr/lib/os-release; cat "$T/got")" bookworm
        stop 3
fi

is "mounts left" "$(grep -cE "$T|/proc/fs" /proc/self/mountinfo)" 0
is "groups left" "$(ls -d /sys/fs/cgroup/*/"$TREE"/[0-9]* /sys/fs/cgroup/"$TREE"/[0-9]* 2> /dev/null | wc -l)" 0
is "processes left" "$(cat "$V2/$TREE"/cgroup.procs "$V2/$TREE"/*/*/cgroup.procs 2> /dev/null | wc -l)" 0
[ $FAILED = 0 ] && echo "enter: all passed"
exit $FAILED
