#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Looking at many things: requests grow with the pages of the lists, not with what is on them, and what is held of a
# thing is small. Against the scripted server, because 10,000 servers do not fit into a lab.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
PROJECT=6cdebe3eb0094910bc41f1d42ebe4cb7
ID=([a]=$PROJECT)
# script SERVERS : a cloud with so many servers of ours, one volume for each, and no container
script() {
    cat <<END
{"expect": "GET /v3", "times": 0, "json": {"version": {"id": "v3.14", "status": "stable"}}}
{"expect": "POST /v3/auth/tokens", "times": 0, "status": 201, "set": {"X-Subject-Token": "t0"}, "json": {"token": {
  "expires_at": "2999-01-01T00:00:00.000000Z", "issued_at": "2026-01-01T00:00:00.000000Z", "methods": ["password"],
  "project": {"id": "$PROJECT", "name": "a", "domain": {"id": "default", "name": "Default"}}, "user": {"id": "u", "name": "u"},
  "roles": [], "catalog": [
   {"type": "compute", "endpoints": [{"interface": "public", "region_id": "R", "region": "R", "url": "@URL@/compute"}]},
   {"type": "object-store", "endpoints": [{"interface": "public", "region_id": "R", "region": "R", "url": "@URL@/objects"}]},
   {"type": "volumev3", "endpoints": [{"interface": "public", "region_id": "R", "region": "R", "url": "@URL@/volume"}]}]}}}
{"expect": "GET /compute/servers/detail", "times": 0, "list": {"key": "servers", "count": $1, "max": 1000, "links": true, "item": {
  "id": "@ID@", "name": "allot-c1-g1-@N@", "status": "ACTIVE", "created": "2026-11-22T06:30:00Z", "OS-EXT-STS:task_state": null,
  "addresses": {"n": [{"addr": "10.0.0.1", "version": 4}]},
  "metadata": {"allot_token": "s4f1c09ab37de.1.@N@", "allot_tenant": "c1", "allot_grant": "g-1"}}}}
{"expect": "GET /volume/volumes/detail", "times": 0, "list": {"key": "volumes", "count": $1, "max": 1000, "links": true, "item": {
  "id": "@ID@", "name": "allot-c1-g1-v@N@", "status": "in-use", "size": 10, "created_at": "2026-11-22T06:30:00.000000",
  "attachments": [], "metadata": {"allot_token": "s4f1c09ab37de.2.@N@", "allot_tenant": "c1", "allot_grant": "g-1"}}}}
{"expect": "GET /objects", "times": 0, "json": []}
END
}
(umask 077 && cat >clouds.yaml) <<END
clouds: {lab: {region_name: R, auth: {auth_url: "URL/v3", username: u, password: p, user_domain_name: Default}}}
END
cp clouds.yaml clouds.in
# look SERVERS PAGE : SEEN things, REQUESTS for lists, and PEAK memory in KiB
look() {
    script "$1" >script.json
    rm -f url log.json
    rm -rf cache
    "$ROOT/test/lab/scripted-server" --log log.json script.json >url 2>server.log &
    local server=$!
    helpers+=("$server")
    for _ in $(seq 100); do [ ! -s url ] || break; sleep 0.05; done
    sed "s,URL,$(head -n 1 url)," clouds.in >clouds.yaml
    plan ".settings.page_things = $2 | del(.settings.volume_type)"
    jq -c '{pool: .}' <<<"$POOL" >in.json
    PEAK=$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdin=open("in.json"), stdout=open("out.json", "w"), check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$BUILD/libvirt/drive" openstack observe)
    SEEN=$(jq '.seen | length' out.json)
    REQUESTS=$(jq -s '[.[] | select(.target | test("detail|objects"))] | length' log.json)
    kill "$server" && wait "$server" 2>/dev/null || true
}
look 100 10
ok '100 servers and 100 volumes, ten at a time' test "$SEEN $REQUESTS" = '200 21'
look 1000 500
ok '1,000 of each by 500 are two pages each' test "$SEEN $REQUESTS" = '2000 5'
small=$PEAK
look 10000 1000
ok '10,000 of each by 1,000 are ten' test "$SEEN $REQUESTS" = '20000 21'
echo "peak memory: $small KiB with 2,000 things, $PEAK KiB with 20,000"
# What is told of a thing, and its line of JSON: no page, no answer of the cloud is kept.
ok 'each thing more takes less than 6 KiB' test $(((PEAK - small) / 18000)) -lt 6
