#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# backend check on real services, in both dialects: what works, what is missing and what to do, per project where it differs,
# and the raises that the requests of a file need.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
projects a b
operator
limit a class:VCPU=4 class:MEMORY_MB=4096
limit b class:VCPU=400 class:MEMORY_MB=400000
pool_file
books a b
step() { # step NAME FILTER [WHAT]: of a step, and some step of it must be so
    is "${3:-$1}: $2" "any(.steps[]; .step == \"$1\" and ($2))"
}

# ---- an account that has all ----
allot backend check lab
ok 'the account has all that the pool needs' test "$STATUS" = 0
is 'and says so' '.works and (.steps | length > 10)'
step versions '.outcome == "works" and (.words | contains("v3.14"))'
step token '.outcome == "works" and (.words | contains("v3, good for") and contains("member"))'
step clock '.outcome == "works"'
step catalog '.outcome == "works" and (.words | contains("compute, block-storage, network, image, object-store")) and .hosts == ["a", "b"]'
step sizes '.outcome == "works" and (.words | contains("a100 x 8 = g.a100.8") and contains("h100 x 1 = g.h100.1"))'
step image '.outcome == "works" and (.words | startswith("tiny is "))'
step volume_types '.outcome == "works" and (.words | contains("ssd"))'
step compute_limits '.outcome == "works"'
step objects '.outcome == "works"'
step container_quota '.outcome == "skipped"'
is 'limits are those of each project' '[.limits[] | select(.resource == "vcpus") | .limit] == [4, 400] and all(.limits[]; .read)'
allot backend check lab --write
step container_quota '.outcome == "works" and (.words | contains("413"))' 'a container keeps its quota'
for name in a b; do
    as $name
    api GET "$SWIFT/AUTH_${ID[$name]}?format=json"
    ok 'and nothing is left of it' test "$STATUS" = 204 -o "$OUT" = '[]'
done
good status
is 'the store is as it was' '.drift == []'
"$ALLOT" backend check lab >table 2>said
ok 'people get a table' grep -q '^sizes *works' table
"$ALLOT" --lang ko backend check lab >table 2>said
ok 'in Korean too' grep -q '^서버 크기 *됨' table

# ---- what requests need ----
cat >requests.csv <<'END'
tenant,flavor,units,compute,storage,per_server
org-a,a100,9,,3000 GiB,
org-b,,,39 TF,1 GiB,
org-a,h100,8,,,1
END
allot backend check lab --for requests.csv
ok 'needs are no failure' test "$STATUS" = 0
need() { is "$1: $2" ".needs | any(.tenant == \"org-$1\" and ($2))"; }
need a '.resource == "servers" and .needed == 10' # 8 + 1 of a100, eight of h100
need a '.resource == "vcpus" and .project == "a" and .needed == 10 and .limit == 4 and .raise_to == 10'
need a '.resource == "memory_mib" and .needed == 5120 and .raise_to == 5120'
need a '.resource == "volume_gib" and .needed == 3000 and .limit == 1000 and .raise_to == 3000'
need a '.resource == "volumes" and .needed == 6 and (has("raise_to") | not)'
need b '.resource == "vcpus" and .project == "b" and .needed == 2 and (has("raise_to") | not)'
is 'the ticket names the project and its raises' '.ticket | contains("project a (") and contains("vCPUs from 4 to 10") and contains("block storage (GB) from 1000 to 3000") and (contains("project b") | not)'
printf 'tenant,units,flavor\norg-a,1,b200\n' >requests.csv
allot backend check lab --for requests.csv
ok 'a flavor that the pool lacks' test "$STATUS" = 2
says 'is named with its line' 'requests.csv:2: pool lab has no flavor b200'
printf 'tenant,units,flavor\norg-a,many,a100\n' >requests.csv
allot backend check lab --for requests.csv
ok 'a number that is none' test "$STATUS" = 2
allot backend check lab --for nowhere.csv
ok 'a file that is not there' test "$STATUS" != 0
printf 'tenant,units,flavor,pool\norg-a,1,a100,other\n' >requests.csv
allot backend check lab --for requests.csv
is 'what is for another pool is left out' '.needs == []'
allot backend check nowhere
ok 'a pool that is not there' test "$STATUS" = 4

