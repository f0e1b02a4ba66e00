#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# libvirtd is killed in the middle of a batch: every operation has an honest answer, and after a restart the same call
# completes it, each thing exactly once.
. "$ROOT/test/libvirt/lab"
lab_up lab
settings "$PWD/lab" '.parallel = 2'
pool_json "h1=$URI"
count=10
ops=()
for i in $(seq $count); do ops+=("$(volume "$i" 50000000000000)" "$(server "$((i + 100))" "$i")"); done

call sync
(sleep 1.2; kill -9 "$(cat lab/libvirtd.pid)") &
helpers+=($!)
call ensure "${ops[@]}"
is 'every operation has an answer' '.operations | length == '$((2 * count))' and all(.answer != "refused")'
is 'the kill came in the middle' '([.operations[] | select(.answer == "done")] | length) as $n | $n > 0 and $n < '$((2 * count))
is 'what was cut off says so' 'all(.operations[]; .answer == "done" or .detail != null)'
cp said first
done_before=$(jq -c '[.operations[] | select(.answer == "done") | .token]' <<<"$OUT")
nothing_before=$(jq -c '[.operations[] | select(.answer == "nothing happened") | .token]' <<<"$OUT")

call observe
is 'a dead host is unknown, not empty' '.hosts[0].answered | not'
"$ROOT/test/lab/libvirt-up" "$PWD/lab" >/dev/null
call observe
is 'all that was done stands after the restart' '([.seen[].token]) as $t | '"$done_before"' | all(. as $d | $t | index($d) != null)'
is 'and of what did not happen there is nothing' '([.seen[].token]) as $t | '"$nothing_before"' | all(. as $d | $t | index($d) == null)'
call ensure "${ops[@]}"
is 'the same call completes it' 'all(.operations[]; .answer == "done")'
call observe
is 'each thing is there once' '([.seen[].token] | length) == '$((2 * count))' and ([.seen[].token] | unique | length) == '$((2 * count))
is 'and every server runs' '[.seen[] | select(.kind == "server") | .state] | all(. == "paused") and length == '$count
ok 'libvirt says so too' [ "$(virt list --name | grep -c .)" = $count ]
call remove "${ops[@]}"
is 'all of it goes' 'all(.operations[]; .answer == "done")'
ok 'without a rest' [ -z "$(ls "$PWD/lab/pools/allot")" ]
