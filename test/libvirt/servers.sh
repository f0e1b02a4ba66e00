#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Servers and volumes on a real libvirtd: made once, found by token, removed by token, nothing else touched.
. "$ROOT/test/libvirt/lab"
lab_up lab
settings "$PWD/lab"
pool_json "h1=$URI"

call check
ok 'the settings are good' [ "$STATUS" = 0 ]
call sync
is 'the storage pool was made and its real size is told' '.hosts[0] | .answered and .capacity > .free and .free > 0'
is 'counted slots have names and no address' '.slots | length == 200 and (.[0] | .name == "none-v100-0001" and .address == "" and .flavor == "v100")'

TENANT="<&\"'> 광주 인공지능"
call ensure "$(server 2 1)" "$(volume 1 50000000000000)"
is 'a server is made after its volume' '[.operations[].answer] == ["done", "done"]'
is 'it says how to reach it' '.operations[0].connection | .host == "h1" and .domain == "allot-c1-g1-2" and .state == "paused" and (.console | test("virsh -c .* console allot-c1-g1-2"))'
uuid=$(jq -r '.operations[0].connection.uuid' <<<"$OUT")
id=$(virt domid allot-c1-g1-2)
call ensure "$(server 2 1)" "$(volume 1 50000000000000)"
is 'another process finds both by their tokens' '[.operations[].answer] == ["done", "done"]'
ok 'and it is the same domain, not started again' [ "$(virt domid allot-c1-g1-2) $(virt domuuid allot-c1-g1-2)" = "$id $uuid" ]
call observe
is 'all of it is seen once' '.seen | length == 2 and ([.[].token] | sort == ["'$STORE'.1.1", "'$STORE'.1.2"])'
is 'a volume of 50 TB is 50 TB to the byte, and takes little' '.seen[] | select(.kind == "volume") | .bytes == 50000000000000 and .allocated < 10000000 and .name == "allot-c1-g1-v1"'
is 'a server tells its state and age' '.seen[] | select(.kind == "server") | .state == "paused" and .created > 1700000000'
virt dumpxml allot-c1-g1-2 >xml
ok 'a name with markup is escaped in the title' grep -q "<title>allot: tenant &lt;&amp;&quot;&apos;&gt; 광주 인공지능, grant g-1</title>" xml
ok 'the token is in the metadata' grep -q "token=\"$STORE.1.2\"" xml
TENANT=

call ensure "$(volume 1 60000000000000)"
is 'a volume of another size is refused with both sizes' '.operations[0] | .answer == "refused" and (.detail | test("50000000000000.*60000000000000"))'
call ensure "$(volume 3 1000000000)" "$(volume 9 1000)"
is 'a size that libvirt cannot have is rounded up to a whole KiB' '[.operations[].answer] == ["done", "done"]'
call observe
is 'and seen so' '[.seen[] | select(.name == "allot-c1-g1-v3" or .name == "allot-c1-g1-v9") | .bytes] | sort == [1024, 1000000512]'
call ensure "$(volume 3 1000000000)" "$(volume 9 1000)"
is 'it is found again as what was asked' '[.operations[].answer] == ["done", "done"]'
call ensure "$(volume 3 1000000513)" "$(volume 9 2000)"
is 'another size is another size, however near' '[.operations[].answer] == ["refused", "refused"]'
call remove "$(volume 3 1000000000)" "$(volume 9 1000)"
is 'and it goes' '[.operations[].answer] == ["done", "done"]'

# a domain of somebody else with the name that we want
cat >other.xml <<'XML'
<domain type='qemu'><name>allot-c1-g1-4</name><memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>
XML
virt define other.xml >/dev/null
other=$(virt domuuid allot-c1-g1-4)
call ensure "$(server 4)" "$(server 5)" "$(server 6 | jq -c '.flavor = "h900"')" "$(server 7 99)" "$(server 8)"
is 'what cannot be done is answered alone, the others are done' '[.operations[].answer] == ["refused", "done", "refused", "nothing happened", "done"]'
is 'each says why' '(.operations[0].detail | test("allot-c1-g1-4 is used")) and (.operations[2].detail | test("h900")) and (.operations[3].detail | test("allot-c1-g1-v99"))'
call remove "$(server 4)"
is 'nothing of ours has that token' '.operations[0].answer == "done"'
ok 'the domain of somebody else stands' [ "$(virt domuuid allot-c1-g1-4)" = "$other" ]
call observe
is 'it is shown as having our name and no token' '[.seen[] | select(.token == null) | .name] == ["allot-c1-g1-4"]'