# ---- what is missing ----
again() { # again FILTER: another pool with these settings
    jq "$1" pool.yaml >other.yaml
    good pool set lab --file other.yaml
    allot backend check lab
    ok "something is missing: $1" test "$STATUS" = 1
}
lacks() { step "$1" ".outcome == \"missing\" and (.words | contains(\"$2\")) and (.remedy | length > 0)"; }
again '.flavors[1].match = "CUSTOM_GPU_B200"'
lacks sizes 'h100 (resources:CUSTOM_GPU_B200)'
again '.settings.image = "windows"'
lacks image windows
again '.settings.volume_type = "gold"'
lacks volume_types 'gold is not there'
again '.settings.availability_zone = "mars"'
lacks zones 'mars is not there'
again 'del(.settings.network_range) | .settings.network = "no-net"'
lacks network 'no-net is not there'
again '.projects[1].id = "0123456789abcdef0123456789abcdef"' || true
is 'one project alone' 'any(.steps[]; .step == "token" and .outcome != "works" and .hosts == ["b"]) and any(.steps[]; .step == "token" and .outcome == "works" and .hosts == ["a"])'
good pool set lab --file pool.yaml
service kill nova-api
allot backend check lab
ok 'a service that is down' test "$STATUS" = 1
step compute_limits '.outcome == "failed"'
service start nova-api
jq '.clouds.lab.auth.password = "wrong"' clouds.yaml >wrong.yaml
chmod 600 wrong.yaml
OS_CLIENT_CONFIG_FILE=$PWD/wrong.yaml XDG_CACHE_HOME=$PWD/other allot backend check lab
ok 'a wrong password' test "$STATUS" = 1
is 'is told as such, and hides nothing else' 'any(.steps[]; .step == "token" and .outcome == "missing") and any(.steps[]; .step == "versions" and .outcome == "works")'
jq '.clouds.lab.auth.auth_url = "http://127.0.0.1:9/v3"' clouds.yaml >nowhere.yaml
chmod 600 nowhere.yaml
OS_CLIENT_CONFIG_FILE=$PWD/nowhere.yaml XDG_CACHE_HOME=$PWD/other allot backend check lab
step token '.outcome == "failed"' 'a cloud that is not there'

# ---- delivery by quota ----
(umask 077 && cp "$LAB/clouds.yaml" clouds.yaml)
jq 'del(.projects, .settings.image, .settings.network_range) | .settings += {deliver: "quota", system_cloud: "lab-system",
    quota: {per_unit: {a100: {vcpus: 1}, h100: {}}}}' pool.yaml >quota.yaml
good pool add byquota --file quota.yaml
allot backend check byquota
ok 'quotas can be delivered' test "$STATUS" = 0
step system_token '.outcome == "works"'
step unified_limits '.outcome == "works"'
step placement '.outcome == "works"'
step account_quota '.outcome == "works"'
jq '.flavors[1].match = "CUSTOM_GPU_B200"' quota.yaml >other.yaml
good pool set byquota --file other.yaml
allot backend check byquota
ok 'a class without a registered limit' test "$STATUS" = 1
step unified_limits '.outcome == "missing" and (.words | contains("class:CUSTOM_GPU_B200"))'

# ---- other backends ----
echo '{"backend": "simulated", "basis": "fp32", "hosts": [{"name": "h1", "uri": "sim:h1"}, {"name": "h2", "uri": "sim:h2"}],
    "flavors": [{"name": "a100", "rating": "19.5 TF", "units": 4, "sizes": [1]}], "storage": "1 TiB", "granule": "1 GiB", "volume": {"least": "1 GiB", "most": "1 TiB"},
    "settings": {"file": "'"$PWD"'/cloud", "dead_hosts": ["h2"], "flavors": {"a100": {"units_per_host": 2}}}}' >sim.json
good pool add sim --file sim.json
allot backend check sim
ok 'a host that does not answer' test "$STATUS" = 1
step host '.outcome == "missing" and .hosts == ["h2"]'
step devices '.words == "2 of the pool'"'"'s flavors" and .hosts == ["h1"]'
allot backend usage sim
ok 'a backend without records' test "$STATUS" = 1
says 'says so' 'keeps no records of use'
books_close
