#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The program with the lab pool of allot-libvirt(7): granted, made, matched to the byte that is booked, gone.
. "$ROOT/test/libvirt/lab"
lab_up lab
export ALLOT_STORE="$PWD/s.db" ALLOT_CONFIG="$PWD/allot.conf"
echo 'notify: [/bin/true]' >allot.conf
allot() { # its answer as OUT
    OUT=$("$ALLOT" "$@" --json 2>said) || { cat said; exit 1; }
    SAID=$(cat said)
}
awk '/^\.Ed/ { on = 0 } /^backend: libvirt/ { n++; on = n == 2 } on' \
    <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$ROOT/man/allot-libvirt.7") |
    sed -e "s,\"qemu:///system\",\"$URI\"," -e "s,/var/lib/allot/volumes,$PWD/lab/volumes," >pool.yaml
ok 'the manual has a lab pool' grep -qF "$URI" pool.yaml
cat >lab.policy <<'END'
policy "lab" version 1;
pool lab {
  basis fp32;
  flavor v100 15.6 TF units 8 sizes 1, 2, 4, 8;
  storage 100 TB;
}
set eligible {
  E9 pass "eligible" otherwise;
}
C1 ceiling per tenant compute 125 TF storage 50 TB;
L1 lease term 90 days, renew 2, notice 14 days, grace 7 days, keep-data 30 days;
END
"$ALLOT" init >/dev/null
allot pool add lab --file pool.yaml
allot pool sync lab
is 'its units are found' '.flavors[0] | .state == "confirmed" and .found == 8 and .not_seen == 0'
"$ALLOT" policy load lab.policy >/dev/null 2>&1
allot tenant add a --organisation o --registration 100-10-00001
allot request submit --tenant a --flavor v100 --units 2 --storage 1GB --no-provision
allot reconcile
is 'what is granted is made' '[.things[] | "\(.action) \(.outcome)"] == ["make done", "make done"]'
allot status
is 'and no drift after it' '.drift == []'
allot reconcile
is 'a volume of 1 GB, which libvirt rounds up, matches' '.matched == 2 and .things == []'
ok 'it is rounded up' [ "$(virt vol-list allot | awk '/__data.qcow2/ { print $1 }' | xargs -I{} virsh -q -c "$URI" vol-dumpxml --pool allot {} | sed -n "s,.*<capacity unit='bytes'>\(.*\)</capacity>,\1,p")" = 1000000512 ]
allot grant show g-1
is 'its tenant gets what is booked' '.storage_bytes == 1000000000'
OUT=$(echo '{"do": "show", "grant": "g-1"}' | "$ALLOT" serve --stdio --tenant a)
is 'a tenant reads how to connect' '.answer.things[] | select(.kind == "server") | .connect.state == "paused"'
is 'and neither a host nor its URI' 'tostring | contains("lab1") or contains("virsh") or contains("qemu") | not'
allot grant release g-1
allot grant show g-1
is 'what has gone is not to be connected to' '.things[] | select(.kind == "server") | .observed == "absent" and .connect == null'
allot grant purge g-1
is 'and all of it goes' '.state == "ended"'