virt destroy allot-c1-g1-5 >/dev/null
call observe
is 'a domain that was stopped is seen stopped' '.seen[] | select(.name == "allot-c1-g1-5") | .state == "stopped"'
call ensure "$(server 5)"
is 'and is started by the next ensure' '.operations[0] | .answer == "done" and .connection.state == "paused"'
ok 'truly' [ "$(virt domstate allot-c1-g1-5)" = paused ]

call remove "$(volume 1 1)"
is 'a volume in use is not removed' '.operations[0] | .answer == "nothing happened" and (.detail | test("in use by allot-c1-g1-2"))'
if system; then
    ok 'the tenant has an isolated network' [ "$(virt net-list --name | grep -c "^allot-$STORE-t1\$")" = 1 ]
    virt net-dumpxml "allot-$STORE-t1" >net.xml
    ok 'without a way out' [ "$(grep -c '<forward' net.xml)" = 0 ]
    ok 'whose bridge has a name that an interface can have' [ "$(sed -n "s/.*bridge name='\([^']*\)'.*/\1/p" net.xml | tr -d '\n' | wc -c)" -le 15 ]
fi

# a second store on the same host: other tokens, other network, and none of ours
ours=$POOL
STORE=s0b0b0b0b0b0b
pool_json "h1=$URI"
HOST=h1
call ensure "$(server 2 1 | jq -c '.name = "allot-x-1" | .disks = []')" "$(volume 1 1073741824)"
is 'another store works on the same host' '[.operations[].answer] == ["done", "done"]'
call ensure "$(server 2 | jq -c '.name = "allot-c1-g1-2" | .token = "'$STORE'.1.77"')"
is 'a name of the first store is refused to it, with the holder' '.operations[0] | .answer == "refused" and (.detail | test("s4f1c09ab37de.1.2"))'
call remove "$(server 2)" "$(volume 1 1)"
is 'it removes its own' '[.operations[].answer] == ["done", "done"]'
STORE=s4f1c09ab37de POOL=$ours
call observe
is 'and the first store lost nothing' '[.seen[] | select(.token != null) | .token] | sort == ["'$STORE'.1.1", "'$STORE'.1.2", "'$STORE'.1.5", "'$STORE'.1.8"]'

virt undefine allot-c1-g1-4
call remove "$(volume 1 1)" "$(server 2)" "$(server 5)" "$(server 8)"
is 'servers go before their volumes' '[.operations[].answer] == ["done", "done", "done", "done"]'
call remove "$(volume 1 1)" "$(server 2)"
is 'what is gone is gone' '[.operations[].answer] == ["done", "done"]'
call observe
is 'nothing is left' '.seen == []'
ok 'not even a file' [ -z "$(ls "$PWD/lab/pools/allot")" ]
system && ok 'nor the network' [ -z "$(virt net-list --all --name)" ]

settings "$PWD/lab" '.overcommit_percent = 200'
pool_json "h1=$URI"
call sync
whole=$(jq '.hosts[0].capacity / 512 | floor * 512' <<<"$OUT") half=$(jq '.hosts[0].capacity / 1024 | floor * 512' <<<"$OUT")
call ensure "$(volume 11 "$whole")" "$(volume 12 "$half")"
is 'volumes may be promised twice over' '[.operations[].answer] == ["done", "done"]'
call ensure "$(volume 13 "$whole")" "$(volume 14 1048576)"
is 'but not more, and it is said with numbers; what still fits is made' '[.operations[].answer] == ["refused", "done"] and (.operations[0].detail | test("200 %"))'
call remove "$(volume 11 1)" "$(volume 12 1)" "$(volume 14 1)"
is 'they go' '[.operations[].answer] == ["done", "done", "done"]'

settings "$PWD/lab" '.flavors.v100.atach = "pci"'
pool_json "h1=$URI"
call sync
ok 'a wrong setting is refused with its path' grep -q "pool lab: settings.flavors.v100.atach: is not known here: did you mean 'attach'" said
settings "$PWD/lab" 'del(.domain_type)'
pool_json "h1=$URI"
call check
ok 'the domain type is never guessed' grep -q 'settings.domain_type: is missing' said
