#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What newcomers type: wrong-commands.txt has a command and, behind "=>", the words its answer must have. No answer is
# empty, a bare number of the system's, or JSON; each ends with a status that is not 0.
. "$(dirname "$0")/../lib/lib.sh"

start_ready_daemon
lightc launch busybox c1 >/dev/null
wait_for guest_is_up c1
failed=0
complain() { echo "\"lightc $line\" $1: $output"; failed=$((failed + 1)); }
while IFS= read -r row; do
        [ -n "$row" ] && [ "${row:0:1}" != '#' ] || continue
        line=${row%% => *} wanted=${row#* => }
        status=0
        output=$(eval "timeout 10 \"\$BIN/lightc\" $line" 2>&1 </dev/null) || status=$?
        [ "$status" != 0 ] && [ "$status" != 124 ] || complain "ended with $status"
        [[ $output == Error:* ]] || complain "does not say that it is an error"
        [[ ! $output =~ (\{\"|errno|Errno|[Ee]rror\ [0-9]+$) ]] || complain "shows what is no sentence"
        # A name in quotes, an argument, an address or a place in its first line.
        [[ ${output%%$'\n'*} =~ (\".+\"|\<.+\>|bash\|fish\|zsh|/1\.0/|line\ [0-9]) ]] || complain "names nothing"
        [[ ! ${output%%$'\n'*} =~ [Ee]rror:?\ -?[0-9]+|\(errno ]] || complain "shows a number of the system's"
        IFS='|' read -ra words <<<"$wanted"
        for word in "${words[@]}"; do [[ $output == *"$word"* ]] || complain "lacks \"$word\""; done
done <"$(dirname "$0")/wrong-commands.txt"
[ "$failed" = 0 ] || fail "$failed answers"
assert_eq "$(state_of c1)" RUNNING
lightc delete --force c1
stop_daemon
