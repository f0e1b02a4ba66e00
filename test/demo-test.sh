#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo keeps its promises: what the ledger says is what the two libvirtd have, and afterwards nothing is left.
set -euo pipefail
passed=0
D=$PWD/d # a folder of its own: a demo that somebody looks at is left alone
export ALLOT_STORE=$D/allot.db ALLOT_CONFIG=$D/allot.conf PATH=$BUILD:$PATH
demo() { env DEMO="$D" "$ROOT/test/demo" "$@"; }
end() {
    local status=$?
    demo clean || true
    echo "$passed passed, $([ $status = 0 ] && echo 0 || echo 1) failed"
    exit $status
}
trap end EXIT
ok() { # ok WHAT COMMAND...
    local what=$1
    shift
    if "$@"; then passed=$((passed + 1)); return; fi
    echo "not so: $what ($*)"
    exit 1
}
virt() { virsh -q -c "$(cat "$D/$1.uri")" "${@:2}" </dev/null; }
domains() { { virt host-a list --all --name; virt host-b list --all --name; } | sed '/^$/d' | sort; }
volumes() { # NAME CAPACITY of every volume at libvirt; its file is NAME__TOKEN__ROLE.EXT
    local host
    for host in host-a host-b; do
        virt "$host" vol-list allot | awk '{ print "echo", $1; print "vol-info --pool allot --bytes", $1 }' >commands
        virsh -q -c "$(cat "$D/$host.uri")" <commands | awk '/^allot-/ { name = $1 } /^Capacity:/ { sub(/__.*/, "", name); print name, $2 }'
    done | sort
}
things() { # what the grants say they have, one JSON object each
    allot grant list --json | jq -r '.[].grant' | while read -r grant; do
        allot grant show "$grant" --json | jq -c '.things[] | select(.observed == "present")'
    done
}

began=$SECONDS
demo >demo.txt 2>&1 || { tail -n 30 demo.txt; exit 1; }
echo "the demo took $((SECONDS - began)) s"
for outcome in granted partial queued held denied; do
    ok "some request was $outcome" grep -q "^$outcome [1-9]" demo.txt
done
ok 'no step is missing' [ "$(grep -c '^== ' demo.txt)" = 9 ]
ok 'the books are said to close' grep -q ' closes$' demo.txt
ok '120 organisations' [ "$(allot tenant list --json | jq '[.[].registration] | unique | length')" = 120 ]
ok 'with 121 projects' [ "$(allot tenant list --json | jq length)" = 121 ]
allot grant list --json >grants.json
allot pool list --json >pool.json
ok 'no more compute is lent than there is' jq -e --slurpfile p pool.json 'map(.compute_gflops) | add <= $p[0][0].compute_gflops' grants.json
ok 'no more storage either' jq -e --slurpfile p pool.json 'map(.storage_bytes) | add <= $p[0][0].storage_bytes' grants.json
ok 'what is free is kept for one tier' jq -e '.[0].compute_free_gflops < 442440' pool.json
ok 'no tenant holds more than its ceiling' jq -e 'group_by(.tenant) | all((map(.compute_gflops) | add <= 125000) and (map(.storage_bytes) | add <= 50000000000000))' grants.json

things >things.json
jq -r 'select(.kind == "server") | .name' things.json | sort >servers
domains >found
ok 'more than a hundred servers were granted' [ "$(wc -l <servers)" -ge 100 ]
ok 'they are the domains at libvirt' diff servers found
ok 'on both hosts' [ "$(virt host-a list --all --name | grep -c allot)" -ge 20 -a "$(virt host-b list --all --name | grep -c allot)" -ge 20 ]
ok 'paused' [ "$(virt host-a domstate "$(virt host-a list --name | head -n 1)")" = paused ]
jq -r 'select(.kind == "volume") | "\(.name) \(.storage_bytes)"' things.json | sort >booked
volumes >files
ok 'the volumes at libvirt have the bytes of the ledger' diff booked files
ok 'all bytes of the grants are there' [ "$(awk '{ n += $2 } END { printf "%.0f\n", n }' files)" = "$(jq 'map(.storage_bytes) | add' grants.json)" ]
ok 'and take little room' [ "$(du -s --block-size=1M "$D/hosts/" | cut -f1)" -lt 1000 ]
ok 'the ledger closes' allot fsck
ok 'the chains are whole' allot audit verify
ok 'use adds up to capacity' jq -e '.closes' <(allot usage show --json)

# a grant ends
allot grant release g-1 --reason 'the test ends it'
ok 'its domains went' [ "$(domains | grep -c '^allot-c0001-g1-')" = 0 ]
ok 'the others stayed' [ "$(domains | wc -l)" = "$(grep -vc '^allot-c0001-g1-' found)" ]
ok 'its volumes are kept' diff files <(volumes)
ok 'the ledger closes' allot fsck
ok 'nothing drifted' allot reconcile
ok 'monitoring is content' allot status --check

pids=$(cat "$D"/hosts/*/run/qemu/*.pid "$D"/hosts/*/run/libvirt/qemu/run/*.pid "$D"/hosts/*/*.pid 2>/dev/null || true)
demo clean
ok 'the folder is gone' [ ! -e "$D" ]
gone() { ! grep -lsF "$D/" /proc/[0-9]*/cmdline /proc/[0-9]*/environ; }
for _ in $(seq 30); do if gone >/dev/null; then break; fi; sleep 0.1; done # whoever collected them ends last
ok 'no process is left' gone
for pid in $pids; do
    case "$(cat "/proc/$pid/comm" 2>/dev/null)" in qemu-system* | libvirtd | virtlogd) echo "left: $pid"; exit 1 ;; esac
done
