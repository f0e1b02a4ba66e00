#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same grants in NHN's dialect, through NHN's face of the lab: identity v2.0, /v2/TENANT, VPCs, sizes by name, key
# pairs, an object store with a tenant id of its own and no quotas, and NAS.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
"$ROOT/test/lab/nhn-proxy" --log requests --nas nas.json --cores 400 --ram 1000000 "$LAB" >url 2>proxy.log &
helpers+=($!)
for _ in $(seq 100); do [ ! -s url ] || break; sleep 0.05; done

# A tenant is a project, and another one for its objects; its account has a role in both.
projects a b a-objects b-objects
limit a class:CUSTOM_GPU_V100=64 class:CUSTOM_GPU_T4=8
limit b class:CUSTOM_GPU_V100=64
operator
admin
for name in a b; do api PUT "$KEYSTONE/v3/projects/${ID[$name-objects]}/tags/object-store" '{}'; done
declare -A OBJECTS=([a]=${ID[a-objects]} [b]=${ID[b-objects]})
unset 'ID[a-objects]' 'ID[b-objects]'
(umask 077 && jq -n --arg url "$(cat url)/v2.0" --arg u "$OPERATOR" '{clouds: {lab: {identity_api_version: 2, region_name: "KR1",
    auth: {auth_url: $url, username: $u, password: "\($u)-pw"}}}}' >clouds.yaml)
nhn() { # the settings of pool_file in NHN's words; $1: more of them
    echo '.projects |= map(. + {object_store_id: $objects[.name]}) | .flavors = [{name: "v100", rating: "15.6 TF", units: 64,
        sizes: [1, 2, 4, 8]}] | .volume = {least: "10 GiB", most: "2000 GiB"} | .settings = {dialect: "nhn", cloud: "lab",
        image: "tiny", network: "Default Network", availability_zone: "kr-pub-a", root_gib: 20, volume_type: "General SSD",
        object_store: "polled", container_access: "{project}:*", sizes: {v100: {"1": "g2.v100.c8m90", "2": "g2.v100.c16m180",
        "4": "g2.v100.c32m360", "8": "g2.v100.c64m720"}}}'"${1:+ | $1}"
}
objects=$(jq -nc --arg a "${OBJECTS[a]}" --arg b "${OBJECTS[b]}" '{a: $a, b: $b}')
POLICY_FLAVORS='flavor v100 15.6 TF units 64 sizes 1, 2, 4, 8;'
pool_file "$(nhn | sed "s/\$objects/$objects/")"
books a b

good pool sync lab
is 'NHN has all that the pool names' '.differs == false and .warnings == []'
good request submit --tenant org-a --flavor v100 --units 3 --storage '20 GiB' --datalake '1 GiB'
thing server '.observed == "present" and .connect.state == "running"'
thing volume '.observed == "present"'
thing container '.observed == "present" and (.connect.quota == "watched")'
project=$(jq -r '[.things[].host] | unique | .[0]' <<<"$OUT")
url=$(jq -r '.things[] | select(.kind == "container") | .connect.url' <<<"$OUT")
ok 'the container lies in the tenant of its objects' grep -q "AUTH_${OBJECTS[$project]}/" <<<"$url"
asked() { jq -se "$1" requests >/dev/null; } # of what NHN's face was asked
ok 'by no version but v2.0' asked 'all(.[] | select(.service == "identity" and .method == "POST"); .path == "/v2.0/tokens")'
ok 'with paths that name the tenant' asked 'all(.[] | select(.service == "compute"); .path | test("^/v2/[0-9a-f]{32}/"))'
ok 'each server had a key pair lent, which is given back' asked \
    '[.[] | select(.path | contains("/os-keypairs"))] | ([.[] | select(.method == "POST" and .status < 300)] | length == 2) and ([.[] | select(.method == "DELETE" and .status < 300)] | length == 2)'
good reconcile
is 'nothing differs' '.matched == 4 and .things == []'

# ---- more than is booked, where nobody holds it to that ----
as "$project"
authenticate "$(password "$OPERATOR" "$OPERATOR-pw")" "$(jq -nc --arg p "${OBJECTS[$project]}" '{project: {id: $p}}')"
plan "$(nhn | sed "s/\$objects/$objects/")"
small=$(one container 50 "$project" '{bytes: 1000}')
call ensure "$small"
is 'a container is watched' '.operations[0].connection.quota == "watched"'
api PUT "$SWIFT/AUTH_${OBJECTS[$project]}/$(jq -r '.operations[0].connection.container' <<<"$OUT")/big" "$(head -c 2000 /dev/zero | tr '\0' x)"
answers 'and takes more than is booked' 201
for _ in $(seq 20); do call observe; jq -e '.seen[] | select(.name == "allot-c1-g1-50") | .allocated == 2000' <<<"$OUT" >/dev/null && break; sleep 0.5; done
is 'which is seen' '.seen[] | select(.name == "allot-c1-g1-50") | .allocated == 2000 and .bytes == 1000 and .state == "present"'
call ensure "$small"
is 'it is frozen then' '.operations[0].connection.quota == "over it: frozen"'
call observe
is 'and seen so' '.seen[] | select(.name == "allot-c1-g1-50") | .state == "paused"'
call ensure "$(one container 50 "$project" '{bytes: 5000}')"
call observe
is 'with room for it, it is open again' '.seen[] | select(.name == "allot-c1-g1-50") | .state == "present" and .bytes == 5000'
call remove "$small"
is 'and goes with what is in it' '.operations[0].answer == "done"'

# ---- keys, bounds ----
tiny() { one server "$1" "$project" "{flavor: \"v100\", units: 1, keys: [\"$2\"]}"; }
call ensure "$(tiny 60 'ssh-ed25519 AAAAC3Nza x')" "$(volume 61 "$project" 9663676416)" "$(volume 62 "$project" 3221225472000)"
is 'a tenant without an RSA key is refused, and volumes past the bounds' '[.operations[].answer] == ["refused", "refused", "refused"] and (.operations[0].detail | contains("RSA")) and all(.operations[1:][]; .detail | contains("10 to 2000"))'

# ---- NAS ----
plan "$(nhn '.settings.storage = "nas"' | sed "s/\$objects/$objects/")"
share() { volume "$1" "$project" "$2"; }
call ensure "$(share 70 300000000000)" "$(share 71 250000000000)" "$(share 72 350000000000)"
is 'files come in steps of 100 GB from 300 GB' '[.operations[].answer] == ["done", "refused", "refused"]'
is 'with a path to mount' '.operations[0].connection | .protocol == "nfs" and (.path | test("^[0-9.]+:/"))'
call ensure "$(share 70 300000000000)"
is 'it is found again by its token' '.operations[0].answer == "done"'
call observe
is 'and seen to the byte, with its owner' '.seen[] | select(.token == "s4f1c09ab37de.1.70") | .bytes == 300000000000 and .connection.tenant == "광주 c1"'
call remove "$(share 70 300000000000)"
is 'and goes' '.operations[0].answer == "done"'

# ---- the end ----
good grant release g-1
good grant purge g-1
cloud_count "$project"
is 'everything of the grant is gone' '.servers == 0 and .volumes == 0'
good reconcile
is 'and the ledger agrees' '.things == []'
books_close
