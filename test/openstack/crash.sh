#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cut off after every request that changes something: what was begun is found by its token and finished by the next
# call, and nothing is made twice. A lost answer is looked up at once. What cannot be, is refused alone.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
projects a
operator
plan
disk='[["allot-c1-g1-1", "s4f1c09ab37de.1.1"]]'
ops=("$(volume 1 a)" "$(container 3 a)" "$(server 2 a "$disk")")
one_of_each='. == {servers: 1, volumes: 1, containers: 1}'
nothing='. == {servers: 0, volumes: 0, containers: 0}'

call check
ok 'the settings are good' test "$STATUS" = 0
call sync
is 'and all of it is there' '.hosts == [{"host": "a", "answered": true, "detail": null, "capacity": 0, "free": 0}]'

for point in volume-posted container-put network-made server-posted; do
    ALLOT_FAULT=openstack.$point:exit call ensure "${ops[@]}"
    ok "the process ends at $point" test "$STATUS" = 99
done
call ensure "${ops[@]}"
is 'the next call completes it' 'all(.operations[]; .answer == "done")'
cloud_count a
is 'each is there once' "$one_of_each"
as a
api GET "$NEUTRON/v2.0/networks?name=allot-4f1c09ab37de-t7"
is 'its network too' '.networks | length == 1'
api GET "$NEUTRON/v2.0/security-groups?name=allot-4f1c09ab37de-t7"
is 'and its group, with its rule' '.security_groups | length == 1 and ([.[0].security_group_rules[] | select(.direction == "ingress")] | length == 1)'

call remove "$(volume 1 a)"
is 'a volume in use does not go' '.operations[0] | .answer == "nothing happened" and (.detail | contains("attached"))'
for point in server-deleted volume-deleted container-deleted; do
    ALLOT_FAULT=openstack.$point:exit call remove "${ops[@]}"
    ok "the process ends at $point" test "$STATUS" = 99
done
call remove "${ops[@]}"
is 'a removal that is repeated ends' 'all(.operations[]; .answer == "done")'
cloud_count a
is 'with nothing left' "$nothing"

# ---- lost answers ----
ALLOT_FAULT=openstack.volume-posted:error call ensure "${ops[@]}"
is 'a volume whose answer is lost is found by its token' 'all(.operations[]; .answer == "done")'
call remove "$(server 2 a "$disk")"
ALLOT_FAULT=openstack.server-posted:error call ensure "$(server 2 a "$disk")"
is 'and so is a server' '.operations[0].answer == "done"'
cloud_count a
is 'neither is made twice' "$one_of_each"

# ---- what cannot be, beside what can ----
call ensure "$(volume 1 a 2147483648)" "$(volume 4 a 1000000000)" "$(server 5 a | jq -c '.flavor = "none"')" \
    "$(server 6 a | jq -c '.flavor = "a100" | .units = 3')" "$(server 7 a '[["allot-c1-g1-77", "s4f1c09ab37de.1.77"]]')" \
    "$(server 8 a | jq -c '.flavor = "a100" | .units = 8')" "$(volume 9 a)"
is 'each is answered alone' '[.operations[].answer] == ["refused", "refused", "refused", "refused", "nothing happened", "refused", "done"]'
is 'and says why' '[.operations[].detail] | (.[0] | contains("has 1 GiB, and 2 GiB are wanted")) and (.[1] | contains("not a whole number of GiB")) and
    (.[2] | contains("no flavor none")) and (.[3] | contains("no size of a100 x 3")) and (.[4] | contains("1.77")) and (.[5] | contains("over limit of 0"))'
plan '.settings.image = "tinny"'
call ensure "$(server 10 a)"
is 'an image that is not there' '.operations[0] | .answer == "refused" and (.detail | contains("no image \"tinny\""))'
call sync
is 'which a sync tells' '.hosts[0] | .answered and (.detail | contains("tinny"))'
plan 'del(.settings.network_range) | .settings.network = "net9" | .settings.volume_type = "sdd" | .settings.availability_zone = "nowhere"'
call ensure "$(server 10 a)"
is 'a network that is not there' '.operations[0] | .answer == "refused" and (.detail | contains("no network \"net9\""))'
call sync
is 'and what else is not there' '.hosts[0] | .answered and (.detail | contains("net9") and contains("did you mean \"ssd\"") and contains("nowhere"))'
plan '.projects += [{name: "b", id: "00000000000000000000000000000000"}]'
call observe
is 'a project that does not answer does not stop the others' '(.hosts | map(.answered)) == [true, false] and (.seen | length == 4)'
is 'and says why' '.hosts[1].detail | length > 0'

# ---- pages ----
plan '.settings.page_things = 1'
call observe
is 'a page for each thing shows the same' '[.seen[].token] | sort == ["s4f1c09ab37de.1.1", "s4f1c09ab37de.1.2", "s4f1c09ab37de.1.3", "s4f1c09ab37de.1.9"]'
is 'with whose they are' 'all(.seen[]; .connection.tenant == "광주 c1" and .connection.grant == "g-1" and .created > 1700000000)'

# ---- a service that is killed ----
plan
(sleep 1; service kill nova-api; sleep 1; service start nova-api) >restart 2>&1 &
helpers+=($!)
call ensure "$(server 11 a)" "$(server 12 a)" "$(server 13 a)"
wait "${helpers[-1]}" || true
call ensure "$(server 11 a)" "$(server 12 a)" "$(server 13 a)"
is 'all are there when it is back' 'all(.operations[]; .answer == "done")'
call observe
is 'each once' '[.seen[] | select(.kind == "server") | .token] | sort == ["s4f1c09ab37de.1.11", "s4f1c09ab37de.1.12", "s4f1c09ab37de.1.13", "s4f1c09ab37de.1.2"]'

# ---- a container that is full of objects goes too ----
as a
url=$SWIFT/AUTH_${ID[a]}/allot-c1-g1-3__s4f1c09ab37de.1.3
for n in $(seq 25); do printf 'url = "%s/a%%20%%EA%%B4%%91%%2F%s"\nupload-file = "/dev/null"\noutput = "put"\nnext\n' "$url" "$n"; done |
    sed '$d' >puts
curl -sS --noproxy "*" -Z -H "X-Auth-Token: $TOKEN" -K puts 2>/dev/null
plan '.settings.page_things = 10'
call remove "${ops[@]}" "$(volume 9 a)" "$(server 11 a)" "$(server 12 a)" "$(server 13 a)"
is 'everything goes, 25 objects too' 'all(.operations[]; .answer == "done")'
cloud_count a
is 'and nothing is left' "$nothing"
