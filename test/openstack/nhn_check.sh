#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# backend check and usage in NHN's dialect, through NHN's face of the lab: no limits to read, no quotas of containers, NAS, an
# object store with a tenant id of its own; raises against what NHN has published.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
"$ROOT/test/lab/nhn-proxy" --log requests --nas nas.json --cores 400 --ram 1000000 "$LAB" >url 2>proxy.log &
helpers+=($!)
for _ in $(seq 100); do [ ! -s url ] || break; sleep 0.05; done
projects a a-objects
operator
admin
api PUT "$KEYSTONE/v3/projects/${ID[a-objects]}/tags/object-store" '{}'
OBJECTS=${ID[a-objects]}
unset 'ID[a-objects]'
(umask 077 && jq -n --arg url "$(cat url)/v2.0" --arg u "$OPERATOR" '{clouds: {lab: {identity_api_version: 2, region_name: "KR1",
    auth: {auth_url: $url, username: $u, password: "\($u)-pw"}}}}' >clouds.yaml)
nhn=".projects |= map(. + {object_store_id: \"$OBJECTS\"})"' | .flavors = [{name: "v100", rating: "15.6 TF", units: 64, sizes: [1, 2, 4, 8]}]
    | .volume = {least: "10 GiB", most: "2000 GiB"} | .settings = {dialect: "nhn", cloud: "lab", image: "tiny",
    network: "Default Network", availability_zone: "kr-pub-a", root_gib: 20, volume_type: "General SSD", object_store: "polled",
    sizes: {v100: {"1": "g2.v100.c8m90", "2": "g2.v100.c16m180", "4": "g2.v100.c32m360", "8": "g2.v100.c64m720"}}}'
POLICY_FLAVORS='flavor v100 15.6 TF units 64 sizes 1, 2, 4, 8;'
pool_file "$nhn"
books a
step() { is "${3:-$1}: $2" "any(.steps[]; .step == \"$1\" and ($2))"; }

allot backend check lab --write
ok 'the account has all that the pool needs' test "$STATUS" = 0
step versions '.outcome == "works" and (.words | endswith("v2.0"))'
step token '.outcome == "works" and (.words | contains("v2, good for"))'
step sizes '.outcome == "works" and (.words | contains("v100 x 8 = g2.v100.c64m720"))'
for name in compute_limits volume_limits compute_quota volume_quota tenant_usage; do
    step $name '.outcome == "absent" and (.words | startswith("404"))'
done
step key_pairs '.outcome == "works"'
step nas '.outcome == "works"'
step objects_token '.outcome == "works"'
step container_quota '.outcome == "absent" and (.words | contains("not kept"))'
is 'limits are those that NHN has published' 'all(.limits[]; .read == false) and any(.limits[]; .resource == "memory_mib" and .limit == 262144)'
printf 'tenant,flavor,units,storage\norg-a,v100,5,12000 GiB\n' >requests.csv
allot backend check lab --for requests.csv
need() { is "$1" ".needs | any(.resource == \"$1\" and ($2))"; }
need memory_mib '.needed > 262144 and .raise_to == .needed and .limit_read == false'
need vcpus '.needed == 40 and (has("raise_to") | not)'
need volume_gib '.needed == 12000 and .raise_to == 12000 and .limit == 10240'
is 'the ticket says so' '.ticket | contains("block storage (GB) from 10240 to 12000")'
"$ALLOT" --lang ko backend check lab --for requests.csv >table 2>said
ok 'in Korean too' grep -q '블록 스토리지(GB) 10240 -> 12000' table

jq '.settings.object_store = "quota" | .settings.sizes.v100["8"] = "g9.none"' pool.yaml >other.yaml
good pool set lab --file other.yaml
allot backend check lab --write
ok 'what the pool needs and NHN lacks' test "$STATUS" = 1
step container_quota '.outcome == "missing" and (.remedy | contains("polled"))'
step sizes '.outcome == "missing" and (.words | contains("v100 x 8 = g9.none"))'
good pool set lab --file pool.yaml

allot backend usage lab
ok 'use comes from records alone' test "$STATUS" = 0
is 'without sums of others' '.meters == [] and .gaps == []'
books_close
