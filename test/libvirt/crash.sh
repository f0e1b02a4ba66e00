#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cut off at every step. First the process that speaks with a host: what it leaves is finished by the next ensure and
# taken away by the next remove. Then the program itself, from a request to a purge, on a real libvirtd: after each stop
# a reconcile, and the host has exactly what the ledger says.
. "$ROOT/test/libvirt/lab"
lab_up lab
qemu-img create -q -f qcow2 "$PWD/lab/pools/base.qcow2" 64M
settings "$PWD/lab" '. += {image: "'"$PWD"'/lab/pools/base.qcow2", root_bytes: 1073741824}'
pool_json "h1=$URI"
here() { [ "$(virt list --all --name | grep -c .) $(find lab/pools/allot -type f | wc -l)" = "$1" ]; }

ops=("$(volume 1 50000000000000)" "$(server 2 1)")
for point in volume-made disks-made defined started; do
    ALLOT_FAULT=libvirt.$point:exit call ensure "${ops[@]}"
    is "cut off at $point: not known" 'any(.operations[]; .answer == "unknown") and all(.operations[]; .answer != "refused")'
    call ensure "${ops[@]}"
    is "after $point the same call completes it" 'all(.operations[]; .answer == "done")'
    ok "each once after $point" here '1 3'
    for end in destroyed undefined; do
        ALLOT_FAULT=libvirt.$end:exit call remove "${ops[@]}"
        is "cut off at $end: not known" 'any(.operations[]; .answer == "unknown")'
    done
    call remove "${ops[@]}"
    is 'a removal that is repeated ends' 'all(.operations[]; .answer == "done")'
    ok 'with nothing left' here '0 0'
    ALLOT_FAULT=libvirt.$point:error call ensure "${ops[@]}"
    is "an error at $point is taken back" 'any(.operations[]; .answer == "refused")'
    call remove "${ops[@]}"
    ok 'so that removing the rest leaves nothing' here '0 0'
done

cat >pool.json <<JSON
{"backend": "libvirt", "basis": "fp32", "storage": "500 TB", "hosts": [{"name": "h1", "uri": "$URI"}],
 "flavors": [{"name": "v100", "rating": "15.6 TF", "units": 8, "sizes": [1, 2, 4, 8], "attach": "none", "units_per_host": 8}],
 "settings": {"domain_type": "qemu", "storage_pool": "allot", "storage_path": "$PWD/lab/pools/allot", "vcpus": 1,
              "memory_mib": 16, "start": "paused", "overcommit_percent": 100000000}}
JSON
cat >lab.policy <<'POLICY'
policy "lab" version 1;
pool lab {
  basis fp32;
  flavor v100 15.6 TF units 8 sizes 1, 2, 4, 8;
  storage 500 TB;
}
set eligible { E1 pass "eligible" otherwise; }
C1 ceiling per tenant compute 125 TF storage 50 TB;
L1 lease term 90 days, renew 3, notice 14 days, grace 7 days, keep-data 30 days;
POLICY
allot() { "$ALLOT" --store store.db "$@"; }
allot init --test-clock >/dev/null 2>&1
allot pool add lab --file pool.json >/dev/null
allot pool sync lab >/dev/null
allot policy load lab.policy >/dev/null 2>&1
allot tenant add c0001 --organisation 'Lab' --registration 123-45-67890 >/dev/null

# stopped MODE N COMMAND...: the command is stopped at its N-th fault point; false when there are no more. Then again
# without, which the idempotency key makes the same; then a reconcile.
stopped() {
    local mode=$1 n=$2 status=0 last
    shift 2
    ALLOT_FAULT=$n:$mode allot "$@" >said 2>&1 || status=$?
    last=$status
    allot "$@" >>said 2>&1 || true
    allot reconcile >>said 2>&1 || { cat said; exit 1; }
    if [ "$mode" = exit ]; then [ "$last" = 99 ]; else grep -q 'was told to fail' said; fi
}
round=0 idle=0 n=0
# Both modes at every point with CRASH_ALL=1; else every second point, the modes in turn.
step=2
[ -z "${CRASH_ALL:-}" ] || step=1
while [ $idle -lt 2 ]; do
    idle=$((idle + 1))
    modes=('exit' error)
    [ $step = 1 ] || modes=("${modes[n / 2 % 2]}")
    for mode in "${modes[@]}"; do
        round=$((round + 1))
        stopped "$mode" $n request submit --tenant c0001 --compute '15.6 TF' --storage '10 TB' --idempotency-key "s$round" && idle=0
        grant=$(allot --json grant list | jq -r '[.[]? // .grants[]? | select(.state == "active")] | .[0].grant // .[0].id')
        ok "round $round: the server and its volume are there once" here '1 1'
        stopped "$mode" $n grant release "$grant" --idempotency-key "r$round" && idle=0
        ok "round $round: the server is gone, the volume is kept" here '0 1'
        stopped "$mode" $n grant purge "$grant" --idempotency-key "p$round" && idle=0
        ok "round $round: the volume is gone" here '0 0'
        ok "round $round: the books close" allot fsck >/dev/null
    done
    n=$((n + step))
    [ $n -lt 60 ] || { echo 'the fault points do not end'; exit 1; }
done
echo "$round rounds, $n fault points"
ok 'there were fault points to stop at' [ $n -gt 3 ]
ok 'the chains are whole' allot audit verify >/dev/null
